"""English words that songs in other languages borrow."""

from __future__ import annotations

HOOK_WORDS = frozenset(
    """
    about again ain't alone alright always and another anybody anymore are around away baby babe
    back bad beat beautiful because been before believe best better big bitch black blue body boom
    bounce boy boys brother burn bye call can't cause chance check clap club come comin could
    crazy cry dance dancing dark day days dead dear deep didn't dirty doesn't don't down dream
    dreams drink drive easy ever every everybody everything eyes face fall feel feeling feelings
    fight fire flow fly for forever forget free freestyle friday friend friends from fuck fucking
    game gangsta get getting girl girls give go god goes going gone gonna good goodbye got gotta
    happy hands hard have hear heart heaven hell hello help here hey high hip-hop hold home homie
    honey hot i i'll i'm i've if inside is it it's just keep kill kiss knew know ladies lady last
    leave let let's life light lights like listen little live living lonely long look looking lost
    love lover lovin loving low lucky make maybe mind miss moment money moon more morning move
    much music my need never new nice night nights nobody nothing now of oh okay old one only open
    our out over own party people play please power pretty put queen rain ready real remember
    rhythm ride right rock run same saturday say see sexy shake shine should show sing sky slow
    smile some somebody someone something song soul sound star stars stay still stop story strong
    summer sun sunday sunshine superstar sweet take talk tell than that that's the them then there
    there's these they thing things think this those through time to together tonight too touch
    town true trust try turn up us walk wanna want watch way we we'll we're we've were what when
    where who why wild with without woman won't work world worry would wow wrong yeah yes
    yesterday yo you you'll you're you've young your
    """.split()
)
"""Common words of English lyrics that no other large language of songs has in common use with
the same spelling ("no", "me", "die", "man", "come" and their like are left out)."""

"""List the English words that songs in other languages borrow (code switching)."""

from __future__ import annotations

_WORDS = """
about again ain't alone alright always and another anybody anymore around away babe baby back
beat beautiful because before behind believe beside best better between beyond big bitch black
blue body boom bounce boy boys broken brother burn bye call can't cannot cause check city clap
club comin could crazy cry dance dancing dark day days dead dear deep didn't dirty doesn't don't
down dream dreams drink drive easy ever every everybody everything everywhere eyes feel feeling
feelings fight fire flow fly follow fool forever forget free freestyle friday friend friends
from fuck fucking game gangsta get getting girl girls give go goes going gone gonna good goodbye
got gotta gun hands happy hard have he's hear heart heaven hello help here here's high
higher hip-hop home homie honey hope hot i'd i'll i'm i've inside isn't it's just keep kill kiss
knew know ladies lady leave let's life light lights like listen little live living lonely look
looking lost love lover lovin loving lucky make maybe miss money moon mornin morning move much
music need never new nice night nights nobody nothin nothing now nowhere okay one only our
out own pain party people play please power pretty queen rain ready remember rhythm ride right
rock run saturday say sexy shadow shadows shake she she's shine should show sing sky slow smile
some somebody someone somethin something somewhere song soul sound star stars stay stop story
street strong summer sun sunday sunshine superstar sweet take talk tears tell than that that's
the them there there's these they they're thing things think this those through till time
together tonight too touch town true trust truth try turn under until up walk wanna wasn't watch
way we'd we'll we're we've were what what's when where where's while who whole why wish with
without woman won't work world worry would wow wrong yes yesterday yo you you'll you're
you've young your
"""

BORROWED_WORDS = frozenset(_WORDS.split())
"""Common words of English lyrics that are not common in another major language of songs: "no",
"me", "die", "man", "come", "for" and the like are left out."""

_SHARED = """
a all am an as be been before bad by come do fall for god had has he her him his i in is it let live
long me mine my no not of off old on one or over real said see so still than them us want was we
went were will
"""

SHARED_WORDS = frozenset(_SHARED.split())
"""Words of English that other languages have too: no evidence of a line's language."""

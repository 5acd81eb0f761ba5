"""The songs: words in the public domain, tunes older than any copyright.

A line of a song is its words, each with the degrees of the scale that it is sung on, a beat each
unless a length is given: ``"Twinkle,/1,1"`` is two notes, ``"star/5:2"`` one note of two beats.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Song:
    """A song to be made.

    Attributes
    ----------
    stanzas : tuple of tuple of str
        Sung lines in the notation above; an instrumental break parts the stanzas.
    chords : tuple of str
        For each line of a stanza its chords, as ``"C C F C"``: one each two beats.
    tonic : float
        Hz of the first degree.
    """

    name: str
    artist: str
    title: str
    language: str
    voice: str
    source: str
    beats_per_minute: float
    tonic: float
    stanzas: tuple[tuple[str, ...], ...]
    chords: tuple[str, ...]
    intro_beats: int = 12
    break_beats: int = 12
    outro_beats: int = 8

    @property
    def beat(self) -> float:
        """Seconds."""
        return 60 / self.beats_per_minute

    @property
    def lyrics(self) -> tuple[str, ...]:
        """The words, a line a sung line."""
        return tuple(
            " ".join(word for word, _ in notated(line))
            for stanza in self.stanzas
            for line in stanza
        )


def notated(line: str) -> list[tuple[str, list[tuple[int, float]]]]:
    """The words of a line in the notation above, each with its notes: degree and beats."""
    result = []
    for item in line.split():
        word, _, tune = item.rpartition("/")
        notes = []
        for note in tune.split(","):
            degree, _, beats = note.partition(":")
            notes.append((int(degree), float(beats or 1)))
        result.append((word, notes))
    return result


_SEMITONES = (0, 2, 4, 5, 7, 9, 11)


def hertz(tonic: float, degree: int) -> float:
    """Pitch of a degree of the major scale on ``tonic``; 1 is the tonic, 8 its octave."""
    octave, step = divmod(degree - 1, 7)
    return float(tonic * 2 ** (octave + _SEMITONES[step] / 12))


THE_STAR = Song(
    name="The_Star",
    artist="The Sampled Choir",
    title="The Star",
    language="English",
    voice="en-us",
    source="words: Jane Taylor, 1806; tune: Ah ! vous dirai-je, maman, 18th century",
    beats_per_minute=132,
    tonic=146.83,
    stanzas=(
        (
            "Twinkle,/1,1 twinkle,/5,5 little/6,6 star,/5:2",
            "How/4 I/4 wonder/3,3 what/2 you/2 are./1:2",
            "Up/5 above/5,4 the/4 world/3 so/3 high,/2:2",
            "Like/4 a/4 diamond/3,3 in/2 the/2 sky./1:2",
        ),
        (
            "When/1 the/1 blazing/5,5 sun/6 is/6 gone,/5:2",
            "When/4 he/4 nothing/3,3 shines/2 upon,/2,1:2",
            "Then/5 you/5 show/4 your/4 little/3,3 light,/2:2",
            "Twinkle,/4,4 twinkle,/3,3 all/2 the/2 night./1:2",
        ),
    ),
    chords=("C C F C", "F C G C", "C F C G", "F C G C"),
)

AU_CLAIR_DE_LA_LUNE = Song(
    name="Au_clair_de_la_lune",
    artist="The Sampled Choir",
    title="Au clair de la lune",
    language="French",
    voice="fr",
    source="words and tune: traditional, 18th century",
    beats_per_minute=126,
    tonic=155.56,
    stanzas=(
        (
            "Au/1 clair/1 de/1 la/2 lune,/3:2,2:2",
            "Mon/1 ami/3,2 Pierrot,/2,1:4",
            "Prête-moi/1:2,1 ta/2 plume/3:2,2:2",
            "Pour/1 écrire/3,2 un/2 mot./1:4",
        ),
    ),
    chords=("C C C G", "C G C C", "C C C G", "C G C C"),
    intro_beats=8,
    outro_beats=6,
)

SONGS = (THE_STAR, AU_CLAIR_DE_LA_LUNE)

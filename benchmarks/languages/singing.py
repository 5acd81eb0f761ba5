"""A verse sung by the demo's singer, from the sounds that the verse names.

The words are never read by espeak-ng: it is given phonemes. So a song tests what lyricsyncd reads
from the spelling against a reading that comes from elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from benchmarks.languages.verses import SungWord, Verse
from demo import make_song, score
from demo.speech import SpokenWord, speak

_VERSION = 1
"""To be raised when the same verse is to sound otherwise: songs are kept."""

_MNEMONICS = {
    **{sound: sound for sound in "abdefhijklmnopstuvwxyz"},
    "æ": "&",
    "ç": "C",
    "ð": "D",
    "ø": "Y",
    "ŋ": "N",
    "œ": "W",
    "ɔ": "O",
    "ɕ": "S;",
    "ə": "@",
    "ɛ": "E",
    "ɡ": "g",
    "ɣ": "Q",
    "ɨ": "i",
    "ɪ": "I",
    "ɬ": "l#",
    "ɭ": "l.",
    "ɲ": "n^",
    "ɳ": "n.",
    "ɸ": "p\\",
    "ɹ": "r",
    "ɾ": "*",
    "r": "R",
    "c": "c",
    "q": "q",
    "ɟ": "J",
    "ʁ": 'Q"',
    "ʂ": "s.",
    "ʃ": "S",
    "ʊ": "U",
    "ʎ": "l^",
    "ʐ": "z.",
    "ʑ": "z;",
    "ʒ": "Z",
    "ʔ": "?",
    "β": "B",
    "θ": "T",
    "χ": "X",
    "dʑ": "dZ;",
    "dʒ": "dZ",
    "tɕ": "tS;",
    "tʃ": "tS",
    "ts": "t|s",
    # Without a sound of its own in a voice: a glide for a palatal consonant, any length, and the
    # vowel without its nose.
    "ʲ": "j",
    "ː": "",
    "\N{COMBINING TILDE}": "",
}
"""Sound → mnemonic that all voices of espeak-ng share; vowels are each voice's own."""

_LINE_BEATS = 8
_DEGREES = ((1, 2, 3, 3, 5, 4, 3, 2), (3, 4, 5, 5, 6, 5, 4, 3), (5, 5, 4, 3, 4, 3, 2, 2), (3, 2, 1))
_CHORDS = ("C C F C", "F C G C", "C F C G", "F C G C")


def make(verse: Verse, folder: Path) -> tuple[Path, list[float]]:
    """Make the song of a verse in ``folder``, or take the one that lies there.

    Returns
    -------
    Path
        The song, an MP3.
    list of float
        Second at which each word starts.
    """
    # Everything that it is made from is in its name.
    digest = hashlib.sha256(f"{_VERSION} {verse}".encode()).hexdigest()[:12]
    song, truth = (folder / f"{verse.language}-{digest}{suffix}" for suffix in (".mp3", ".json"))
    if not truth.exists():
        folder.mkdir(parents=True, exist_ok=True)
        performance = perform(verse)
        make_song.encode(performance, song)
        starts = [word.start for word in performance.words]
        truth.write_text(json.dumps(starts) + "\n", encoding="utf-8")
    return song, json.loads(truth.read_text(encoding="utf-8"))


def perform(verse: Verse) -> make_song.Performance:
    """Sing and play a verse: two stanzas with a break between them."""
    spoken = _say(verse)
    following = iter(spoken)
    lines = [
        _line([next(following) for _ in line], number) for number, line in enumerate(verse.lines)
    ]
    song = score.Song(
        name=verse.language,
        artist="The Sampled Choir",
        title=f"A Night in {verse.name}",
        language=verse.language,
        voice=verse.voice,
        source="made for benchmarks.languages",
        beats_per_minute=112,
        tonic=146.83,
        stanzas=(tuple(lines[:4]), tuple(lines[4:])),
        chords=_CHORDS,
        break_beats=8,
    )
    return make_song.perform(song, spoken)


def _say(verse: Verse) -> list[SpokenWord]:
    phonemes = [mnemonics(word, verse) for word in verse.words]
    said = speak(verse.voice, [f"[[{names}]]" for names in phonemes])
    for word, names, sung in zip(said, phonemes, verse.words, strict=True):
        # espeak-ng ends a word at a mnemonic that the voice lacks.
        if len(word.phones) < len(names.split("|")):
            sounds = " ".join(phone.ipa for phone in word.phones)
            raise ValueError(f"{verse.name} {sung.text!r}: of {names} the voice has {sounds}")
    return [replace(word, text=sung.text) for word, sung in zip(said, verse.words, strict=True)]


def mnemonics(word: SungWord, verse: Verse) -> str:
    """Return how espeak-ng's voice names the sounds of a word, the longest names first.

    Raises
    ------
    ValueError
        The verse has a sound without a mnemonic.
    """
    table = {**_MNEMONICS, **verse.sounds}
    longest = max(map(len, table))
    found, rest = [], word.ipa
    while rest:
        for length in range(longest, 0, -1):
            if (sound := rest[:length]) in table and len(sound) == length:
                found.append(table[sound])
                rest = rest[length:]
                break
        else:
            raise ValueError(f"{verse.name} {word.text!r}: no mnemonic for {rest[0]!r}")
    return "|".join(filter(None, found))


def _line(words: list[SpokenWord], number: int) -> str:
    """Return a line in the notation of the score: a note each vowel, the last one held."""
    vowels = [sum(phone.vowel for phone in word.phones) for word in words]
    beats = _beats(sum(vowels))
    degrees = _DEGREES[number % len(_DEGREES)]
    notes = [f"{degrees[min(at, len(degrees) - 1)]}:{length}" for at, length in enumerate(beats)]
    if number % len(_CHORDS) == 3:
        notes[-1] = f"1:{beats[-1]}"
    line = []
    for word, count in zip(words, vowels, strict=True):
        line.append(f"{word.text}/{','.join(notes[:count])}")
        notes = notes[count:]
    return " ".join(line)


def _beats(notes: int) -> list[float]:
    """Divide a line's beats: one a note and two for the last, or halves first where there are many.

    The beats that are left over are the last note's and the first's.
    """
    moving = notes - 1
    room = _LINE_BEATS - 2
    halves = min(moving, max(0, 2 * (moving - room)))
    lengths = [0.5] * halves + [1.0] * (moving - halves)
    if sum(lengths) > room:
        raise ValueError(f"a line of {notes} vowels is too long")
    spare = room - sum(lengths)
    if lengths and spare >= 2:
        lengths[0] += 1
        spare -= 1
    return [*lengths, 2 + spare]

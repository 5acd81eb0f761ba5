"""UltraStar TXT: a note a word or syllable, for karaoke games.

Unless they are given, beats are hundredths of a second (``#BPM:1500``, ``#GAP:0``) and pitches are
all 0: `lyricsyncd karaoke --ultrastar` finds both by the sound. A note is a beat long at least and
ends before the next one of its line begins. Among lines with word times, one without is a single
note that games show and do not score (``F``, freestyle); a song without any word times cannot be
written. Games know two players: the lead is ``P1``, all other voices are ``P2``, and of each the
lines follow each other. What has no name is ``Unknown``, without which games refuse a song. A song
that is written beside its audio names it (``#MP3``), which is else for the user to add.

Read: any BPM and gap, ``#RELATIVE``, golden, rap and freestyle notes (a line that is a single
freestyle note has no word times), duets (``P1`` is the lead), whose lines are put in the order in
which they begin, ``~``, which holds the syllable before, ``#ENCODING``, and any language by its
English name or its own. A note over the next one of its line ends where that begins; notes in
disorder are put in order.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from lyricsyncd.errors import FormatError
from lyricsyncd.formats.syllables import joined, parted
from lyricsyncd.formats.text import (
    GUARD,
    MAX_BYTES,
    decode,
    language_code,
    one_line,
    report,
    split_lines,
)
from lyricsyncd.formats.timing import checked, framed, stamped, stretches, tidy
from lyricsyncd.model import Line, Lyrics, Word

_VERSION = "1.1.0"
"""Of the format: its text is UTF-8. Games refuse files from 2.0.0 on."""
_NAMES = ("title", "artist")
_UNKNOWN = "Unknown"
_BPM = 1500
"""The game counts four beats for each of these a minute: 6000 a minute, 100 a second."""
_SUNG_S = 0.3
"""How long the last word of a line is held when nobody knows."""

_TAG = re.compile(r"#([A-Za-z0-9]+):(.*)", re.DOTALL)
_NOTE = re.compile(r"([:*FRG])\s*(-?\d{1,9})\s+(\d{1,9})\s+-?\d{1,9}(?:\s(.*))?", re.DOTALL)
_BREAK = re.compile(r"-\s*(-?\d{1,9})(?:\s+(-?\d{1,9}))?\s*")
_PLAYER = re.compile(r"P\s?(\d)\s*")
_TEMPO = re.compile(r"B\s+-?\d")
_LANGUAGES = {
    "af": "Afrikaans", "ar": "Arabic", "az": "Azerbaijani", "be": "Belarusian", "bg": "Bulgarian",
    "bn": "Bengali", "br": "Breton", "bs": "Bosnian", "ca": "Catalan", "co": "Corsican",
    "cs": "Czech", "cy": "Welsh", "da": "Danish", "de": "German", "el": "Greek", "en": "English",
    "eo": "Esperanto", "es": "Spanish", "et": "Estonian", "eu": "Basque", "fa": "Persian",
    "fi": "Finnish", "fo": "Faroese", "fr": "French", "fy": "Frisian", "ga": "Irish",
    "gd": "Scottish Gaelic", "gl": "Galician", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian",
    "ht": "Haitian Creole", "hu": "Hungarian", "hy": "Armenian", "id": "Indonesian",
    "is": "Icelandic", "it": "Italian", "ja": "Japanese", "ka": "Georgian", "kk": "Kazakh",
    "km": "Khmer", "ko": "Korean", "ku": "Kurdish", "la": "Latin", "lb": "Luxembourgish",
    "ln": "Lingala", "lt": "Lithuanian", "lv": "Latvian", "mg": "Malagasy", "mi": "Maori",
    "mk": "Macedonian", "mn": "Mongolian", "ms": "Malay", "mt": "Maltese", "nl": "Dutch",
    "no": "Norwegian", "oc": "Occitan", "pa": "Punjabi", "pl": "Polish", "pt": "Portuguese",
    "ro": "Romanian", "ru": "Russian", "sa": "Sanskrit", "sc": "Sardinian", "sk": "Slovak",
    "sl": "Slovenian", "so": "Somali", "sq": "Albanian", "sr": "Serbian", "sv": "Swedish",
    "sw": "Swahili", "ta": "Tamil", "te": "Telugu", "th": "Thai", "tl": "Tagalog", "tr": "Turkish",
    "uk": "Ukrainian", "ur": "Urdu", "uz": "Uzbek", "vi": "Vietnamese", "wo": "Wolof",
    "xh": "Xhosa", "yi": "Yiddish", "yo": "Yoruba", "zh": "Chinese", "zu": "Zulu",
}  # fmt: skip
_OTHER_NAMES = {
    "bokmål": "no", "brazilian": "pt", "brazilian portuguese": "pt", "cantonese": "zh",
    "castilian": "es", "català": "ca", "dansk": "da", "deutsch": "de", "eesti": "et",
    "español": "es", "euskara": "eu", "farsi": "fa", "filipino": "tl", "flemish": "nl",
    "français": "fr", "gaelic": "gd", "galego": "gl", "gaeilge": "ga", "hrvatski": "hr",
    "italiano": "it", "latviešu": "lv", "lietuvių": "lt", "magyar": "hu", "mandarin": "zh",
    "māori": "mi", "nederlands": "nl", "norsk": "no", "nynorsk": "no", "polski": "pl",
    "português": "pt", "română": "ro", "shqip": "sq", "slovenčina": "sk", "slovenščina": "sl",
    "srpski": "sr", "suomi": "fi", "svenska": "sv", "türkçe": "tr", "valencian": "ca",
    "íslenska": "is", "čeština": "cs", "ελληνικά": "el", "русский": "ru", "українська": "uk",
    "中文": "zh", "日本語": "ja", "한국어": "ko",
}  # fmt: skip
_ENCODINGS = {
    "cp1250": "cp1250", "cp1251": "cp1251", "cp1252": "cp1252", "cp1253": "cp1253",
    "cp1254": "cp1254", "utf8": "utf-8", "local": "", "auto": "",
}  # fmt: skip
_ENCODING = re.compile(rb"^[ \t\r\f\v]*#ENCODING:[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Ultrastar:
    """UltraStar TXT.

    Attributes
    ----------
    bpm : float
        Four beats of the game's to each of these: of the song, or a power of two times that.
    gap : float
        Seconds of the first beat.
    pitches : tuple of int
        Semitones above middle C, one a note; all 0 where they are not as many as the notes.
    headers : tuple of (str, str)
        Further names and values of the head, such as ``("MP3", "song.mp3")``.
    """

    bpm: float = _BPM
    gap: float = 0.0
    pitches: tuple[int, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()

    name: ClassVar[str] = "ultrastar"
    suffixes: ClassVar[tuple[str, ...]] = ()

    def looks_like(self, text: str) -> bool:
        rows = split_lines(text)
        return any(row.upper().startswith("#BPM:") for row in rows[:50]) and any(
            _NOTE.fullmatch(row.lstrip()) for row in rows
        )

    def read(self, data: bytes) -> Lyrics:
        return _read(_text(data))

    @property
    def _unit(self) -> float:
        """Beats a second."""
        return self.bpm / 15.0

    def notes(self, lyrics: Lyrics) -> list[tuple[float, float]]:
        """List the seconds at which notes begin and end, in the order of `pitches`."""
        return [
            (start, start if end is None else end)
            for _, lines in _by_player(self._projected(lyrics))
            for line in lines
            if line.words[0].start is not None
            for _, start, end in stretches(line.words)
        ]

    def project(self, lyrics: Lyrics) -> Lyrics:
        return _in_order_of_starts(self._projected(lyrics))

    def _projected(self, lyrics: Lyrics) -> Lyrics:
        lyrics = self._from_gap(lyrics)
        if self.gap == 0.0:
            return lyrics
        return lyrics.with_lines(line.retimed(lambda time: time + self.gap) for line in lyrics)

    def _from_gap(self, lyrics: Lyrics) -> Lyrics:
        """Return what the format can express, player by player, with times from the gap on."""
        lyrics = tidy(lyrics)
        if self.gap != 0.0:
            lyrics = lyrics.with_lines(
                line.retimed(lambda time: max(0.0, time - self.gap)) for line in lyrics
            )
        sung = [line for line in lyrics if line.words]
        sung = _of_two_players(sung)
        frames = framed(sung, self._unit, words=False)
        some_words = any(line.words[0].start is not None for line in sung)
        lines = []
        for number, (line, frame) in enumerate(zip(sung, frames, strict=True), start=1):
            words = stamped(line, self._unit, syllables=True)
            if words[0].start is None and some_words and frame.start is not None:
                lines.append(Line(words, frame.start, frame.end, line.voice))
                continue
            if words[0].start is None:
                raise FormatError(
                    f"line {number} of the lyrics ({line.text[:40]!r}) has no word times, "
                    "which UltraStar needs",
                    remedy="Place the words with `lyricsyncd sync` first",
                )
            words = _as_notes(words, line.end, self._unit)
            lines.append(Line(words, words[0].start, words[-1].end, line.voice))
        lines = [
            line
            for _, own in _by_player(Lyrics(tuple(lines)))
            for line in _following(own, self._unit)
        ]
        names = _known(lyrics.metadata)
        language = lyrics.language if lyrics.language in _LANGUAGES else None
        return Lyrics(tuple(lines), language, metadata=names)

    def write(self, lyrics: Lyrics) -> str:
        lyrics = self._from_gap(lyrics)
        players = _by_player(lyrics)
        rows = [f"#VERSION:{_VERSION}"]
        rows += [f"#{name}:{one_line(value)}" for name, value in self.headers]
        rows += [f"#{key.upper()}:{lyrics.metadata.get(key, _UNKNOWN)}" for key in _NAMES]
        if lyrics.language is not None:
            rows.append(f"#LANGUAGE:{_LANGUAGES[lyrics.language]}")
        rows += [f"#BPM:{self.bpm:g}", f"#GAP:{round(self.gap * 1000)}"]
        pitches = iter(self.pitches if len(self.pitches) == _count(lyrics) else ())
        if len(players) > 1:
            rows += [f"#P1:{lyrics.metadata.get('artist') or 'P1'}", f"#P2:{players[1][0]}"]
        for number, (_, lines) in enumerate(players, start=1):
            rows += [f"P{number}"] if len(players) > 1 else []
            rows += self._rows(lines, pitches)
        return "".join(row + "\n" for row in [*rows, "E"])

    def _rows(self, lines: Sequence[Line], pitches: Iterator[int]) -> list[str]:
        """Return the notes of a player, and where lines end."""
        unit = self._unit
        rows: list[str] = []
        before: int | None = None
        for line in lines:
            first = round((line.start or 0) * unit)
            if before is not None:
                rows.append(f"- {min(before, first)}")
            has_words = line.words[0].start is not None
            whole = [(line.text, line.start or 0.0, line.end)]
            for text, start, end in stretches(line.words) if has_words else whole:
                beat, last = round(start * unit), round((end or start) * unit)
                guard = GUARD if _is_hold(text) else ""
                kind, pitch = (":", next(pitches, 0)) if has_words else ("F", 0)
                rows.append(f"{kind} {beat} {last - beat} {pitch} {guard}{text}")
            before = round((line.end or 0) * unit)
        return rows


def _known(names: Mapping[str, str]) -> dict[str, str]:
    """Return the title and the artist, as far as they are known."""
    return {key: names[key] for key in _NAMES if names.get(key, _UNKNOWN) != _UNKNOWN}


def _count(lyrics: Lyrics) -> int:
    """Return the number of notes that games score."""
    return sum(len(stretches(line.words)) for line in lyrics if line.words[0].start is not None)


def _of_two_players(lines: Sequence[Line]) -> list[Line]:
    """Return lines whose voice is ``None``, of the lead, or the names of all others."""
    words: dict[str | None, int] = {}
    for line in lines:
        words[line.voice] = words.get(line.voice, 0) + len(line.words)
    lead = None if None in words else max(words, key=lambda voice: words[voice], default=None)
    others = ", ".join(voice for voice in words if voice is not None and voice != lead)
    return [replace(line, voice=None if line.voice == lead else others) for line in lines]


def _by_player(lyrics: Lyrics) -> list[tuple[str | None, list[Line]]]:
    """Return the voices with their lines, the lead first."""
    voices = {line.voice for line in lyrics}
    return [
        (voice, [line for line in lyrics if line.voice == voice])
        for voice in sorted(voices, key=lambda voice: voice is not None)
    ]


def _in_order_of_starts(lyrics: Lyrics) -> Lyrics:
    """Return the lines of a duet in the order in which they begin."""
    if all(line.voice is None for line in lyrics):
        return lyrics
    return lyrics.with_lines(sorted(lyrics, key=lambda line: line.start or 0.0))


def _following(lines: Sequence[Line], unit: float) -> list[Line]:
    """Return the lines of a player such that each begins behind the notes of the one before."""
    found: list[Line] = []
    earliest = 0
    for line in sorted(lines, key=lambda line: line.start or 0.0):
        if line.words[0].start is not None:
            words = _as_notes(line.words, line.end, unit, earliest)
            line = replace(line, words=words, start=words[0].start, end=words[-1].end)
            last = [part.start for part in parted(words) if part.start is not None][-1]
        else:
            first = max(earliest, round((line.start or 0.0) * unit))
            end = max(first + 1, round((line.end or 0.0) * unit))
            line = replace(line, start=first / unit, end=end / unit)
            last = first / unit
        if found and (found[-1].end or 0.0) > (line.start or 0.0):
            found[-1] = _ending(found[-1], line.start)
        found.append(line)
        earliest = round(last * unit) + 1
    return found


def _ending(line: Line, end: float | None) -> Line:
    """Return a line, and its last note, with another end."""
    if line.words[0].start is None:
        return replace(line, end=end)
    words = parted(line.words)
    return replace(line, words=joined((*words[:-1], replace(words[-1], end=end))), end=end)


def _as_notes(
    words: Sequence[Word], line_end: float | None, unit: float, earliest: int = 0
) -> tuple[Word, ...]:
    """Give words the times of notes: in order, none empty, none over the next, none before the beat
    ``earliest``."""
    words = parted(words)
    heads = [i for i, word in enumerate(words) if word.start is not None]
    beats: list[int] = []
    for i in heads:
        beat = round((words[i].start or 0) * unit)
        beats.append(max(beat, beats[-1] + 1 if beats else earliest))
    notes = list(words)
    for note, (head, beat) in enumerate(zip(heads, beats, strict=True)):
        following = heads[note + 1] if note + 1 < len(heads) else len(words)
        end = words[following - 1].end
        if end is None:
            end = beat / unit + _SUNG_S if line_end is None else line_end
        last = max(beat + 1, round(end * unit))
        if note + 1 < len(heads):
            last = min(last, beats[note + 1])
        notes[head] = replace(notes[head], start=beat / unit)
        notes[following - 1] = replace(notes[following - 1], end=last / unit)
    return joined(notes)


def _is_hold(text: str) -> bool:
    return not text.strip().strip(GUARD).strip("~")


# Reading


def _text(data: bytes) -> str:
    """Decode a song by its ``#ENCODING``, if it has one and is not plainly UTF-8."""
    found = _ENCODING.search(data[:MAX_BYTES])
    if found is None:
        return decode(data)
    name = found[1].decode("ascii", "replace").strip().lower()
    name = name.replace("-", "").replace("_", "").replace("windows", "cp").replace(" ", "")
    encoding = _ENCODINGS.get(name)
    if encoding is None:
        raise FormatError(
            f"#ENCODING names an encoding that is not known, {name[:20]!r}",
            remedy="Save the song as UTF-8, without #ENCODING",
        )
    if encoding in ("", "utf-8"):
        return decode(data)
    try:
        return decode(data, legacy=False)
    except FormatError:
        if len(data) > MAX_BYTES:
            raise
    try:
        return decode(data.decode(encoding).encode())
    except UnicodeDecodeError as error:
        raise FormatError(
            f"the song is not in its #ENCODING, {encoding} (byte {error.start})",
            remedy="Save the song as UTF-8, without #ENCODING",
        ) from None


def _language(name: str) -> str | None:
    """Return the code of the first language that is named."""
    first = re.split(r"[,;/&+(]", name)[0].strip().lower()
    codes = {each.lower(): code for code, each in _LANGUAGES.items()} | _OTHER_NAMES
    known = codes.get(first) or codes.get(first.split()[0] if first else "")
    return known or language_code(first.partition("-")[0])


@dataclass
class _Clock:
    """From beats to seconds."""

    bpm: float
    gap: float
    relative: bool
    offset: int = 0

    def seconds(self, beat: int) -> float:
        # A multiple of 1/100 s comes out as exactly that for the tempo that we write.
        time = self.gap + 15 * (self.offset + beat) / self.bpm
        checked(time)
        return time


def _read(text: str) -> Lyrics:
    tags: dict[str, str] = {}
    lines: list[Line] = []
    words: list[Word] = []
    notes: list[str] = []
    voice: str | None = None
    clock: _Clock | None = None
    disorder: list[str] = []
    for row in (row.lstrip() for row in split_lines(text)):
        if tag := _TAG.fullmatch(row):
            tags.setdefault(tag[1].upper(), tag[2].strip())
        elif note := _NOTE.fullmatch(row):
            clock = clock or _clock(tags)
            start, length = int(note[2]), int(note[3])
            _add_note(words, clock.seconds(start), clock.seconds(start + length), note[4] or "")
            notes += note[1]
        elif line_break := _BREAK.fullmatch(row):
            _end_line(lines, words, notes, voice, disorder)
            clock = clock or _clock(tags)
            if clock.relative:
                clock.offset += int(line_break[2] or line_break[1])
        elif player := _PLAYER.fullmatch(row):
            _end_line(lines, words, notes, voice, disorder)
            name = tags.get("P2") or tags.get("DUETSINGERP2") or "P2"
            voice = name if player[1] == "2" else None
            if clock is not None:
                clock.offset = 0
        elif _TEMPO.match(row):
            raise FormatError(
                "this song changes its tempo, which is not understood",
                remedy="Save it with one tempo in an UltraStar editor",
            )
        elif row.rstrip() == "E":
            break
    _end_line(lines, words, notes, voice, disorder)
    if disorder:
        report(f"notes of {len(disorder)} lines are out of order: put in order", disorder[0])
    if text.strip() and "BPM" not in tags:
        raise FormatError("this is no UltraStar song: it has no #BPM")
    lyrics = Lyrics(
        tuple(lines),
        _language(tags.get("LANGUAGE", "")),
        metadata=_known({key: tags.get(key.upper(), "") for key in _NAMES}),
    )
    return _in_order_of_starts(tidy(lyrics))


def _clock(tags: dict[str, str]) -> _Clock:
    bpm, gap = _number(tags, "BPM"), _number(tags, "GAP")
    if bpm <= 0:
        raise FormatError("this is no UltraStar song: it has no #BPM")
    return _Clock(bpm, gap / 1000, tags.get("RELATIVE", "").lower() == "yes")


def _number(tags: dict[str, str], key: str) -> float:
    try:
        value = float(tags.get(key, "0").replace(",", ".") or 0)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise FormatError(f"#{key} should be a number, not {tags[key][:40]!r}")
    return value


def _add_note(words: list[Word], start: float, end: float, text: str) -> None:
    if words and set(text.strip()) == {"~"}:
        words[-1] = replace(words[-1], end=end, space=words[-1].space or text[-1:].isspace())
        return
    if text.startswith(GUARD) and _is_hold(text[1:]):
        text = text[1:]
    words.append(Word(text, start, end, space=text[-1:].isspace()))


def _end_line(
    lines: list[Line],
    words: list[Word],
    notes: list[str],
    voice: str | None,
    disorder: list[str],
) -> None:
    """Add a line of notes, whose kinds are ``notes``, and clear both for the next one."""
    starts = [word.start or 0.0 for word in words]
    if starts != sorted(starts):
        disorder.append("".join(word.text for word in words))
        words.sort(key=lambda word: word.start or 0.0)
    for at, following in enumerate(words[1:]):
        end, later = words[at].end, following.start
        if end is not None and later is not None and end > later:
            words[at] = replace(words[at], end=later)
    sung = [word for word in words if word.text.strip()]
    if sung:
        line = Line(tuple(words), sung[0].start, sung[-1].end, voice)
        lines.append(line.without_word_times() if notes == ["F"] else line)
    words.clear()
    notes.clear()

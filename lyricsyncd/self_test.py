"""Decode, separate, pronounce, place, write and undo, as the service does, on small sounds.

Each trial returns a line that says what worked, or raises what the service would raise. The sounds
are made on the spot, in a scratch folder; nothing is fetched, and no file of the user is touched.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lyricsyncd.errors import AudioError, ModelError, WriteError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lyricsyncd.config.schema import Config
    from lyricsyncd.model import Lyrics

    Samples = NDArray[np.float32]

RATE = 48_000
"""Hz of the sounds; every codec here takes it."""
_TONE_HZ = 440.0
_TEXT = "Twinkle twinkle little star\nhow I wonder what you are"
_SILENCE_S = 0.5
"""Before and after the spoken words."""
_NEAR_S = 0.3
"""Seconds by which the onset of a word may be off."""


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """A kind of song file, and how FFmpeg writes one."""

    name: str
    suffix: str
    container: str
    codec: str
    """FFmpeg's encoder."""
    decoder: str


KINDS = (
    Kind("MP3", ".mp3", "mp3", "libmp3lame", "mp3"),
    Kind("FLAC", ".flac", "flac", "flac", "flac"),
    Kind("AAC", ".m4a", "ipod", "aac", "aac"),
    Kind("ALAC", ".m4a", "ipod", "alac", "alac"),
    Kind("Ogg Vorbis", ".ogg", "ogg", "vorbis", "vorbis"),
    Kind("Opus", ".opus", "ogg", "libopus", "opus"),
    Kind("WMA", ".wma", "asf", "wmav2", "wmav2"),
    Kind("WavPack", ".wv", "wv", "wavpack", "wavpack"),
    Kind("TTA", ".tta", "tta", "tta", "tta"),
    Kind("WAV", ".wav", "wav", "pcm_s16le", "pcm_s16le"),
    Kind("AIFF", ".aiff", "aiff", "pcm_s16be", "pcm_s16be"),
    Kind("Matroska", ".mka", "matroska", "flac", "flac"),
)
UNWRITTEN = {"Monkey's Audio": "ape", "Musepack": "mpc7", "Musepack SV8": "mpc8"}
"""Kinds that FFmpeg reads and does not write: only the presence of the decoder is checked."""
_TAGGED = ("MP3", "FLAC", "AAC", "Ogg Vorbis")
"""Kinds whose tags differ from each other: ID3, Vorbis comments in FLAC and Ogg, MP4."""


def decode(_config: Config) -> str:
    """Decode a tone from every kind of file that this FFmpeg can write.

    Raises
    ------
    AudioError
        A file cannot be decoded, or comes out as something else; or FFmpeg's decoder is missing.
    """
    done = []
    with _scratch() as folder:
        for kind in KINDS:
            if _has(kind.codec, "w"):
                _check_tone(_written(kind, folder, tone()), kind)
                done.append(kind.name)
    missing = [name for name, codec in _decoders().items() if not _has(codec, "r")]
    if missing:
        raise AudioError(f"this build of PyAV has no decoder for {', '.join(missing)}")
    return f"{', '.join(done)} are decoded as they should be"


def separate(config: Config) -> str:
    """Separate a spoken voice from chords, with the separator of the configuration.

    Raises
    ------
    ModelError
        The separator fails, or does not bring the voice out.
    """
    import numpy as np

    from lyricsyncd.pipeline.model_set import ModelSet
    from lyricsyncd.pipeline.settings import placing_settings

    separator = ModelSet(placing_settings(config).models).separator()
    voice, _ = spoken()
    clock = np.arange(len(voice)) / RATE
    notes = [np.sin(2 * np.pi * hertz * clock) for hertz in (110.0, 164.8, 220.0, 277.2)]
    mix = 0.5 * voice + 0.08 * np.sum(notes, axis=0).astype(np.float32)
    with _scratch() as folder:
        stem = separator.extract(_written(_kind("WAV"), folder, mix), RATE)
    if stem.separator == "none":
        return "no separator is installed: words are placed on the mix"
    before, after = _likeness(stem.mix, voice), _likeness(stem.vocals, voice)
    if not after > before:
        raise ModelError(
            f"{stem.separator} does not bring out the voice (likeness {after:.2f}, "
            f"{before:.2f} before)",
            remedy=f"Install it anew: lyricsyncd models install {stem.separator}",
        )
    return f"{stem.separator} brings out a voice from chords"


def pronounce(config: Config) -> str:
    """Pronounce a word in English and in the language of the configuration.

    Raises
    ------
    ModelError
        espeak-ng is not there, or says nothing.
    """
    from lyricsyncd.align import lexicon

    for language in dict.fromkeys(("en", _language(config))):
        ((ways,),) = lexicon.pronounce([["piano"]], language)
        if not ways:
            raise ModelError(
                f"espeak-ng finds no pronunciation of 'piano' ({language})",
                remedy="Install it again: pip install --force-reinstall espeakng-loader",
            )
    return f"espeak-ng reads 'piano' as {ways[0]}"


def place(config: Config) -> str:
    """Place spoken words whose times are known, with the models of the configuration.

    Raises
    ------
    ModelError
        A model fails, or most words do not come out where they are said.
    """
    from lyricsyncd.model import Lyrics, SongIdentification, Track
    from lyricsyncd.pipeline.placer import Placer
    from lyricsyncd.pipeline.prepared import Placement, Prepared
    from lyricsyncd.pipeline.settings import placing_settings

    # Separating has a trial of its own.
    settings = placing_settings(config)
    models = dataclasses.replace(settings.models, separator="none", recogniser="none")
    placer = Placer(dataclasses.replace(settings, models=models))
    voice, onsets = spoken()
    with _scratch() as folder:
        path, lyrics = _written(_kind("WAV"), folder, voice), Lyrics.from_text(_TEXT)
        song = SongIdentification(Track(path))
        result = placer.place(Prepared(path, song, lyrics, "en", all_found=True))
    assert isinstance(result, Placement), "there are no other words to try"
    starts = [word.start or 0.0 for word in result.lyrics.words]
    near = sum(abs(a - b) <= _NEAR_S for a, b in zip(starts, onsets, strict=True))
    if starts != sorted(starts) or near <= len(starts) // 2:
        raise ModelError(
            f"{result.aligner} places {near} of {len(starts)} spoken words where they are said",
            remedy="Set `models: {aligner: auto}`, or install lyricsyncd anew",
        )
    return f"{result.aligner} places {near} of {len(starts)} spoken words within {_NEAR_S} s"


def write(_config: Config) -> str:
    """Write word times into tags and beside songs, and take them back.

    Raises
    ------
    WriteError
        Something was not written, or did not go away again.
    """
    from lyricsyncd.config.schema import Output

    lyrics = _timed()
    with _scratch() as folder:
        for name in _TAGGED:
            song = _written(_kind(name), folder, tone())
            _write_and_undo(song, lyrics, Output(preset="embed"), folder)
            _check_tone(song, _kind(name))
            _write_and_undo(song, lyrics, Output(), folder)
    return f"tags ({', '.join(_TAGGED)}) and files beside songs are written and taken back"


TRIALS: Mapping[str, Callable[[Config], str]] = {
    "codecs": decode,
    "separate": separate,
    "pronounce": pronounce,
    "place": place,
    "write": write,
}


def tone() -> Samples:
    """Make one second of a tone: shape (n,), float32, at `RATE`."""
    import numpy as np

    clock = np.arange(RATE) / RATE
    sound: Samples = (0.3 * np.sin(2 * np.pi * _TONE_HZ * clock)).astype(np.float32)
    return sound


def spoken() -> tuple[Samples, list[float]]:
    """Speak `_TEXT` with espeak-ng, at `RATE`; return also the second at which each word starts."""
    import numpy as np
    import soxr

    from lyricsyncd.align.lexicon import espeak

    speech = espeak.speak(_TEXT.replace("\n", ", "), "en-us")
    silence = np.zeros(round(_SILENCE_S * RATE), np.float32)
    sound = soxr.resample(speech.samples, speech.sample_rate, RATE)
    whole = np.concatenate([silence, sound, silence])
    return whole, [onset + _SILENCE_S for onset in speech.onsets]


def _timed() -> Lyrics:
    from lyricsyncd.model import Line, Lyrics, Word

    lines = []
    for number, text in enumerate(_TEXT.split("\n")):
        at = 0.4 * number
        words = [Word(w, at + 0.05 * i, at + 0.05 * i + 0.04) for i, w in enumerate(text.split())]
        lines.append(Line(tuple(words), at, at + 0.3))
    return Lyrics(tuple(lines))


def _language(config: Config) -> str:
    return "en" if config.language == "auto" else config.language


def _decoders() -> dict[str, str]:
    return {**{kind.name: kind.decoder for kind in KINDS}, **UNWRITTEN}


def _has(codec: str, mode: Any) -> bool:
    import av

    try:
        av.Codec(codec, mode)
    except ValueError:
        return False
    return True


def _kind(name: str) -> Kind:
    return next(kind for kind in KINDS if kind.name == name)


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="lyricsyncd-") as folder:
        yield Path(folder).resolve()


def _written(kind: Kind, folder: Path, sound: Samples) -> Path:
    """Write a file of this kind with the sound on both channels."""
    import av
    import numpy as np

    path = folder / f"{kind.codec}{kind.suffix}"
    both = np.repeat(np.round(sound * 32767).astype(np.int16), 2).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(both, format="s16", layout="stereo")
    frame.sample_rate, frame.pts = RATE, 0
    with av.open(str(path), "w", format=kind.container) as container:
        # FFmpeg's own encoder of Vorbis counts as experimental.
        options = {"strict": "experimental"} if kind.codec == "vorbis" else {}
        stream = container.add_stream(kind.codec, rate=RATE, layout="stereo", options=options)
        stream.bit_rate = 128_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _check_tone(path: Path, kind: Kind) -> None:
    import numpy as np

    from lyricsyncd import audio

    try:
        sound = audio.decode(path, 16_000)
    except AudioError as error:
        raise AudioError(
            f"{kind.name}: {error.message.replace(str(path), 'a whole sound file')}"
        ) from error
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    hertz = float(spectrum.argmax()) * 16_000 / len(sound)
    if abs(hertz - _TONE_HZ) > 5 or not 0.9 < len(sound) / 16_000 < 1.2:
        raise AudioError(
            f"{kind.name}: 1 s at {_TONE_HZ:.0f} Hz comes out as "
            f"{len(sound) / 16_000:.1f} s at {hertz:.0f} Hz"
        )


def _likeness(sound: Samples, voice: Samples) -> float:
    """Compute the correlation of two sounds, 0-1."""
    import numpy as np

    length = min(len(sound), len(voice))
    norm = float(np.linalg.norm(sound[:length]) * np.linalg.norm(voice[:length]))
    return abs(float(sound[:length] @ voice[:length])) / max(norm, 1e-9)


def _write_and_undo(song: Path, lyrics: Lyrics, output: Any, folder: Path) -> None:
    from lyricsyncd.tags import Journal, undo, write_lyrics

    before = sorted(folder.iterdir())
    journal = Journal(folder / "state" / "journal.db")
    report = write_lyrics(song, lyrics, output, journal=journal)
    if not report.written or report.kept:
        notes = "; ".join(note.why for note in report.kept) or "no reason is known"
        raise WriteError(f"nothing was written for a {song.suffix} file: {notes}")
    back = undo(journal, [song])
    left = sorted({*folder.iterdir()} - {*before, journal.path.parent})
    if {*back.removed, *back.cleared} != set(report.written) or left:
        raise WriteError(f"what was written for a {song.suffix} file was not all taken back")

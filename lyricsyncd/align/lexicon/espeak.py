"""Transcribe text into phonemes with espeak-ng's library.

The wheel ``espeakng-loader`` has the library and its data for some 130 languages; this is a thin
layer over it: which voices there are, and the phonemes of a text by a voice. The C interface
is documented in espeak-ng's ``speak_lib.h``.
"""

from __future__ import annotations

import ctypes
import itertools
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.lexicon import speak_lib
from lyricsyncd.errors import ModelError

_SEPARATOR = "|"
_MODE = speak_lib.IPA | ord(_SEPARATOR) << 8

LONGEST_TEXT = 40
"""Characters that `transcribe` takes at once: espeak-ng has a buffer of 160 bytes per word."""

_TOKEN = re.compile(r"\([^)]*\)|[^\s|()]+")


@dataclass(frozen=True)
class Speech:
    """Synthesised speech."""

    samples: npt.NDArray[np.float32]
    """Shape (n,), mono, full scale ±1."""
    sample_rate: int
    """Hz."""
    onsets: tuple[float, ...]
    """Seconds at which each word starts."""


class _Engine:
    """The only espeak-ng of the process: global state behind a C interface, hence the lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._speaking: str | None = None
        self._has_spoken = False
        try:
            import espeakng_loader

            data = Path(espeakng_loader.get_data_path())
            self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        except (ImportError, OSError) as error:
            raise ModelError(
                f"espeak-ng cannot be loaded ({error})",
                remedy="Install it again: pip install --force-reinstall espeakng-loader",
            ) from error
        self._library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(speak_lib.Voice))
        self._rate: int = self._library.espeak_Initialize(
            speak_lib.AUDIO_RETRIEVAL, 0, str(data).encode(), speak_lib.DO_NOT_EXIT
        )
        if self._rate <= 0:
            raise ModelError(
                f"espeak-ng finds no data at {data}",
                remedy="Install it again: pip install --force-reinstall espeakng-loader; "
                "if that path is longer than 150 characters, install under a shorter one",
            )
        self.voices = self._list_voices(data)

    def _list_voices(self, data: Path) -> dict[str, str]:
        """Map language tags to the identifiers of the voices whose dictionary is there."""
        found = self._library.espeak_ListVoices(None)
        voices: dict[str, str] = {}
        for voice in _entries(found):
            # One priority byte, then the tag.
            tag = ctypes.string_at(voice.languages + 1).decode().lower()
            language = {"nb": "no"}.get(tag, tag).partition("-")[0]
            # A voice without a dictionary not only reads badly: it corrupts memory.
            if (data / f"{language}_dict").exists():
                voices.setdefault(tag, voice.identifier.decode())
        return voices

    def transcribe(self, text: str, voice: str) -> str:
        with self._lock:
            self._speak_as(voice)
            remaining = ctypes.c_char_p(text.encode())
            clauses: list[str] = []
            while remaining.value:
                clause = self._library.espeak_TextToPhonemes(
                    ctypes.byref(remaining), speak_lib.UTF8, _MODE
                )
                clauses.append((clause or b"").decode(errors="replace"))
            return " ".join(clauses)

    def speak(self, text: str, voice: str) -> Speech:
        chunks: list[bytes] = []
        onsets: list[float] = []

        def receive(samples: Any, count: int, events: Any) -> int:
            for event in itertools.takewhile(lambda event: event.type, _each(events)):
                if event.type == speak_lib.WORD_EVENT:
                    onsets.append(event.sample / self._rate)
            if samples and count > 0:
                chunks.append(ctypes.string_at(samples, 2 * count))
            return 0

        callback = speak_lib.SynthCallback(receive)
        with self._lock:
            self._speak_as(voice)
            if not self._has_spoken:
                # After many transcriptions the first synthesis does not tell of its first word.
                self._synthesise("a", speak_lib.SynthCallback(lambda *_: 0))
                self._has_spoken = True
            self._synthesise(text, callback)
        samples = np.frombuffer(b"".join(chunks), "<i2").astype(np.float32) / np.float32(32768)
        return Speech(samples, self._rate, tuple(onsets))

    def _synthesise(self, text: str, callback: Any) -> None:
        self._library.espeak_SetSynthCallback(callback)
        data = text.encode()
        self._library.espeak_Synth(data, len(data) + 1, 0, 1, 0, speak_lib.UTF8, None, None)
        self._library.espeak_Synchronize()
        self._library.espeak_SetSynthCallback(speak_lib.SynthCallback())

    def _speak_as(self, voice: str) -> None:
        if voice == self._speaking:
            return
        if self._library.espeak_SetVoiceByName(self.voices[voice].encode()) != 0:
            raise ModelError(
                f"espeak-ng cannot load its voice {voice}",
                remedy="Install it again: pip install --force-reinstall espeakng-loader",
            )
        self._speaking = voice


def _each(events: Any) -> Iterator[Any]:
    """Yield the entries of a C array without an end; the caller stops in time."""
    return (events[i] for i in itertools.count())


def _entries(
    voices: ctypes._Pointer[ctypes._Pointer[speak_lib.Voice]],
) -> Iterator[speak_lib.Voice]:
    """Yield the entries of a C array of pointers, up to the null pointer that ends it."""
    for i in itertools.count():
        if not voices[i]:
            return
        yield voices[i].contents


_LOADING = threading.Lock()
_loaded: list[_Engine] = []


def _engine() -> _Engine:
    with _LOADING:
        if not _loaded:
            _loaded.append(_Engine())
        return _loaded[0]


@cache
def voices() -> frozenset[str]:
    """Return the tags of languages with a voice, in lower case: ``en-us``, ``fr-fr``, ``cmn`` …

    Raises
    ------
    ModelError
        espeak-ng or its data is not there.
    """
    return frozenset(_engine().voices)


def transcribe(text: str, voice: str) -> tuple[str, ...]:
    """Transcribe a text into phonemes, in IPA with espeak-ng's own marks.

    Parameters
    ----------
    text : str
        At most `LONGEST_TEXT` characters: a word, or a few for a number.
    voice : str
        One of `voices`.

    Returns
    -------
    tuple of str
        Phonemes, and marks like ``(en)`` where espeak-ng switches the language for a word, or names
        a character that the voice cannot read.

    Raises
    ------
    ModelError
        espeak-ng or its data is not there.
    """
    return tuple(_TOKEN.findall(_engine().transcribe(text[:LONGEST_TEXT], voice)))


def speak(text: str, voice: str) -> Speech:
    """Synthesise a text: audio with known words and times.

    The library has one state per process, which synthesis changes slightly: what it transcribes
    afterwards may differ.

    Raises
    ------
    ModelError
        espeak-ng or its data is not there.
    """
    return _engine().speak(text, voice)

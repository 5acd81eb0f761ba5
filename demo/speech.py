"""Words spoken by espeak-ng, one at a time, on one steady pitch, with the place of every phone.

The library and its data come in the wheel ``espeakng-loader``; it is loaded at run time.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import unicodedata
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import espeakng_loader
import numpy as np
from numpy.typing import NDArray

from lyricsyncd.align.lexicon import speak_lib

_SYNCHRONOUS = 2
_WITH_PHONES_IN_IPA_AND_NO_EXIT = 0x1 | 0x2 | 0x8000
_MNEMONICS = 0x100
"""Text in ``[[…]]`` is mnemonics of phonemes."""
_RATE, _PITCH, _RANGE = 1, 3, 4

_VOWELS = frozenset("aeiouyæøœɐɑɒɔəɚɛɜɝɪʊʌʏɨʉɯɤɵɘɞɶ")


@dataclass(frozen=True)
class Phone:
    """A sound of a word; ``start`` and ``end`` are samples of the word's audio."""

    ipa: str
    start: int
    end: int

    @property
    def vowel(self) -> bool:
        """Whether it can be held on a note."""
        return any(letter in _VOWELS for letter in unicodedata.normalize("NFD", self.ipa))


@dataclass(frozen=True)
class SpokenWord:
    """A word as espeak-ng says it.

    Attributes
    ----------
    audio : float32 array, shape (samples,)
        Mono, within ±1, at ``sample_rate`` Hz, from the first sound to the last.
    phones : tuple of Phone
        In order, without holes.
    closure : float
        Seconds of silence before the first sound: a plosive's closed lips, cut off ``audio``.
    """

    text: str
    audio: NDArray[np.float32]
    sample_rate: int
    phones: tuple[Phone, ...]
    closure: float


def speak(voice: str, words: Sequence[str]) -> list[SpokenWord]:
    """Each word said by espeak-ng on one steady pitch, trimmed to its sound.

    The library is loaded in a process of its own: it keeps one state a process, which every word
    before changes by a little, and which must not meet another user of the library. So the same
    words always come out as the same samples.

    Parameters
    ----------
    voice : str
        A voice of espeak-ng, such as ``"en-us"`` or ``"fr"``.
    words : sequence of str
        As they are written, or in ``[[…]]`` as the voice's mnemonics of phonemes.

    Raises
    ------
    RuntimeError
        If espeak-ng has no such voice, or makes no sound of a word.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(_speak_here, voice, tuple(words)).result()


def _speak_here(voice: str, words: tuple[str, ...]) -> list[SpokenWord]:
    speaker = _Speaker(voice)
    return [speaker.say(word) for word in words]


class _Speaker:
    """espeak-ng with one voice, whose pitch never moves; one a process."""

    def __init__(self, voice: str, *, words_per_minute: int = 140, pitch: int = 50) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self.sample_rate: int = self._library.espeak_Initialize(
            _SYNCHRONOUS,
            0,
            str(espeakng_loader.get_data_path()).encode(),
            _WITH_PHONES_IN_IPA_AND_NO_EXIT,
        )
        if self.sample_rate <= 0 or self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise RuntimeError(f"espeak-ng has no voice {voice!r}")
        for parameter, value in ((_RATE, words_per_minute), (_PITCH, pitch), (_RANGE, 0)):
            self._library.espeak_SetParameter(parameter, value, 0)
        self._chunks: list[bytes] = []
        self._events: list[tuple[int, str]] = []
        # Kept: the library holds only the pointer.
        self._callback = speak_lib.SynthCallback(self._receive)
        self._library.espeak_SetSynthCallback(self._callback)
        self.say("a")  # the first word after a change of voice starts late

    def _receive(self, samples: object, count: int, events: object) -> int:
        index = 0
        while events[index].type != 0:  # type: ignore[index]  # a ctypes pointer
            event = events[index]  # type: ignore[index]  # the same pointer
            if event.type == speak_lib.PHONE_EVENT:
                self._events.append((event.sample, event.id.string.decode("utf-8", "ignore")))
            index += 1
        if samples and count:
            self._chunks.append(ctypes.string_at(samples, 2 * count))  # type: ignore[arg-type]
        return 0

    def say(self, word: str) -> SpokenWord:
        self._chunks.clear()
        self._events.clear()
        text = word.encode()
        self._library.espeak_Synth(
            text, len(text) + 1, 0, 1, 0, speak_lib.UTF8 | _MNEMONICS, None, None
        )
        self._library.espeak_Synchronize()
        audio = np.frombuffer(b"".join(self._chunks), np.int16) / np.float32(32768)
        starts = [start for start, ipa in self._events if ipa]
        names = [ipa for _, ipa in self._events if ipa]
        loud = np.flatnonzero(np.abs(audio) > 1e-3)
        if not starts or not loud.size:
            raise RuntimeError(f"espeak-ng says nothing for {word!r}")
        pauses = [at for at, ipa in self._events if not ipa and at > starts[-1]]
        # A word begins and ends where it is audible: the closure before a first plosive is silent.
        first = max(starts[0], int(loud[0]))
        last = min(pauses[0] if pauses else audio.size, int(loud[-1]) + 1)
        edges = np.clip([*starts, last], first, last) - first
        edges[0] = 0
        phones = tuple(
            Phone(name, int(start), int(end))
            for name, start, end in zip(names, edges[:-1], edges[1:], strict=True)
        )
        closure = (first - starts[0]) / self.sample_rate
        return SpokenWord(word, audio[first:last], self.sample_rate, phones, closure)

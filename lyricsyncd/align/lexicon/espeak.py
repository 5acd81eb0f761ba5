"""Text → phonemes, by espeak-ng's own library.

The wheel ``espeakng-loader`` carries the library and its data for some 130 languages; this is the
thinnest layer over it: which voices there are, and what a voice makes of a text. The C interface
is documented in espeak-ng's ``speak_lib.h``.
"""

from __future__ import annotations

import ctypes
import itertools
import re
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from lyricsyncd.errors import ModelError

# Values of speak_lib.h.
_AUDIO_RETRIEVAL = 1  # hand audio to the caller: no sound device is opened
_DO_NOT_EXIT = 0x8000  # on errors return -1 instead of ending our process
_UTF8 = 1
_IPA = 0x02
_SEPARATOR = "|"
_MODE = _IPA | ord(_SEPARATOR) << 8

LONGEST_TEXT = 40
"""Characters `transcribe` takes at once: espeak-ng holds a word in a buffer of 160 bytes."""

_TOKEN = re.compile(r"\([^)]*\)|[^\s|()]+")


class _Voice(ctypes.Structure):
    """``espeak_VOICE``."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("reserved", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


class _Engine:
    """The one espeak-ng of this process: global state behind a C interface, hence the lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._speaking: str | None = None
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
        self._library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
        rate = self._library.espeak_Initialize(
            _AUDIO_RETRIEVAL, 0, str(data).encode(), _DO_NOT_EXIT
        )
        if rate <= 0:
            raise ModelError(
                f"espeak-ng finds no data at {data}",
                remedy="Install it again: pip install --force-reinstall espeakng-loader; "
                "if that path is longer than 150 characters, install under a shorter one",
            )
        self.voices = self._list_voices(data)

    def _list_voices(self, data: Path) -> dict[str, str]:
        """Language tag → voice identifier, of the voices whose dictionary is there."""
        found = self._library.espeak_ListVoices(None)
        voices: dict[str, str] = {}
        for voice in _walk(found):
            # One priority byte, then the tag.
            tag = ctypes.string_at(voice.languages + 1).decode().lower()
            language = {"nb": "no"}.get(tag, tag).partition("-")[0]
            # A voice without a dictionary does not just read badly: it corrupts memory.
            if (data / f"{language}_dict").exists():
                voices.setdefault(tag, voice.identifier.decode())
        return voices

    def transcribe(self, text: str, voice: str) -> str:
        with self._lock:
            self._speak_as(voice)
            rest = ctypes.c_char_p(text.encode())
            clauses: list[str] = []
            while rest.value:
                clause = self._library.espeak_TextToPhonemes(ctypes.byref(rest), _UTF8, _MODE)
                clauses.append((clause or b"").decode(errors="replace"))
            return " ".join(clauses)

    def _speak_as(self, voice: str) -> None:
        if voice == self._speaking:
            return
        if self._library.espeak_SetVoiceByName(self.voices[voice].encode()) != 0:
            raise ModelError(
                f"espeak-ng cannot load its voice {voice}",
                remedy="Install it again: pip install --force-reinstall espeakng-loader",
            )
        self._speaking = voice


def _walk(voices: ctypes._Pointer[ctypes._Pointer[_Voice]]) -> Iterator[_Voice]:
    """The entries of a C array of pointers, up to the null pointer that ends it."""
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
    """Tags of the languages that can be read, lower case: ``en-us``, ``fr-fr``, ``cmn`` …

    Raises
    ------
    ModelError
        espeak-ng or its data is not there.
    """
    return frozenset(_engine().voices)


def transcribe(text: str, voice: str) -> tuple[str, ...]:
    """The phonemes of a text, in IPA with espeak-ng's own marks.

    Parameters
    ----------
    text : str
        At most `LONGEST_TEXT` characters: a word, or a few for a number.
    voice : str
        One of `voices`.

    Returns
    -------
    tuple of str
        Phonemes, and marks like ``(en)`` where espeak-ng itself takes a word for another
        language's, or names a character that the voice cannot read.

    Raises
    ------
    ModelError
        espeak-ng or its data is not there.
    """
    return tuple(_TOKEN.findall(_engine().transcribe(text[:LONGEST_TEXT], voice)))

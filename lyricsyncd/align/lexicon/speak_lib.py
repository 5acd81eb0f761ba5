"""The structures of espeak-ng's C interface, as its ``speak_lib.h`` documents them."""

from __future__ import annotations

import ctypes

AUDIO_RETRIEVAL = 1  # hand audio to the caller: no sound device is opened
DO_NOT_EXIT = 0x8000  # on errors return -1 instead of ending our process
UTF8 = 1
IPA = 0x02

WORD_EVENT = 1
PHONE_EVENT = 7


class Voice(ctypes.Structure):
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


class EventId(ctypes.Union):
    """The union within ``espeak_EVENT``."""

    _fields_ = (
        ("number", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("string", ctypes.c_char * 8),
    )


class Event(ctypes.Structure):
    """``espeak_EVENT``."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", EventId),
    )


SynthCallback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(Event)
)
"""``t_espeak_callback``: takes samples, their number, and events up to one of type 0."""

"""espeak-ng, reached through its own library."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from lyricsyncd.align.lexicon import espeak


def test_a_word_becomes_phonemes() -> None:
    assert espeak.transcribe("bonjour", "fr-fr") == ("b", "ɔ̃", "ʒ", "ˈu", "ʁ")


def test_a_text_of_several_words_is_read_to_its_end() -> None:
    assert "".join(espeak.transcribe("one. two! three?", "en-us")) == "wˈʌntˈuːθɹˈiː"


def test_a_switch_of_language_is_marked() -> None:
    tokens = espeak.transcribe("Baby", "de")
    assert (tokens[0], tokens[-1]) == ("(en)", "(de)")


def test_nothing_to_read_gives_nothing() -> None:
    assert espeak.transcribe("", "en-us") == ()
    assert espeak.transcribe(" ", "en-us") == ()


def test_the_languages_of_the_worlds_songs_have_voices() -> None:
    wanted = (
        "en-us fr-fr es de it pt-br nl sv nb da fi pl cs ru uk tr el hu ro ca ja ko cmn ar he hi"
    )
    assert set(wanted.split()) <= espeak.voices()


def test_voices_without_a_dictionary_are_not_offered() -> None:
    assert "kaa" not in espeak.voices()


def test_threads_do_not_disturb_each_other() -> None:
    pairs = [("hello", "en-us"), ("schön", "de"), ("l'amour", "fr-fr"), ("любовь", "ru")] * 50
    expected = [espeak.transcribe(*pair) for pair in pairs]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda pair: espeak.transcribe(*pair), pairs)) == expected


def test_speech_has_the_place_of_each_word_after_many_transcriptions() -> None:
    program = """
from lyricsyncd.align.lexicon import espeak
for _ in range(40):
    for pair in [("hello", "en-us"), ("schön", "de"), ("l'amour", "fr-fr"), ("любовь", "ru")]:
        espeak.transcribe(*pair)
print(len(espeak.speak("how I wonder what you are", "en-us").onsets))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "6\n"


@pytest.mark.parametrize("where", ["absent", "x" * 100 + "/" + "y" * 100])
def test_data_that_cannot_be_reached_is_a_model_error_with_a_remedy(where: str) -> None:
    program = f"""
import espeakng_loader
espeakng_loader.get_data_path = lambda: "/nowhere/{where}"
from lyricsyncd.align.lexicon import pronounce
from lyricsyncd.errors import ModelError
try:
    pronounce([["hello"]], "en")
except ModelError as error:
    print(error)
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert "espeak-ng finds no data" in ended.stdout
    assert "pip install" in ended.stdout

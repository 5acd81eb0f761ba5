"""Names of songs and of their words in different Unicode forms: to a person they are the same."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from lyricsyncd.catalog.catalog import Catalog, Fingerprint, Priority, Request
from lyricsyncd.cli.songs import find_song
from lyricsyncd.config.schema import Config
from lyricsyncd.library.lookup import Lookup
from lyricsyncd.library.rules import Rules
from lyricsyncd.library.walk import walk
from lyricsyncd.lyrics.local import LocalSource
from lyricsyncd.model import Track
from lyricsyncd.unicode_forms import composed, forms

NAME = "Café ぎ"
DECOMPOSED = unicodedata.normalize("NFD", NAME)
COMPOSED = unicodedata.normalize("NFC", NAME)
BOTH_WAYS = pytest.mark.parametrize(
    ("song", "words"), [(DECOMPOSED, COMPOSED), (COMPOSED, DECOMPOSED)]
)


def test_a_name_of_plain_letters_has_one_form() -> None:
    assert forms("song.mp3") == ("song.mp3",)


def test_a_name_with_accents_has_its_own_form_first() -> None:
    assert forms(DECOMPOSED) == (DECOMPOSED, COMPOSED)
    assert forms(COMPOSED) == (COMPOSED, DECOMPOSED)


def test_a_name_that_is_no_text_stays_as_it_is() -> None:
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    assert forms(name) == (name,)


class TestWordsBesideASong:
    @BOTH_WAYS
    @pytest.mark.parametrize("suffix", [".txt", ".lrc", ".mp3.txt"])
    def test_are_found_in_another_form(
        self, tmp_path: Path, song: str, words: str, suffix: str
    ) -> None:
        path = tmp_path / f"{song}.mp3"
        path.write_bytes(b"")
        (tmp_path / f"{words}{suffix}").write_text("[00:01.00]Up above\n")
        found = LocalSource().find(Track(path))
        assert [candidate.lyrics.text for candidate in found] == ["Up above"]

    @BOTH_WAYS
    def test_are_those_of_the_song_in_a_scan(self, tmp_path: Path, song: str, words: str) -> None:
        (tmp_path / f"{song}.mp3").write_bytes(b"x")
        (tmp_path / f"{words}.txt").write_text("Up above\n")
        config = Config.model_validate({"libraries": [{"path": str(tmp_path)}]})
        (folder,) = walk(Rules.of(config.libraries[0]))
        assert list(folder.lyrics) == [composed(words)]


class TestASong:
    @pytest.fixture
    def catalog(self, tmp_path: Path) -> Catalog:
        return Catalog(tmp_path / "catalog.db")

    @BOTH_WAYS
    def test_is_known_by_another_form(
        self, catalog: Catalog, tmp_path: Path, song: str, words: str
    ) -> None:
        path = tmp_path / f"{song}.mp3"
        path.write_bytes(b"x")
        request = Request(path, Priority.IMPORT, "new", tmp_path, Fingerprint.of(path))
        catalog.enqueue_many([request])
        for named in (tmp_path / f"{words}.mp3", words, words.split()[0]):
            found = find_song(catalog, str(named))
            assert found is not None
            assert found.path == path

    @BOTH_WAYS
    def test_is_found_by_the_path_that_another_program_has(
        self, catalog: Catalog, tmp_path: Path, song: str, words: str
    ) -> None:
        path = tmp_path / f"{song}.mp3"
        path.write_bytes(b"x")
        config = Config.model_validate({"libraries": [{"path": str(tmp_path)}]})
        lookup = Lookup(catalog, [Rules.of(config.libraries[0])])
        assert lookup.place(str(tmp_path / f"{words}.mp3")).path == path
        assert lookup.place(f"{words}.mp3").path == path

"""Words as other programs leave them, read by the commands: all of them read a file alike."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from lyricsyncd import formats
from lyricsyncd.cli import cli
from lyricsyncd.model import ParallelKind
from tests.noise_songs import encode

FILES = Path(__file__).parent / "data" / "words"
LEGACY = {
    "gb2312": "[00:01.50]水开了我们喝茶\n[00:20.00]在那金色沙滩上\n",
    "shift_jis": "[00:01.50]さくら、さくら、会いたいよ\n[00:20.00]いやだ\n",
    "big5": "[00:01.50]水開了我們喝茶\n[00:20.00]在那金色沙灘上\n",
    "cp1251": "[00:01.50]Вода кипит, мы пьём чай\n[00:20.00]на золотом песке\n",
}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return encode(tmp_path_factory.mktemp("songs") / "song.mp3", 1).read_bytes()


@pytest.fixture
def song(original: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LYRICSYNCD_LYRICS__ORDER", "[local]")
    path = tmp_path / "music" / "song.mp3"
    path.parent.mkdir()
    path.write_bytes(original)
    return path


def run(*arguments: str | Path) -> str:
    done = CliRunner().invoke(cli, [str(each) for each in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def sung(text: str) -> list[str]:
    return [line.text for line in formats.read(text.encode(), "lrc") if line.words]


@pytest.mark.parametrize("encoding", LEGACY)
def test_a_legacy_encoding_is_read_alike(song: Path, tmp_path: Path, encoding: str) -> None:
    words = tmp_path / "words.lrc"
    words.write_bytes(LEGACY[encoding].encode(encoding))
    right = sung(LEGACY[encoding])
    assert sung(run("convert", words, "-", "--to", "lrc")) == right
    run("apply", words, song)
    assert sung(song.with_suffix(".lrc").read_text("utf-8")) == right
    song.with_suffix(".lrc").write_bytes(words.read_bytes())
    assert sung(run("lyrics", song)) == right


class TestTranslations:
    def test_are_typed_where_the_format_has_them(self) -> None:
        bilingual = FILES / "08-bilingual-same-stamp.lrc"
        lyrics = formats.read(run("convert", bilingual, "-", "--to", "ttml").encode(), "ttml")
        assert lyrics.lines[0].text == "Twinkle, twinkle, little star,"
        (beside,) = lyrics.lines[0].parallel
        assert (beside.kind, beside.language) == (ParallelKind.TRANSLATION, "es")

    def test_stay_lines_where_it_has_not(self) -> None:
        bilingual = FILES / "08-bilingual-same-stamp.lrc"
        for name in ("lrc", "srt"):
            assert "Brilla, brilla" in run("convert", bilingual, "-", "--to", name)

    def test_are_not_sung_in_what_is_applied(self, song: Path) -> None:
        run("apply", FILES / "08-bilingual-same-stamp.lrc", song)
        written = song.with_suffix(".lrc").read_text("utf-8")
        assert "Twinkle, twinkle, little star," in written
        assert "Brilla" not in written


@pytest.mark.parametrize(
    ("text", "what"),
    [("[au: instrumental]\n", "is an instrumental"), ("[ti:Kettle]\n[ar:A]\n", "holds no words")],
)
def test_that_there_is_nothing_to_apply_is_said(
    song: Path, tmp_path: Path, text: str, what: str
) -> None:
    words = tmp_path / "words.lrc"
    words.write_text(text)
    done = CliRunner().invoke(cli, ["apply", str(words), str(song)], catch_exceptions=False)
    assert done.exit_code == 0
    assert what in done.output
    assert not song.with_suffix(".lrc").exists()

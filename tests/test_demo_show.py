"""The show of `make demo`: what it sets up, what it draws, and that it fails when it should."""

from __future__ import annotations

import csv
import dataclasses
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from rich.console import Console

from demo import make_picture, run_demo
from demo.make_song import SONGS_DIR
from lyricsyncd.config.schema import Config
from lyricsyncd.model import Line, Lyrics, Word


@pytest.fixture
def truth() -> Lyrics:
    """The demo song with its true times."""
    with (SONGS_DIR / "The_Star.words.csv").open(encoding="utf-8") as file:
        times = iter([(float(r["word_start"]), float(r["word_end"])) for r in csv.DictReader(file)])
    lines = (SONGS_DIR / "The_Star.txt").read_text(encoding="utf-8").splitlines()
    return Lyrics(tuple(Line(tuple(Word(w, *next(times)) for w in x.split())) for x in lines))


def test_the_stage_is_a_valid_configuration_that_asks_nobody(tmp_path: Path) -> None:
    config = Config.model_validate(
        yaml.safe_load(run_demo.stage(tmp_path).read_text(encoding="utf-8"))
    )
    assert config.libraries[0].path == tmp_path / "library"
    assert config.lyrics.order == ("local",)


def test_a_new_show_begins_with_an_empty_library_but_keeps_the_models(tmp_path: Path) -> None:
    (tmp_path / "library" / "old").mkdir(parents=True)
    (tmp_path / "models").mkdir()
    run_demo.stage(tmp_path)
    assert not list((tmp_path / "library").iterdir())
    assert (tmp_path / "models").exists()


def test_a_users_settings_stay_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LYRICSYNCD_LYRICS__LRCLIB__URL", "https://example.org")
    monkeypatch.setenv("LYRICSYNCD_CONFIG", "/etc/mine.yaml")
    surroundings = run_demo.surroundings(tmp_path)
    assert "LYRICSYNCD_LYRICS__LRCLIB__URL" not in surroundings
    assert surroundings["LYRICSYNCD_CONFIG"] == str(tmp_path / "config.yaml")


def test_true_times_have_no_error(truth: Lyrics) -> None:
    assert run_demo.onset_errors(truth, "The_Star") == [0.0] * 44


def test_other_words_end_the_show(truth: Lyrics) -> None:
    with pytest.raises(run_demo.DemoError, match="not the words"):
        run_demo.onset_errors(truth.with_lines(truth.lines[1:]), "The_Star")
    with pytest.raises(run_demo.DemoError, match="not the words"):
        run_demo.onset_errors(truth.without_word_times(), "The_Star")


@pytest.fixture
def patient() -> Iterator[subprocess.Popen[bytes]]:
    """A process that does nothing for longer than any test."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        yield process
        process.kill()


def test_the_show_goes_on_when_the_words_are_there(
    tmp_path: Path, patient: subprocess.Popen[bytes]
) -> None:
    (tmp_path / "song.elrc").touch()
    assert run_demo.wait_for_words(tmp_path / "song.mp3", patient, 5, Console()) < 5


def test_line_times_alone_end_the_show(
    tmp_path: Path, patient: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_demo, "_LINES_ALONE_S", 0.3)
    (tmp_path / "song.lrc").touch()
    with pytest.raises(run_demo.DemoError, match="line times only"):
        run_demo.wait_for_words(tmp_path / "song.mp3", patient, 30, Console())


def test_no_words_end_the_show(tmp_path: Path, patient: subprocess.Popen[bytes]) -> None:
    with pytest.raises(run_demo.DemoError, match="No words"):
        run_demo.wait_for_words(tmp_path / "song.mp3", patient, 0.3, Console())


def test_a_service_that_dies_ends_the_show(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "raise SystemExit(7)"]) as process:
        process.wait()
        with pytest.raises(run_demo.DemoError, match="status 7"):
            run_demo.wait_for_words(tmp_path / "song.mp3", process, 5, Console())


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ({}, None),
        ({"state": "pending", "reason": None, "next_attempt_at": 1.0}, None),
        ({"state": "working", "reason": "no network"}, None),
        ({"state": "done", "reason": "as it should be"}, None),
        ({"state": "failed", "reason": "no audio"}, "The song is failed: no audio"),
        ({"state": "review", "reason": None}, "The song is review: no reason is given"),
        (
            {"state": "pending", "reason": "no network", "next_attempt_at": 1.0},
            "The song is pending: no network",
        ),
    ],
)
def test_a_song_that_is_given_up_ends_the_show(
    entry: dict[str, object],
    why: str | None,
    tmp_path: Path,
    patient: subprocess.Popen[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert run_demo.failure(entry) == why
    if why is not None:
        monkeypatch.setattr(run_demo, "_ASK_S", 0.0)
        song = tmp_path / "song.mp3"
        with pytest.raises(run_demo.DemoError, match=why):
            run_demo.wait_for_words(song, patient, 30, Console(), lambda: entry)


def test_a_configuration_that_is_wrong_ends_the_show_with_the_reason_in_the_log(
    tmp_path: Path,
) -> None:
    config = run_demo.stage(tmp_path)
    config.write_text("librarys: []\n")
    log = tmp_path / "daemon.log"
    with (
        pytest.raises(run_demo.DemoError, match="ended by itself with status 2"),
        run_demo.service(config, log) as process,
    ):
        run_demo.wait_for_words(tmp_path / "song.mp3", process, 60, Console())
    assert "librarys" in log.read_text()


@pytest.mark.slow
@pytest.mark.daemon
def test_a_song_that_cannot_be_decoded_ends_the_show_at_once_with_the_services_reason(
    tmp_path: Path,
) -> None:
    """A real service, and a song that is none: it must not wait for its time-out."""
    song = tmp_path / "library" / "song.mp3"
    with run_demo.service(run_demo.stage(tmp_path), tmp_path / "daemon.log") as process:
        song.with_suffix(".txt").write_text("row your boat\n")
        song.write_bytes(b"%PDF-1.7" + bytes(5000))
        with pytest.raises(run_demo.DemoError, match="not an audio file"):
            run_demo.wait_for_words(
                song, process, 60, Console(), lambda: run_demo.known(song, tmp_path)
            )


def test_every_word_stands_over_its_second(truth: Lyrics) -> None:
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(run_demo.karaoke(truth))
    rows = console.export_text().splitlines()
    assert "little" in rows[0]
    assert rows[1][rows[0].index("little") :].startswith(f"{truth.words[2].start:.2f}")


def test_the_picture_is_xml_with_every_word_and_its_moment(truth: Lyrics) -> None:
    odd = dataclasses.replace(
        truth.lines[0], words=(Word("<R&B>", 1.0, 2.0), *truth.lines[0].words[1:])
    )
    root = ElementTree.fromstring(make_picture.draw(truth.with_lines([odd]), '"a" & b'))
    svg = "{http://www.w3.org/2000/svg}"
    words = [text for text in root.iter(f"{svg}text") if text.get("class") == "w"]
    assert [text.text for text in words] == [word.text for word in odd.words]
    assert all(text.find(f"{svg}animate") is not None for text in words)


def test_lyrics_without_word_times_are_not_drawn() -> None:
    with pytest.raises(ValueError, match="no word"):
        make_picture.draw(Lyrics.from_text("la la"), "la")

"""``lyricsyncd sync``: what it writes, what it refuses, and what it leaves alone.

Real songs, the real pipeline, a real process each time. Where the placing of words is not the
point, the lyrics come with their times, and no model has to listen.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lyricsyncd import audio, formats
from lyricsyncd.cli import main
from tests.test_cli import complaint, run, surroundings

SONGS = Path(__file__).parent.parent / "demo" / "songs"
FULL = Path("/dev/full")
RATE = 16_000
TEXT = "Twinkle, twinkle, little star,\n"
TIMED = (
    "[00:05.28]<00:05.28>Twinkle, <00:06.19>twinkle, <00:07.09>little <00:08.12>star,<00:08.88>\n"
)
SETTINGS = {"LYRICSYNCD_MODELS__SEPARATOR": "none", "LYRICSYNCD_LYRICS__ORDER": "[local]"}


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    """The first line of the demo song: shape (n,), int16, at 16 kHz."""
    song = np.concatenate(list(audio.blocks(SONGS / "The_Star.mp3", RATE)))
    line: np.ndarray = (song[: 9 * RATE].mean(axis=1) * 32000).astype("<i2")
    return line


@pytest.fixture
def folder(tmp_path: Path, samples: np.ndarray) -> Path:
    """A music folder with one song in it; the home and the state lie elsewhere."""
    music = tmp_path / "music"
    music.mkdir()
    write_wave(music / "song.wav", samples)
    return music


def write_wave(path: Path, samples: np.ndarray) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())


def sync(
    folder: Path, *arguments: str | Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """``lyricsyncd sync`` within the folder, without a network."""
    home = folder.parent / "home"
    home.mkdir(exist_ok=True)
    return run("sync", *arguments, home=home, cwd=folder, **{**SETTINGS, **environment})


@pytest.fixture
def sync_here(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """``lyricsyncd sync`` as above, in this process, which has imported it already."""

    def run_it(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        monkeypatch.chdir(folder)
        monkeypatch.setattr(os, "environ", surroundings(folder.parent, **SETTINGS))
        with pytest.raises(SystemExit) as ended:
            main(["sync", *map(str, arguments)])
        said = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return subprocess.CompletedProcess(arguments, ended.value.code, said.out, said.err)

    return run_it


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def timed(folder: Path) -> Path:
    """Lyrics that have a time for every word."""
    path = folder.parent / "timed.elrc"
    path.write_text(TIMED)
    return path


# --- what it writes --------------------------------------------------------------------------


def test_words_are_placed_and_written_beside_the_song(folder: Path) -> None:
    (folder / "song.txt").write_text(TEXT)
    done = sync(folder, "song.wav", "--language", "en", "--report", "../report.json")
    assert done.returncode == 0, done.stderr
    assert (folder / "song.txt").read_text() == TEXT
    written = formats.read((folder / "song.elrc").read_bytes(), "lrc")
    assert written.text == TEXT.strip()
    starts = [word.start or 0.0 for word in written.words]
    assert np.abs(np.array(starts) - [5.28, 6.19, 7.09, 8.12]).max() < 0.3
    assert "<" not in (folder / "song.lrc").read_text()
    report = json.loads((folder.parent / "report.json").read_text())
    assert report["decision"] == "words"
    assert report["written"] == ["song.lrc", "song.elrc"]
    assert {"decode", "align", "judge"} <= set(report["stages"])
    name, quality, words, _seconds, decision, where = done.stdout.rstrip("\n").split("\t")
    assert (name, words, decision, where) == (
        "song.wav",
        "4 words",
        "words",
        "song.lrc, song.elrc",
    )
    assert float(quality) >= 0.7


def test_verbose_tells_the_source_the_language_and_the_seconds_of_each_stage(
    folder: Path,
) -> None:
    (folder / "song.txt").write_text(TEXT)
    done = sync(folder, "song.wav", "--language", "en", "-v")
    assert done.returncode == 0, done.stderr
    assert "words: sidecar song.txt, language: en" in done.stderr
    assert re.search(r"models: sphinx, stages: identify \d+\.\d s, .*align \d+\.\d s", done.stderr)
    assert "result: words" in done.stderr
    assert "words: sidecar" not in sync(folder, "song.wav").stderr


def test_a_doubtful_song_is_left_alone_with_status_4_and_a_report(folder: Path) -> None:
    (folder / "song.txt").write_text(TEXT)
    before = contents(folder)
    strict = {"LYRICSYNCD_QUALITY__WORDS": "1", "LYRICSYNCD_QUALITY__LINES": "1"}
    done = sync(folder, "song.wav", "--report", "../report.json", **strict)
    assert done.returncode == 4, done.stderr
    assert "Nothing is written. About" in done.stderr
    assert contents(folder) == before
    report = json.loads((folder.parent / "report.json").read_text())
    assert (report["decision"], report["written"]) == ("review", [])


class TestASongThatIsFitForLinesOnly:
    """No line reaches a mean confidence of 1."""

    def sync(self, folder: Path, *arguments: str) -> dict[str, object]:
        (folder / "song.txt").write_text(TEXT)
        report, strict = folder.parent / "report.json", {"LYRICSYNCD_QUALITY__WORDS": "1"}
        done = sync(folder, "song.wav", "--report", report, *arguments, **strict)
        assert done.returncode == 0, done.stderr
        found: dict[str, object] = json.loads(report.read_text())
        assert (found["decision"], found["lines"], found["words"]) == ("lines", 1, 4)
        return found

    @pytest.mark.parametrize("name", ["lrc", "ass", "ttml", "vtt", "lyricsfile"])
    def test_has_no_word_times_in_a_file_of_a_players_format(self, folder: Path, name: str) -> None:
        report = self.sync(folder, "--format", name, "-o", "out")
        assert (report["lines_with_words"], report["words_timed"]) == (0, 0)
        lyrics = formats.read((folder / "out").read_bytes(), name)
        assert [line.start is not None for line in lyrics] == [True]
        assert all(word.start is None for word in lyrics.words)

    @pytest.mark.parametrize("where", [("-o", "song.json"), ()])
    def test_has_every_word_and_its_confidence_in_json(
        self, folder: Path, where: tuple[str, ...]
    ) -> None:
        self.sync(folder, "--format", "json", *where)
        words = json.loads((folder / "song.json").read_text())
        assert [word["word"] for word in words] == TEXT.split()
        assert all(word["start"] is not None for word in words)
        assert all(0 < word["confidence"] <= 1 for word in words)

    @pytest.mark.parametrize("where", [("-o", "song.lrc"), ()])
    def test_has_every_word_time_for_a_person_who_wants_that(
        self, folder: Path, where: tuple[str, ...]
    ) -> None:
        report = self.sync(folder, "--format", "lrc", "--all-words", *where)
        assert (report["lines_with_words"], report["words_timed"]) == (1, 4)
        lyrics = formats.read((folder / "song.lrc").read_bytes(), "lrc")
        assert all(word.start is not None for word in lyrics.words)


def test_a_file_that_was_asked_for_is_written_where_there_is_some_doubt(folder: Path) -> None:
    (folder / "song.txt").write_text(TEXT)
    strict = {"LYRICSYNCD_QUALITY__WORDS": "1", "LYRICSYNCD_QUALITY__LINES": "1"}
    done = sync(folder, "song.wav", "-o", "out.json", **strict)
    assert done.returncode == 0
    assert "Doubtful. About" in done.stderr
    words = json.loads((folder / "out.json").read_text())
    assert [word["word"] for word in words] == TEXT.split()
    assert all(word["start"] is not None for word in words)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["-o", "out.lrc"], "lrc"),
        (["-o", "out.elrc"], "lrc"),
        (["-o", "out.SRT"], "srt"),
        (["-o", "out.ass"], "ass"),
        (["-o", "out.json"], "json"),
        (["-o", "out.ttml"], "ttml"),
        (["-o", "out.words"], "lrc"),
        (["-o", "out"], "lrc"),
        (["-o", "out.txt", "--format", "vtt"], "vtt"),
    ],
)
def test_the_named_file_has_the_format_asked_for_else_that_of_its_suffix(
    folder: Path, arguments: list[str], name: str
) -> None:
    before = contents(folder)
    done = sync(folder, "song.wav", "--lyrics", timed(folder), *arguments)
    assert done.returncode == 0, done.stderr
    after = contents(folder)
    assert set(after) == {*before, arguments[1]}
    lyrics = formats.read(TIMED.encode(), "lrc")
    assert formats.read(after[arguments[1]], name).words == formats.project(lyrics, name).words


def test_standard_output_has_the_lyrics_and_nothing_else(folder: Path) -> None:
    before = contents(folder)
    lyrics = timed(folder)
    lyrics.write_text("[00:01.000]<00:01.000>Ça <00:02.000>星<00:03.000>\n")
    done = sync(folder, "song.wav", "--lyrics", lyrics, "-o", "-", PYTHONIOENCODING="latin-1")
    assert done.returncode == 0, done.stderr
    assert "Ça" in done.stdout
    assert "星" in done.stdout
    assert formats.read(done.stdout.encode(), "lrc").text == "Ça 星"
    assert contents(folder) == before


def test_a_format_without_a_file_makes_a_sidecar_of_it(folder: Path) -> None:
    done = sync(folder, "song.wav", "--lyrics", timed(folder), "--format", "ass")
    assert done.returncode == 0, done.stderr
    assert (folder / "song.ass").exists()
    assert not (folder / "song.lrc").exists()


def test_the_configuration_says_what_is_written(folder: Path) -> None:
    config = folder.parent / "c.yaml"
    config.write_text("output: [{format: ttml}]\n")
    done = sync(folder, "song.wav", "--lyrics", timed(folder), "--config", config)
    assert done.returncode == 0, done.stderr
    assert set(contents(folder)) == {"song.wav", "song.ttml"}


def test_words_that_a_person_made_are_kept_and_reported_of(folder: Path) -> None:
    mine = "[00:01.00]These are mine\n"
    (folder / "song.lrc").write_text(mine)
    done = sync(folder, "song.wav", "--lyrics", timed(folder))
    assert done.returncode == 0
    assert (folder / "song.lrc").read_text() == mine
    assert "song.lrc" in done.stderr
    assert sync(folder, "song.wav", "--lyrics", timed(folder), "--force").returncode == 0
    assert (folder / "song.lrc").read_text() != mine


def test_a_dry_run_writes_nothing(folder: Path) -> None:
    before = contents(folder)
    arguments: list[str | Path] = ["song.wav", "--lyrics", timed(folder), "--dry-run"]
    done = sync(folder, *arguments)
    assert "would write song.lrc, song.elrc" in done.stdout
    reported = json.loads(sync(folder, *arguments, "--json", "--report", "report.json").stdout)
    assert (reported["written"], reported["would_write"]) == ([], ["song.lrc", "song.elrc"])
    assert sync(folder, *arguments, "-o", "out.lrc").returncode == 0
    assert contents(folder) == before


def test_a_link_to_the_output_stays_a_link(folder: Path) -> None:
    real = folder.parent / "real.lrc"
    (folder / "out.lrc").symlink_to(real)
    done = sync(folder, "song.wav", "--lyrics", timed(folder), "-o", "out.lrc")
    assert done.returncode == 0
    assert (folder / "out.lrc").is_symlink()
    assert formats.read(real.read_bytes(), "lrc").text == TEXT.strip()


def test_of_several_songs_the_gravest_status_is_reported(folder: Path, samples: np.ndarray) -> None:
    write_wave(folder / "other.wav", samples)
    (folder / "song.elrc").write_text(TIMED)
    (folder / "broken.wav").write_bytes(b"RIFF")
    songs = ["broken.wav", "other.wav", "song.wav"]
    done = sync(folder, *songs, "--report", "../report.json", "--json")
    assert done.returncode == 1
    assert [line for line in done.stderr.splitlines() if "broken.wav" in line]
    assert [line for line in done.stderr.splitlines() if "other" in line]
    report = json.loads((folder.parent / "report.json").read_text())
    assert report == json.loads(done.stdout)
    assert [song["song"]["path"] for song in report] == songs
    assert [song.get("error") for song in report] == ["AudioError", "LyricsNotFound", None]
    assert report[2]["decision"] == "words"
    assert set(report[2]) <= set(report[0])


# --- what it refuses -------------------------------------------------------------------------

WRONG_USAGE = {
    "-o and several songs": (["a.wav", "b.wav", "-o", "x"], "-o is for one song, and 2 are given."),
    "--lyrics and several songs": (["a.wav", "b.wav", "--lyrics", "x"], "--lyrics is for one song"),
    "no such format": (["song.wav", "--format", "lrx"], "no format 'lrx'. Did you mean 'lrc'?"),
    "no such lyrics": (["song.wav", "--lyrics", "no.txt"], "the lyrics file no.txt is not there"),
    "a folder of lyrics": (["song.wav", "--lyrics", "."], "the lyrics file . is not a file"),
    "no folder for the output": (["song.wav", "-o", "no/x.lrc"], "is not there. Make it first"),
    "no folder for the report": (["song.wav", "--report", "no/x"], "is not there. Make it first"),
    "a folder as output": (["song.wav", "-o", "."], "the output . is a folder"),
    "the song as output": (["song.wav", "-o", "song.wav"], "has the name of a song"),
    "the song as report": (["./s", "--report", "s"], "s would be overwritten"),
    "the lyrics as output": (["song.wav", "--lyrics", "s", "-o", "s"], "s would be overwritten"),
    "output and report alike": (["song.wav", "-o", "x", "--report", "x"], "name the same file"),
    "a language by name": (["song.wav", "--language", "English"], "--language: expected auto or"),
    "no such device": (["song.wav", "--device", "gpu"], "'gpu' is not a device"),
    "no such profile": (["song.wav", "--profile", "big"], "'big' is not a profile"),
    "no such configuration": (["song.wav", "--config", "no.yaml"], "there is no configuration no"),
    "two things on standard output": (["song.wav", "-o", "-", "--json"], "both want standard out"),
}


@pytest.mark.parametrize("case", WRONG_USAGE)
def test_wrong_usage_is_reported_before_any_work(
    folder: Path, sync_here: Callable[..., subprocess.CompletedProcess[str]], case: str
) -> None:
    arguments, said = WRONG_USAGE[case]
    (folder / "s").write_text(TEXT)
    before = contents(folder)
    done = sync_here(*arguments)
    assert said in complaint(done)
    assert done.returncode == 2
    assert contents(folder) == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("quality:\n  words: [\n", "line 3: "),
        ("quality:\n\twords: 1\n", "line 2: there is a tab"),
        ("qualty: {}\n", "line 1: there is no key 'qualty'. Did you mean 'quality'?"),
    ],
)
def test_a_wrong_configuration_is_reported_by_its_line(
    folder: Path,
    sync_here: Callable[..., subprocess.CompletedProcess[str]],
    text: str,
    said: str,
) -> None:
    config = folder / "c.yaml"
    config.write_text(text)
    before = contents(folder)
    done = sync_here("song.wav", "--config", config)
    assert said in complaint(done)
    assert done.returncode == 2
    assert contents(folder) == before


@pytest.mark.skipif(Path("/dev/nvidia0").exists(), reason="there may be a CUDA device")
@pytest.mark.parametrize("device", ["cuda", "cuda:63"])
def test_a_device_that_is_not_there_is_reported_before_any_work(folder: Path, device: str) -> None:
    (folder / "song.txt").write_text(TEXT)
    before = contents(folder)
    done = sync(folder, "song.wav", "--device", device)
    assert f"the device '{device}' is not there" in complaint(done)
    assert done.returncode == 1
    assert contents(folder) == before


# --- songs that cannot be done ---------------------------------------------------------------


def not_audio(path: Path) -> None:
    path.write_bytes(b"%PDF-1.7\n" + bytes(range(256)) * 20)


def truncated(path: Path) -> None:
    path.write_bytes((SONGS / "The_Star.mp3").read_bytes()[:100_000])


def empty(path: Path) -> None:
    path.touch()


def silent(path: Path) -> None:
    write_wave(path, np.zeros(10 * RATE, "<i2"))


def three_hours(path: Path) -> None:
    """Only the header takes room."""
    length = 3 * 3600 * 8000
    write_wave(path, np.zeros(0, "<i2"))
    header = bytearray(path.read_bytes())
    header[4:8] = (36 + length).to_bytes(4, "little")
    header[24:32] = (8000).to_bytes(4, "little") * 2
    header[32:36] = (1).to_bytes(2, "little") + (8).to_bytes(2, "little")
    header[40:44] = length.to_bytes(4, "little")
    path.write_bytes(header)
    os.truncate(path, len(header) + length)


def missing(path: Path) -> None:
    """Nothing."""


@pytest.mark.parametrize(
    ("make", "suffix"),
    [
        (not_audio, ".mp3"),
        (truncated, ".mp3"),
        (empty, ".flac"),
        (silent, ".wav"),
        (three_hours, ".wav"),
        (missing, ".mp3"),
    ],
)
def test_a_song_that_cannot_be_done_is_one_line(tmp_path: Path, make: object, suffix: str) -> None:
    music = tmp_path / "music"
    music.mkdir()
    song = music / f"song{suffix}"
    assert callable(make)
    make(song)
    (music / "words.txt").write_text(TEXT)
    before = sorted((path.name, path.lstat().st_mtime_ns) for path in music.iterdir())
    done = sync(music, song.name, "--lyrics", "words.txt", "--language", "en")
    assert song.name in complaint(done)
    assert done.returncode == 1
    assert before == sorted((path.name, path.lstat().st_mtime_ns) for path in music.iterdir())


def test_an_instrumental_is_done_with_nothing_to_write(folder: Path) -> None:
    (folder / "song.lrc").write_text("[au: instrumental]\n")
    before = contents(folder)
    done = sync(folder, "song.wav")
    assert done.returncode == 0, done.stderr
    assert "instrumental" in done.stdout + done.stderr
    assert contents(folder) == before


def test_no_lyrics_anywhere_is_status_3(folder: Path) -> None:
    before = contents(folder)
    done = sync(folder, "song.wav", "-o", "out.lrc")
    complaint(done)
    assert done.returncode == 3
    assert contents(folder) == before


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"", 3), (b"\n \n", 3), (bytes(range(256)) * 4, 1), (b"\x89PNG\r\n\x1a\n\0\0\0", 1)],
)
def test_lyrics_that_are_none_are_reported(folder: Path, content: bytes, status: int) -> None:
    (folder / "words.txt").write_bytes(content)
    before = contents(folder)
    done = sync(folder, "song.wav", "--lyrics", "words.txt")
    assert "words.txt" in complaint(done)
    assert done.returncode == status
    assert contents(folder) == before


@pytest.mark.parametrize("text", ["きらきら光る\nお空の星よ\n", "Мерцай, мерцай, звезда\n" * 4])
def test_words_in_another_language_than_the_song_end_in_a_judgement(
    folder: Path, text: str
) -> None:
    (folder / "words.txt").write_text(text)
    before = contents(folder)
    done = sync(folder, "song.wav", "--lyrics", "words.txt", "--json")
    assert done.returncode == 4, done.stderr
    assert json.loads(done.stdout)["decision"] in ("review", "none")
    assert contents(folder) == before


def locked_out(folder: Path, *arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """``lyricsyncd sync`` as a user for whom permissions hold: root without its powers, too."""
    command = [sys.executable, "-m", "lyricsyncd", "sync", *arguments]
    powerless = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    return subprocess.run(
        command if os.geteuid() else [*powerless, *command],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=surroundings(folder.parent / "home", **SETTINGS),
        check=False,
    )


@pytest.mark.skipif(
    os.geteuid() == 0 and shutil.which("setpriv") is None, reason="nothing is locked for root"
)
def test_a_locked_folder_is_reported(folder: Path) -> None:
    lyrics = timed(folder)
    before = contents(folder)
    folder.chmod(0o555)
    try:
        to_file = locked_out(folder, "song.wav", "--lyrics", lyrics, "-o", "out.lrc", cwd=folder)
        assert "the output out.lrc cannot be written. Check the permis" in complaint(to_file)
        assert to_file.returncode == 2
        beside = locked_out(folder, "song.wav", "--lyrics", lyrics, cwd=folder)
        assert "could not be written: permission denied" in complaint(beside)
        assert beside.returncode == 1
        folder.chmod(0o000)
        unreadable = locked_out(folder, folder / "song.wav", cwd=folder.parent)
        assert "Permission denied" in complaint(unreadable)
        assert unreadable.returncode == 1
    finally:
        folder.chmod(0o755)
    assert contents(folder) == before


def test_a_source_that_cannot_be_asked_is_reported_of_once(folder: Path) -> None:
    nobody = {
        "LYRICSYNCD_LYRICS__ORDER": "[lrclib]",
        "LYRICSYNCD_LYRICS__LRCLIB__URL": "http://127.0.0.1:9/",
    }
    done = sync(folder, "song.wav", "--artist", "A", "--title", "T", **nobody)
    assert done.returncode == 1
    assert "127.0.0.1:9 cannot be reached" in complaint(done)


@pytest.mark.skipif(not FULL.exists(), reason="the system has no /dev/full")
def test_a_full_disk_is_one_line(folder: Path) -> None:
    before = contents(folder)
    arguments: list[str | Path] = ["song.wav", "--lyrics", timed(folder)]
    done = sync(folder, *arguments, "-o", FULL)
    assert "/dev/full cannot be written: No space left on device" in complaint(done)
    assert done.returncode == 1
    with FULL.open("w") as full:
        to_stdout = subprocess.run(
            [sys.executable, "-m", "lyricsyncd", "sync", *arguments, "-o", "-"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder,
            env=surroundings(folder.parent / "home", **SETTINGS),
            check=False,
        )
    assert "standard output cannot be written" in complaint(to_stdout)
    assert contents(folder) == before

"""``lyricsyncd lyrics`` and ``publish``: real processes, against services on this machine."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import mutagen
import pytest

from lyricsyncd import formats
from lyricsyncd.errors import Refused, Unreachable
from lyricsyncd.http import Web
from lyricsyncd.lyrics.publish import Submission, publish, solve
from lyricsyncd.model import Line, Lyrics, Track, Word
from tests.local_services import Entry, Lrclib, Reply, Service, as_json, serving
from tests.test_cli import complaint, run

SONG = Path(__file__).parent.parent / "demo" / "songs" / "The_Star.mp3"
SYNCED = "[00:05.28]Twinkle, twinkle, little star,\n[00:09.00]How I wonder what you are.\n"
PLAIN = "Twinkle, twinkle, little star,\nHow I wonder what you are.\n"
ENTRY = Entry("The Star", "Jane Taylor", "Rhymes", 44.0, PLAIN, SYNCED)
LIVE = Entry("The Star (Live)", "Jane Taylor", "Rhymes", 44.0, PLAIN, SYNCED)


@pytest.fixture
def lrclib() -> Iterator[tuple[Lrclib, Service]]:
    answers = Lrclib([LIVE, ENTRY])
    with serving(answers) as service:
        yield answers, service


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "music" / "song.mp3"
    path.parent.mkdir()
    shutil.copyfile(SONG, path)
    file = mutagen.File(path, easy=True)
    file.update({"artist": "Jane Taylor", "title": "The Star", "album": "Rhymes"})
    file.save()
    return path


def command(
    service: Service, home: Path, *arguments: str | Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    settings = {
        "LYRICSYNCD_LYRICS__LRCLIB__URL": service.url,
        "LYRICSYNCD_LYRICS__ORDER": "[local, lrclib]",
        "LYRICSYNCD_MODELS__SEPARATOR": "none",
        **environment,
    }
    return run(*arguments, home=home, cwd=home, **settings)


class TestLyrics:
    def test_prints_the_words_and_why_they_were_chosen(
        self, song: Path, tmp_path: Path, lrclib: tuple[Lrclib, Service]
    ) -> None:
        done = command(lrclib[1], tmp_path, "lyrics", song)
        assert done.returncode == 0, done.stderr
        assert formats.read(done.stdout.encode(), "lrc").text == PLAIN.strip()
        assert done.stderr.startswith("chosen: lrclib 2: same title, artist, album; same length")
        assert list(song.parent.iterdir()) == [song]

    def test_by_name_alone(self, tmp_path: Path, lrclib: tuple[Lrclib, Service]) -> None:
        names = ("--artist", "Jane Taylor", "--title", "The Star", "--duration", "44")
        done = command(lrclib[1], tmp_path, "lyrics", *names, "--format", "txt")
        assert done.stdout == PLAIN

    def test_tells_all_as_json(
        self, song: Path, tmp_path: Path, lrclib: tuple[Lrclib, Service]
    ) -> None:
        done = command(lrclib[1], tmp_path, "lyrics", song, "--json")
        reported = json.loads(done.stdout)
        assert done.stderr == ""
        assert (reported["source"], reported["id"], reported["timing"]) == ("lrclib", "2", "line")
        assert reported["score"] >= 0.9
        assert reported["identified"]["by"] == "tags"
        assert reported["song"]["title"] == "The Star"
        assert (reported["lines"], reported["words"]) == (2, 10)
        assert formats.read(reported["lyrics"].encode(), "lrc").text == PLAIN.strip()

    def test_not_found_is_status_3_in_one_line_or_as_json(
        self, song: Path, tmp_path: Path, lrclib: tuple[Lrclib, Service]
    ) -> None:
        done = command(lrclib[1], tmp_path, "lyrics", song, "--title", "Nothing Like It")
        assert done.returncode == 3
        assert "No lyrics for Jane Taylor - Nothing Like It" in complaint(done)
        done = command(lrclib[1], tmp_path, "lyrics", song, "--title", "Nothing", "--json")
        assert done.returncode == 3
        assert json.loads(done.stdout)["source"] is None

    def test_a_dead_network_is_status_1(self, song: Path, tmp_path: Path) -> None:
        with serving(lambda _asked: Reply(500)) as service:
            done = command(service, tmp_path, "lyrics", song)
        assert done.returncode == 1
        assert "failed (HTTP" in done.stderr

    def test_an_instrumental_lyricsfile_on_request(self, song: Path, tmp_path: Path) -> None:
        entry = Entry("The Star", "Jane Taylor", "Rhymes", 44.0, instrumental=True)
        with serving(Lrclib([entry])) as service:
            done = command(service, tmp_path, "lyrics", song, "--format", "lyricsfile")
        assert done.returncode == 0, done.stderr
        read = formats.read(done.stdout.encode(), "lyricsfile")
        assert read.instrumental
        assert read.metadata["title"] == "The Star"

    def test_the_second_time_nobody_is_asked_but_on_request(
        self, song: Path, tmp_path: Path, lrclib: tuple[Lrclib, Service]
    ) -> None:
        for _ in range(2):
            command(lrclib[1], tmp_path, "lyrics", song)
        assert len(lrclib[1].asked) == 1
        command(lrclib[1], tmp_path, "lyrics", song, "--fresh")
        assert len(lrclib[1].asked) == 2

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ([], "Name a SONG, or its --artist and --title."),
            (["--title", "x"], "Name a SONG"),
            (["none.mp3"], "none.mp3 cannot be opened"),
            (["--artist", "a", "--title", "b", "--format", "lrx"], "no format is called 'lrx'"),
        ],
    )
    def test_wrong_usage_is_one_line(
        self, tmp_path: Path, lrclib: tuple[Lrclib, Service], arguments: list[str], said: str
    ) -> None:
        assert said in complaint(command(lrclib[1], tmp_path, "lyrics", *arguments))
        assert lrclib[1].asked == []


def timed_words() -> Lyrics:
    """The demo song's words at their true places."""
    import csv

    text = SONG.with_suffix(".txt").read_text(encoding="utf-8")
    with SONG.with_suffix(".words.csv").open(encoding="utf-8", newline="") as file:
        times = [(float(r["word_start"]), float(r["word_end"])) for r in csv.DictReader(file)]
    lines, at = [], 0
    for line in Lyrics.from_text(text):
        words = tuple(
            Word(word.text, *pair)
            for word, pair in zip(line.words, times[at : at + len(line.words)], strict=True)
        )
        at += len(words)
        lines.append(Line(words, words[0].start, words[-1].end))
    return Lyrics(tuple(lines), language="en")


class TestPublish:
    def test_is_off_by_default(
        self, song: Path, tmp_path: Path, lrclib: tuple[Lrclib, Service]
    ) -> None:
        done = command(lrclib[1], tmp_path, "publish", song, "--reviewed")
        assert "Publishing is switched off. Set lyrics.publish" in complaint(done)
        assert lrclib[1].asked == []

    def allowed(
        self, service: Service, home: Path, *arguments: str | Path
    ) -> subprocess.CompletedProcess[str]:
        allow = {"LYRICSYNCD_LYRICS__PUBLISH": "true"}
        return command(service, home, "publish", *arguments, **allow)

    def test_reviewed_words_that_fit_are_sent(
        self, song: Path, tmp_path: Path, lrclib: tuple[Lrclib, Service]
    ) -> None:
        elrc = song.with_suffix(".elrc")
        elrc.write_text(formats.write(timed_words(), "lrc"), encoding="utf-8")
        done = self.allowed(lrclib[1], tmp_path, song, "--reviewed", "--json")
        assert done.returncode == 0, done.stdout
        assert json.loads(done.stdout)["published"] is True
        (sent,) = lrclib[0].published
        assert (sent["trackName"], sent["artistName"], sent["albumName"]) == (
            "The Star",
            "Jane Taylor",
            "Rhymes",
        )
        assert sent["duration"] == 44
        assert "<" not in sent["syncedLyrics"]
        assert formats.read(sent["syncedLyrics"].encode(), "lrc").text == timed_words().text
        file = formats.read(sent["lyricsfile"].encode(), "lyricsfile")
        assert [w.start for w in file.words] == [w.start for w in timed_words().words]
        assert sent["plainLyrics"] == timed_words().text

    @pytest.mark.slow
    def test_times_of_another_recording_are_not(
        self, song: Path, tmp_path: Path, lrclib: tuple[Lrclib, Service]
    ) -> None:
        shifted = timed_words()
        late = shifted.with_lines(
            Line(tuple(Word(w.text, (w.start or 0) + 3, (w.end or 0) + 3) for w in line.words))
            for line in shifted
        )
        song.with_suffix(".elrc").write_text(formats.write(late, "lrc"), encoding="utf-8")
        done = self.allowed(lrclib[1], tmp_path, song, "--reviewed")
        assert done.returncode == 1
        assert "not where they are sung" in done.stdout
        assert lrclib[0].published == []

    @pytest.mark.slow
    def test_nor_what_nobody_reviewed_or_what_has_no_times(
        self, song: Path, tmp_path: Path, lrclib: tuple[Lrclib, Service]
    ) -> None:
        song.with_suffix(".elrc").write_text(formats.write(timed_words(), "lrc"))
        done = self.allowed(lrclib[1], tmp_path, song)
        assert "it has not been reviewed" in done.stdout
        assert done.returncode == 2
        song.with_suffix(".elrc").unlink()
        song.with_suffix(".txt").write_text(PLAIN)
        done = self.allowed(lrclib[1], tmp_path, song, "--reviewed")
        assert "has no word-timed lyrics" in done.stdout
        assert done.returncode == 3
        assert lrclib[1].asked == []

    @pytest.mark.slow
    def test_a_dry_run_shows_what_would_be_sent(
        self, song: Path, tmp_path: Path, lrclib: tuple[Lrclib, Service]
    ) -> None:
        elrc = song.with_suffix(".elrc")
        elrc.write_text(formats.write(timed_words(), "lrc"), encoding="utf-8")
        done = command(lrclib[1], tmp_path, "publish", song, "--dry-run", "--json")
        assert json.loads(done.stdout)["payload"]["trackName"] == "The Star"
        assert lrclib[1].asked == []


class TestProofOfWork:
    def test_the_nonce_is_the_first_that_is_small_enough(self) -> None:
        target = bytes.fromhex("00FF" + "F" * 60)
        nonce = solve("prefix", target)
        assert hashlib.sha256(f"prefix{nonce}".encode()).digest() <= target
        assert all(
            hashlib.sha256(f"prefix{number}".encode()).digest() > target for number in range(nonce)
        )

    def submission(self) -> Submission:
        track = Track(artist="A", artists=("A",), title="T", album="B", duration=44.0)
        return Submission.of(track, timed_words())

    def test_a_wrong_token_is_refused(self) -> None:
        answers = Lrclib([])
        answers.challenges = _Forgetful()
        with serving(answers) as service, pytest.raises(Refused):
            publish(self.submission(), service.url, Web(interval=0))

    @pytest.mark.parametrize(
        ("challenge", "error"),
        [
            ({}, Unreachable),
            ({"prefix": "p", "target": "zz"}, Unreachable),
            ({"prefix": 7, "target": "F" * 64}, Unreachable),
            ({"prefix": "p", "target": "0" * 64}, Refused),
            ([], Unreachable),
        ],
    )
    def test_a_challenge_that_is_none_is_not_tried(
        self, challenge: object, error: type[Exception]
    ) -> None:
        with serving(lambda _asked: as_json(challenge)) as service, pytest.raises(error):
            publish(self.submission(), service.url, Web(interval=0))
        assert len(service.asked) == 1


class _Forgetful(set[str]):
    def add(self, _item: str) -> None:
        pass

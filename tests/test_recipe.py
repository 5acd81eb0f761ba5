"""The lines of the well-known ``lyric_sync`` recipe, run as they stand but for the package's name.

Songs, models and processes are real; only the network is stood in for, by servers on this machine
that the environment names.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from lyricsyncd import formats
from lyricsyncd.errors import ConfigError, ModelError
from lyricsyncd.lyrics import fetch_lyrics
from lyricsyncd.model import SongIdentification, Track, Word
from lyricsyncd.models import install, installable
from lyricsyncd.refine import refine_timings
from lyricsyncd.separate import VocalSeparator
from lyricsyncd.transcribe import transcribe_vocals
from tests.local_services import Acoustid, Entry, Lrclib, serving
from tests.test_transcribe import whisper_base

__all__ = ["whisper_base"]

ROOT = Path(__file__).parent.parent
SONG = ROOT / "demo" / "songs" / "The_Star.mp3"
WORDS = SONG.with_suffix(".txt").read_text(encoding="utf-8")
PLAIN = WORDS.split()

STAGES = """
from lyricsyncd.separate import VocalSeparator
from lyricsyncd.transcribe import transcribe_vocals
from lyricsyncd.lyrics import fetch_lyrics
from lyricsyncd.align import align_words
from lyricsyncd.refine import refine_timings

separator = VocalSeparator(device="cuda")
vocals_16k, sr = separator.extract_vocals("song.mp3", target_sr=16000)
vocals_full, sr_full = separator.extract_vocals_full_rate("song.mp3")

transcript = transcribe_vocals(vocals_16k, sr=sr, backend="whisperx")
lyrics = fetch_lyrics(artist="Radiohead", title="Creep")
aligned_words, stats = align_words(asr_words=transcript.words, ref_words=lyrics.words)
refined_words = refine_timings(vocals_full, sr_full, aligned_words)
"""
PIPELINE = """
from lyricsyncd import LyricSyncPipeline

pipeline = LyricSyncPipeline(acoustid_key="YOUR_ACOUSTID_KEY", device="cuda")
result = pipeline.sync("song.mp3")
result = pipeline.sync("song.mp3", artist="Radiohead", title="Creep")

print(result.song)
print(result.quality_score)
print(result.to_lrc())
print(result.to_json())
print(result.to_srt())
print(result.to_ass())
"""
COMMANDS = {
    "lyric-sync song.mp3 --acoustid-key YOUR_KEY -v": "song.elrc",
    'lyric-sync song.mp3 --artist "Radiohead" --title "Creep" -o synced.lrc': "synced.lrc",
    'lyric-sync song.mp3 --artist "Queen" --title "Bohemian Rhapsody" --format json': "song.json",
    'lyric-sync song.mp3 --artist "Artist" --title "Song" --format ass -o karaoke.ass': (
        "karaoke.ass"
    ),
    'lyric-sync song.mp3 --device cpu --artist "Artist" --title "Song"': "song.elrc",
}
NAMES = (
    ("Radiohead", "Creep"),
    ("Queen", "Bohemian Rhapsody"),
    ("Artist", "Song"),
    ("The Sampled Choir", "The Star"),
)
HAS_CARD = "CUDAExecutionProvider" in onnxruntime.get_available_providers()


def for_this_machine(code: str) -> str:
    """The recipe's own alternatives where a card or WhisperX are not there."""
    if not HAS_CARD:
        code = code.replace('device="cuda"', 'device="cpu"')
    if importlib.util.find_spec("whisperx") is None:
        code = code.replace('backend="whisperx"', 'backend="faster-whisper"')
    return code


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    music = tmp_path / "music"
    music.mkdir()
    shutil.copy(SONG, music / "song.mp3")
    return music


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A home of its own, where LRCLIB and AcoustID are servers on this machine."""
    entries = [Entry(title, artist, duration=43.7, plain=WORDS) for artist, title in NAMES]
    with ExitStack() as stack:
        lrclib = stack.enter_context(serving(Lrclib(entries)))
        acoustid = stack.enter_context(serving(Acoustid([], key="YOUR_KEY")))
        yield {
            "HOME": str(tmp_path),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "PYTHONIOENCODING": "utf-8",
            "HF_HUB_OFFLINE": "1",
            "LYRICSYNCD_LYRICS__ORDER": "[local, lrclib]",
            "LYRICSYNCD_LYRICS__LRCLIB__URL": lrclib.url,
            "LYRICSYNCD_IDENTIFY__ACOUSTID_URL": acoustid.url,
            "LYRICSYNCD_MODELS__DIR": str(tmp_path / "models"),
        }


@pytest.fixture
def all_models(tmp_path: Path) -> None:
    """Put the models into their folder; they are fetched once for all runs."""
    cache = Path(os.environ.get("LYRICSYNCD_TEST_CACHE") or "~/.cache/lyricsyncd-tests")
    kept = cache.expanduser() / "models"
    (tmp_path / "models").mkdir()
    for model in installable.select(installable.LITE):
        install.install(model, kept)
        for path in installable.paths_of(model, kept):
            (tmp_path / "models" / path.name).symlink_to(path)


def run(
    command: list[str], folder: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.mark.slow
@pytest.mark.song
@pytest.mark.usefixtures("all_models")
class TestTheLines:
    def test_stage_by_stage(
        self, folder: Path, tmp_path: Path, environment: dict[str, str], whisper_base: Path
    ) -> None:
        pytest.importorskip("faster_whisper")
        (tmp_path / "models" / "faster-whisper-base").symlink_to(whisper_base)
        tell = """
import json
print(json.dumps({
    "shapes": [vocals_16k.ndim, sr, vocals_full.shape[1], sr_full],
    "seconds": [len(vocals_16k) / sr, len(vocals_full) / sr_full],
    "heard": len(transcript.words),
    "lyrics": [word.text for word in lyrics.words],
    "refined": [word.text for word in refined_words],
    "starts": [word.start for word in refined_words],
    "share": stats.heard,
}))
"""
        code = for_this_machine(STAGES) + tell
        reported = json.loads(run([sys.executable, "-c", code], folder, environment).stdout)
        assert reported["shapes"] == [1, 16_000, 2, 44_100]
        assert reported["seconds"] == pytest.approx([43.7, 43.7], abs=0.2)
        assert reported["heard"] >= 5
        assert reported["lyrics"] == reported["refined"] == PLAIN
        assert reported["share"] > 0.2
        assert reported["starts"] == sorted(reported["starts"])

    def test_in_one_go(self, folder: Path, environment: dict[str, str]) -> None:
        code = for_this_machine(PIPELINE)
        said = run([sys.executable, "-c", code], folder, environment).stdout
        song, score, rest = said.split("\n", 2)
        assert song == "SongIdentification(title='Creep', artist='Radiohead')"
        assert 0.7 <= float(score) <= 1.0
        for mark in ("[00:05.", '"word": "Twinkle,"', " --> ", "[Script Info]"):
            assert mark in rest

    @pytest.mark.parametrize("line", COMMANDS)
    def test_on_the_command_line(
        self, line: str, folder: Path, environment: dict[str, str]
    ) -> None:
        run(shlex.split(line), folder, environment)
        path = folder / COMMANDS[line]
        content = path.read_bytes()
        if path.suffix == ".json":
            rows = json.loads(content)
            assert [row["word"] for row in rows] == PLAIN
            assert set(rows[0]) == {"word", "start", "end", "confidence", "line"}
            return
        lyrics = formats.read(content, "ass" if path.suffix == ".ass" else "lrc")
        assert [word.text for word in lyrics.words] == PLAIN
        assert all(word.start is not None for word in lyrics.words)


class TestWhatTheLinesRestOn:
    @pytest.mark.parametrize("name", ["separate", "transcribe", "lyrics", "align", "refine"])
    def test_modules_keep_their_names_and_load_no_large_library(self, name: str) -> None:
        code = f"import lyricsyncd.{name}, sys; print(*sys.modules)"
        loaded = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
        ).stdout.split()
        heavy = {"torch", "onnxruntime", "transformers", "faster_whisper", "whisperx", "av"}
        assert not heavy & set(loaded)

    def test_the_readme_shows_them(self) -> None:
        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        shown = [line.partition("  # ")[0] for line in readme.splitlines()]
        for line in (STAGES + PIPELINE).splitlines():
            assert line in shown

    @pytest.mark.skipif(HAS_CARD, reason="there is a card")
    def test_a_card_that_is_not_there_is_one_clear_line(self) -> None:
        with pytest.raises(ModelError, match=r"'cuda' is not there: no CUDA.*the device cpu"):
            VocalSeparator(device="cuda")

    @pytest.mark.skipif(
        importlib.util.find_spec("whisperx") is not None, reason="WhisperX is installed"
    )
    def test_a_back_end_that_is_not_there_names_its_extra(self) -> None:
        silence = np.zeros(16_000, np.float32)
        with pytest.raises(ModelError, match=r"lyricsyncd\[whisperx\]"):
            transcribe_vocals(silence, sr=16000, backend="whisperx")

    def test_words_are_looked_up_where_the_users_settings_say(
        self, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        assert [word.text for word in fetch_lyrics("Radiohead", "Creep").words] == PLAIN

    def test_settings_that_are_wrong_are_not_passed_over(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "c.yaml").write_text("lyrics: {ordr: [local]}\n")
        monkeypatch.setenv("LYRICSYNCD_CONFIG", str(tmp_path / "c.yaml"))
        with pytest.raises(ConfigError, match="ordr"):
            fetch_lyrics(artist="Radiohead", title="Creep")

    def test_stereo_is_refined_as_its_mean(self) -> None:
        rng = np.random.default_rng(0)
        sound = np.zeros((3 * 16_000, 2), np.float32)
        sound[16_000:32_000] = rng.normal(0, 0.1, (16_000, 2))
        words = [Word("row", 1.03, 2.5)]
        refined = refine_timings(sound, 16_000, words)
        assert refined == refine_timings(sound.mean(axis=1), 16_000, words)
        assert refined[0].start == pytest.approx(1.0, abs=0.02)

    def test_channels_first_are_refused(self) -> None:
        with pytest.raises(ValueError, match=r"\(n, channels\)"):
            refine_timings(np.zeros((2, 16_000), np.float32), 16_000, [Word("row", 0.5)])

    def test_a_song_prints_as_its_names_and_knows_more(self) -> None:
        song = SongIdentification(Track(Path("a.mp3"), "Radiohead", title="Creep", duration=238.6))
        assert repr(song) == "SongIdentification(title='Creep', artist='Radiohead')"
        assert (song.path, song.duration, song.source) == (Path("a.mp3"), 238.6, "given")

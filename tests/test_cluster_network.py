"""Songs on computers of their own: namespaces with a network between them, one lost, one added."""

from __future__ import annotations

import pickle
from importlib.util import find_spec
from pathlib import Path

import pytest

from lyricsyncd.config.schema import Config
from lyricsyncd.model import Lyrics, SongIdentification, Track
from lyricsyncd.pipeline.prepared import Prepared
from lyricsyncd.pipeline.settings import placing_settings
from tests import namespaces
from tests.namespaces import SECRET, SONGS, Cluster, first_seconds, reaches

if find_spec("distributed") is None:  # to import it takes 2 s
    pytest.skip("distributed is not installed", allow_module_level=True)

WORDS = "Twinkle, twinkle, little star,\n"
COUNT = 8


def test_no_secret_and_no_source_of_lyrics_is_sent_with_a_song() -> None:
    config = Config.model_validate(
        {
            "web": {"token": SECRET},
            "lyrics": {"genius": {"token": SECRET}, "lrclib": {"url": "https://lyrics.example"}},
            "identify": {"acoustid_key": SECRET},
        }
    )
    song = Prepared(Path("a.mp3"), SongIdentification(Track()), Lyrics.from_text(WORDS))
    sent = pickle.dumps((placing_settings(config), song))
    assert SECRET.encode() not in sent
    assert b"lyrics.example" not in sent


@pytest.mark.slow
@pytest.mark.skipif(not namespaces.available(), reason="needs root and ip")
def test_of_a_library_none_is_lost_and_none_done_twice_while_computers_come_and_go(
    tmp_path: Path,
) -> None:
    with namespaces.computers(3) as network:
        cluster = Cluster(network, tmp_path, None)
        cluster.add_songs(
            COUNT, first_seconds(SONGS / "The_Star.mp3", 9, tmp_path / "a.wav"), WORDS
        )
        cluster.start_scheduler()
        first = cluster.start_worker(0)
        assert reaches(network[1], network[0].address, 8786)
        assert not reaches(network[1], "127.0.0.1", 8786), "it is a computer of its own"
        cluster.start_service()
        cluster.until(lambda: sum(cluster.times_done().values()) >= 1, "a song is done")
        cluster.start_worker(1)
        computer, process = first
        computer.end(process)
        cluster.until(lambda: len(cluster.times_done()) == COUNT, "all songs are done")
        cluster.stop_service()
        assert set(cluster.times_done().values()) == {1}
        assert len(list(cluster.music.glob("*.lrc"))) == COUNT
        assert SECRET not in cluster.said("worker 0") + cluster.said("worker 1")
        # What was looked up, and with what, stays with the service.
        assert not (tmp_path / "worker 0" / "state").exists()

"""What a song is: its tags, its file's name, and where both are doubted its sound."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import mutagen
import pytest

from lyricsyncd.config.schema import Config
from lyricsyncd.errors import AudioError, ModelError
from lyricsyncd.http import Web
from lyricsyncd.identify import acoustid, doubts, identify_song, parse_file_name, read_tags
from lyricsyncd.model import Track
from lyricsyncd.pipeline.pipeline import LyricSyncPipeline
from tests.local_services import Acoustid, Asked, Reply, as_html, as_json, recording, serving

SONG = Path(__file__).parent.parent / "demo" / "songs" / "The_Star.mp3"
STAR = recording("The Star", "Jane Taylor", "11111111-2222-3333-4444-555555555555", 44.0, "Rhymes")


def chromaprint() -> bool:
    try:
        acoustid.fingerprint(SONG)
    except ModelError:
        return False
    return True


needs_chromaprint = pytest.mark.skipif(
    not chromaprint(), reason="libchromaprint (Debian: libchromaprint-tools) is not installed"
)


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_DIRECTORY", str(tmp_path / "cache"))


def song(folder: Path, name: str, **tags: Any) -> Path:
    """The demo song under a name, with just these tags."""
    path = folder / name
    shutil.copyfile(SONG, path)
    file = mutagen.File(path, easy=True)
    file.delete()
    if file.tags is None:
        file.add_tags()
    for key, value in tags.items():
        file[key] = value
    file.save()
    return path


class TestTags:
    def test_all_that_they_tell(self, tmp_path: Path) -> None:
        path = song(
            tmp_path,
            "x.mp3",
            artist=["Nina Simone", "Someone"],
            title="Sinnerman (feat. Someone)",
            album="Pastel Blues",
            albumartist="Nina Simone",
            musicbrainz_trackid="11111111-2222-3333-4444-555555555555",
        )
        found = identify_song(path)
        assert (found.source, found.score) == ("tags", 1.0)
        track = found.track
        assert track.artists == ("Nina Simone", "Someone")
        assert track.album_artist == "Nina Simone"
        assert track.recording_id == "11111111-2222-3333-4444-555555555555"
        assert track.duration == pytest.approx(43.7, abs=0.2)

    def test_a_file_that_is_not_there_is_an_error_of_ours(self, tmp_path: Path) -> None:
        with pytest.raises(AudioError):
            identify_song(tmp_path / "none.mp3")


@pytest.mark.parametrize(
    ("stem", "artist", "title"),
    [
        ("Artist - Title", "Artist", "Title"),
        ("01 - Artist - Title", "Artist", "Title"),
        ("Artist - Album - 01 - Title", "Artist", "Title"),
        ("01. Title", None, "Title"),
        ("1-02 Title", None, "Title"),
        ("Artist_-_Title", "Artist", "Title"),
        ("Artist - Title (Official Video)", "Artist", "Title"),
        ("Artist - Title [dQw4w9WgXcQ]", "Artist", "Title"),
        ("99 Luftballons", None, "99 Luftballons"),
        ("AC-DC – T.N.T", "AC-DC", "T.N.T"),
    ],
)
def test_names_out_of_a_files_name(stem: str, artist: str | None, title: str) -> None:
    found = parse_file_name(stem)
    assert (found.artist, found.title) == (artist, title)


def track(artist: str | None, title: str | None, name: str = "01 x.mp3", **more: Any) -> Track:
    return Track(path=Path(name), artist=artist, title=title, **more)


class TestDoubts:
    @pytest.mark.parametrize(
        ("artist", "title"),
        [
            ("Nina Simone", "Sinnerman"),
            ("Prince", "1999"),
            ("Blur", "Song for Someone"),
            ("Various Cruelties", "Neon Truth"),
            ("The Unknowns", "Titles"),
            ("方大同", "三人游"),
        ],
    )
    def test_names_are_believed(self, artist: str, title: str) -> None:
        assert doubts.about(track(artist, title)) is None

    @pytest.mark.parametrize(
        ("artist", "title"),
        [
            (None, "Sinnerman"),
            ("Nina Simone", None),
            ("Unknown Artist", "Sinnerman"),
            ("Various Artists", "Sinnerman"),
            ("<unknown>".strip("<>"), "Sinnerman"),
            ("Nina Simone", "Track 01"),
            ("Nina Simone", "Piste 7"),
            ("Nina Simone", "untitled"),
            ("www.freemusic.com", "Sinnerman"),
        ],
    )
    def test_what_says_nothing_is_not(self, artist: str | None, title: str | None) -> None:
        assert doubts.about(track(artist, title)) is not None

    def test_a_files_name_can_contradict(self) -> None:
        reported = doubts.about(track("Rihanna", "Umbrella", "Nina Simone - Sinnerman.mp3"))
        assert reported is not None
        assert "another song" in reported

    @pytest.mark.parametrize(
        "name", ["Simone, Nina - Sinner Man.mp3", "Sinnerman - Nina Simone.mp3", "x - y.mp3"][:2]
    )
    def test_or_spell_it_otherwise(self, name: str) -> None:
        assert doubts.about(track("Nina Simone", "Sinnerman", name)) is None

    def test_who_was_identified_already_is_believed(self) -> None:
        id = "11111111-2222-3333-4444-555555555555"
        named = track("Rihanna", "Umbrella", "Nina Simone - Sinnerman.mp3", recording_id=id)
        assert doubts.about(named) is None


@needs_chromaprint
class TestBySound:
    def test_a_song_without_names_gets_them(self, tmp_path: Path) -> None:
        path = song(tmp_path, "Track 01.mp3")
        known = Acoustid([{"id": "x", "score": 0.97, "recordings": [STAR]}])
        with serving(known) as service:
            found = identify_song(path, "right", acoustid_url=service.url)
            again = identify_song(path, "right", acoustid_url=service.url)
        assert found == again
        assert len(service.asked) == 1, "the second time the cache knows"
        assert (found.source, found.artist, found.title) == ("acoustid", "Jane Taylor", "The Star")
        assert found.track.album == "Rhymes"
        assert found.track.recording_id == STAR["id"]
        assert not found.track.from_file_name
        assert service.asked[0].path == "/lookup"

    def test_whose_names_are_believed_is_not_asked_about(self, tmp_path: Path) -> None:
        path = song(tmp_path, "x.mp3", artist="Nina Simone", title="Sinnerman")
        with serving(Acoustid([])) as service:
            assert identify_song(path, "right", acoustid_url=service.url).source == "tags"
        assert service.asked == []

    def test_nothing_is_asked_without_a_key(self, tmp_path: Path) -> None:
        found = identify_song(song(tmp_path, "Nina Simone - Sinnerman.mp3"))
        assert (found.source, found.title) == ("file name", "Sinnerman")

    def test_a_poor_match_is_none(self, tmp_path: Path) -> None:
        known = Acoustid([{"id": "x", "score": 0.5, "recordings": [STAR]}, {"id": "y", "score": 1}])
        with serving(known) as service:
            found = identify_song(song(tmp_path, "t.mp3"), "right", acoustid_url=service.url)
        assert found.source == "file name"
        assert "does not know" in found.why

    def test_among_many_the_length_and_own_names_decide(self, tmp_path: Path) -> None:
        path = song(tmp_path, "Track 01.mp3", title="The Star", artist="Unknown Artist")
        others = [
            recording("The Star (Live)", "Jane Taylor", "a" * 8, 300.0),
            recording("Nursery Medley", "Various", "b" * 8, 44.0),
            STAR,
        ]
        known = Acoustid([{"id": "x", "score": 0.96, "recordings": others}])
        with serving(known) as service:
            found = identify_song(path, "right", acoustid_url=service.url)
        assert found.title == "The Star"

    @pytest.mark.parametrize(
        ("reply", "said"),
        [
            (as_json({"status": "error", "error": {"code": 4, "message": "x"}}, 400), "key"),
            (as_json({"status": "error", "error": {"code": 5, "message": "x"}}), "cannot be read"),
            (as_html("<html>log in</html>"), "not JSON"),
            (Reply(503), "HTTP 503"),
            (as_json([1]), "something else"),
            (as_json({"status": "ok", "results": [{"score": 1, "recordings": [{}]}]}), "read"),
        ],
        ids=["key", "internal", "login page", "down", "list", "half"],
    )
    def test_a_bad_day_costs_a_warning_and_not_the_song(
        self, tmp_path: Path, reply: Reply, said: str
    ) -> None:
        path = song(tmp_path, "Nina Simone - Sinnerman.mp3")
        with serving(lambda _asked: reply) as service:
            found = identify_song(path, "right", acoustid_url=service.url)
        assert found.title == "Sinnerman"
        assert len(found.warnings) == 1
        assert said in found.warnings[0]

    def test_the_program_and_the_library_recognise_the_same(self) -> None:
        if shutil.which("fpcalc") is None:
            pytest.skip("fpcalc is not installed")
        by_library = acoustid.fingerprint(SONG).code
        by_program = acoustid.by_fpcalc(SONG)
        assert by_library[:40] == by_program[:40]

    def test_a_process_of_its_own_recognises_the_same(self, tmp_path: Path) -> None:
        assert acoustid.fingerprint_apart(SONG) == acoustid.fingerprint(SONG)
        (tmp_path / "noise.mp3").write_bytes(b"no song" * 1000)
        with pytest.raises(AudioError, match=r"noise\.mp3"):
            acoustid.fingerprint_apart(tmp_path / "noise.mp3")

    def test_only_the_fingerprint_leaves_the_api(self) -> None:
        def answer(asked: Asked) -> Reply:
            assert len(asked.body) < 4000
            assert b"Star" not in asked.body
            return as_json({"status": "ok", "results": []})

        with serving(answer) as service:
            web = Web(interval=0.0)
            sound = acoustid.fingerprint(SONG)
            assert acoustid.Acoustid("right", service.url, web).recordings(sound) == []

    def test_the_pipeline_takes_the_key(self, tmp_path: Path) -> None:
        path = song(tmp_path, "Track 01.mp3")
        (tmp_path / "Track 01.txt").write_text("Twinkle twinkle\n")
        known = Acoustid([{"id": "x", "score": 0.97, "recordings": [STAR]}])
        with serving(known) as service:
            config = Config.model_validate(
                {"lyrics": {"order": ["local"]}, "identify": {"acoustid_url": service.url}}
            )
            prepared = LyricSyncPipeline(acoustid_key="right", config=config).find(path)
        assert prepared.track.name == "Jane Taylor - The Star"


class TestWithoutTheTools:
    def test_one_line_says_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "acoustid", None)
        with pytest.raises(ModelError, match="lyricsyncd\\[identify\\]") as caught:
            acoustid.fingerprint(SONG)
        assert "\n" not in str(caught.value)

    def test_the_names_that_there_are_are_kept(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def missing(_path: Path) -> acoustid.Fingerprint:
            raise ModelError("no tools", remedy="Install them")

        monkeypatch.setattr(acoustid, "fingerprint_apart", missing)
        found = identify_song(song(tmp_path, "Nina Simone - Sinnerman.mp3"), "key")
        assert found.title == "Sinnerman"
        assert found.warnings == ("no tools. Install them",)

    def test_neither_library_nor_program(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        library = pytest.importorskip("acoustid")
        monkeypatch.setattr(library, "have_chromaprint", False)
        monkeypatch.setenv("FPCALC", str(tmp_path / "nowhere"))
        with pytest.raises(ModelError, match="neither libchromaprint nor fpcalc"):
            acoustid.fingerprint(SONG)


def test_tags_can_be_read_alone() -> None:
    assert read_tags(SONG).title

"""Among sources and candidates: which words are chosen, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lyricsyncd.config.schema import Config
from lyricsyncd.errors import LyricsNotFound, Refused, SourceError, Unreachable
from lyricsyncd.lyrics import choice, choose, fetch_lyrics, find_lyrics
from lyricsyncd.lyrics.base import Candidate
from lyricsyncd.model import Line, Lyrics, Timing, Track, Word
from tests.local_services import Entry, Lrclib, serving

SONG = Track(artist="A", artists=("A",), title="T", duration=100.0)


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_DIRECTORY", str(tmp_path / "cache"))
    monkeypatch.setattr(choice, "_failing", set())


@dataclass
class Fixed:
    """A source that has just this."""

    candidates: list[Candidate] = field(default_factory=list)
    error: SourceError | None = None
    name: str = "fixed"
    idle: str | None = None
    asked: int = 0

    def find(self, track: Track) -> list[Candidate]:  # noqa: ARG002
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.candidates


def candidate(text: str, score: float, timing: Timing = Timing.NONE, **more: Any) -> Candidate:
    def line(row: str) -> Line:
        words = row.split()
        if timing is Timing.WORD:
            return Line(tuple(Word(word, 1.0) for word in words), 1.0)
        return Line.from_text(row, 1.0 if timing is Timing.LINE else None)

    words = Lyrics(tuple(line(row) for row in text.splitlines()))
    return Candidate(words, more.pop("source", "fixed"), text[:5], score, "because", **more)


class TestOneSource:
    def test_the_surest_match_is_taken(self) -> None:
        found = choose(SONG, [Fixed([candidate("maybe", 0.8), candidate("surely", 0.95)])])
        assert found.lyrics.text == "surely"
        assert found.why[0].startswith("chosen: fixed surel: because")
        assert any("not taken" in why for why in found.why)

    def test_among_sure_ones_the_finest_times_decide(self) -> None:
        plain, timed = candidate("plain", 1.0), candidate("timed", 0.92, Timing.WORD)
        assert choose(SONG, [Fixed([plain, timed])]).lyrics.text == "timed"

    def test_fine_times_do_not_make_up_for_a_doubtful_match(self) -> None:
        plain, timed = candidate("plain", 0.95), candidate("timed", 0.8, Timing.WORD)
        assert choose(SONG, [Fixed([plain, timed])]).lyrics.text == "plain"

    def test_what_is_merely_similar_is_refused(self) -> None:
        with pytest.raises(LyricsNotFound, match="not taken"):
            choose(SONG, [Fixed([candidate("another song", 0.7)])])

    def test_words_beat_a_claim_that_there_are_none(self) -> None:
        silent = Candidate(Lyrics(instrumental=True), "fixed", "1", 1.0, "flag")
        assert choose(SONG, [Fixed([silent, candidate("sung", 0.8)])]).lyrics.text == "sung"
        assert choose(SONG, [Fixed([silent])]).lyrics.instrumental

    def test_the_runners_up_are_kept_for_the_sound_to_decide(self) -> None:
        same = candidate("One, two!", 0.97, Timing.LINE)
        found = choose(
            SONG,
            [Fixed([candidate("one two", 0.99), same, candidate("three", 0.9)])],
        )
        assert found.lyrics.text == "One, two!"
        assert [other.text for other in found.others] == ["three"]

    def test_but_not_for_a_persons_own_words(self) -> None:
        own = [candidate("mine", 1.0, source="sidecar"), candidate("old", 1.0, source="tag")]
        assert choose(SONG, [Fixed(own)]).others == ()


class TestSeveralSources:
    def test_the_first_with_words_is_the_last_one_asked(self) -> None:
        first, second = Fixed([candidate("first", 0.8)]), Fixed([candidate("second", 1.0)])
        assert choose(SONG, [first, second]).lyrics.text == "first"
        assert second.asked == 0

    @pytest.mark.parametrize("error", [Unreachable("no network"), Refused("no"), SourceError("?")])
    def test_one_that_breaks_costs_a_warning_and_never_the_song(self, error: SourceError) -> None:
        found = choose(SONG, [Fixed(error=error), Fixed([candidate("second", 1.0)])])
        assert found.lyrics.text == "second"
        assert found.warnings == (error.message,)

    def test_the_log_has_one_line_for_it_until_it_answers_again(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("INFO")
        broken = Fixed(error=Unreachable("away"))
        working = Fixed([candidate("words", 1.0)], name="other")
        for _ in range(3):
            choose(SONG, [broken, working])
        assert caplog.text.count("fixed: away") == 1
        broken.error = None
        choose(SONG, [broken, working])
        broken.error = Unreachable("away")
        choose(SONG, [broken, working])
        assert caplog.text.count("fixed: away") == 2

    def test_words_of_our_own_are_the_last_resort(self) -> None:
        ours = Fixed([candidate("ours", 1.0, ours=True)])
        assert choose(SONG, [ours, Fixed([candidate("theirs", 0.8)])]).lyrics.text == "theirs"
        alone = choose(SONG, [ours, Fixed()])
        assert alone.lyrics.text == "ours"
        assert alone.ours

    def test_not_found_is_said_only_where_everybody_was_asked(self) -> None:
        with pytest.raises(LyricsNotFound):
            choose(SONG, [Fixed(), Fixed()])
        with pytest.raises(Unreachable):
            choose(SONG, [Fixed(), Fixed(error=Unreachable("away"))])

    def test_what_time_mends_is_said_before_what_it_does_not(self) -> None:
        sources = [Fixed(error=Refused("bad key")), Fixed(error=Unreachable("away"))]
        with pytest.raises(Unreachable):
            choose(SONG, sources)

    def test_why_a_source_is_not_asked_is_reported(self) -> None:
        with pytest.raises(LyricsNotFound, match="it needs a token"):
            choose(SONG, [Fixed(idle="it needs a token")])


class TestByName:
    def test_words_come_without_a_file(self) -> None:
        entry = Entry("Sinnerman", "Nina Simone", "Pastel Blues", 622, "Oh, sinnerman\n")
        with serving(Lrclib([entry])) as service:
            config = Config.model_validate(
                {"lyrics": {"order": ["lrclib"], "lrclib": {"url": service.url}}}
            )
            words = fetch_lyrics(artist="Nina Simone", title="Sinnerman", config=config).words
            assert [word.text for word in words] == ["Oh,", "sinnerman"]
            asked = len(service.asked)
            fetch_lyrics(artist="Nina Simone", title="Sinnerman", config=config)
        assert len(service.asked) == asked, "the second time the cache knows"

    def test_words_that_are_given_are_taken(self, tmp_path: Path) -> None:
        (tmp_path / "w.txt").write_text("given words\n")
        found = find_lyrics(SONG, Config(), given=tmp_path / "w.txt")
        assert (found.lyrics.text, found.score) == ("given words", 1.0)

    def test_with_local_alone_nobody_is_asked(self) -> None:
        with serving(Lrclib([])) as service:
            config = Config.model_validate(
                {"lyrics": {"order": ["local"], "lrclib": {"url": service.url}}}
            )
            with pytest.raises(LyricsNotFound):
                fetch_lyrics(artist="A", title="T", config=config)
        assert service.asked == []

    def test_a_token_that_is_not_there_costs_no_song(self, tmp_path: Path) -> None:
        (tmp_path / "song.txt").write_text("words\n")
        genius = {"token": {"file": str(tmp_path / "none")}}
        config = Config.model_validate({"lyrics": {"order": ["genius", "local"], "genius": genius}})
        track = Track(path=tmp_path / "song.mp3", artist="A", title="T")
        assert find_lyrics(track, config).lyrics.text == "words"

    def test_a_source_of_another_package_that_is_broken_costs_none_either(
        self, tmp_path: Path, plugin: Callable[..., None]
    ) -> None:
        plugin("lyricsyncd.sources", theirs="no.such:thing")
        config = Config.model_validate({"lyrics": {"order": ["theirs", "local"]}})
        (tmp_path / "song.txt").write_text("words\n")
        assert find_lyrics(Track(path=tmp_path / "song.mp3"), config).lyrics.text == "words"

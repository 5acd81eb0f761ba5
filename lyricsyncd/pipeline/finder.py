"""Find which song a file is, and its words: by its tags, the files beside it, and sources.

Light, and may run for many songs at once. Loads no model and decodes no audio, except for a
fingerprint where the tags do not name a song.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.errors import LyricsNotFound
from lyricsyncd.lyrics import TRANSCRIPT, Found
from lyricsyncd.model import Lyrics, SongIdentification, Track
from lyricsyncd.pipeline.model_set import may_recognise, may_separate, recogniser_of
from lyricsyncd.pipeline.prepared import Prepared, Recognised, Stages, Stopwatch, VoiceChecked
from lyricsyncd.pipeline.settings import placing_settings

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config
    from lyricsyncd.identify.kinds import Unsung
    from lyricsyncd.lyrics.transcript import Recognition, RecognitionCache
    from lyricsyncd.pipeline.settings import ModelSettings


class Finder:
    """Identify songs and find their words, as the configuration has it.

    Parameters
    ----------
    acoustid_key : str, optional
        For songs whose tags do not name them; by default the configuration's.
    models : ModelSettings, optional
        Which recogniser songs without words may be given to; by default the configuration's.
    """

    def __init__(
        self,
        config: Config,
        acoustid_key: str | None = None,
        models: ModelSettings | None = None,
    ) -> None:
        self.config = config
        self.acoustid_key = acoustid_key or config.identify.acoustid_key
        self._models = models or placing_settings(config).models

    def with_config(self, config: Config) -> Finder:
        """Return the same finder with other settings, those of a part of a library say."""
        return self if config is self.config else Finder(config, self.acoustid_key, self._models)

    def find(
        self,
        path: str | Path,
        *,
        artist: str | None = None,
        title: str | None = None,
        album: str | None = None,
        lyrics: Lyrics | Path | str | None = None,
        language: str | None = None,
    ) -> Prepared:
        """Identify a song and find its words.

        Parameters
        ----------
        artist, title, album : str, optional
            Over those of the tags. A song named by both of the first needs no fingerprint.
        lyrics : Lyrics, Path or str, optional
            The words, where they are known: a file, or the text itself.
        language : str, optional
            ISO 639-1; detected from the words otherwise.

        Raises
        ------
        AudioError
            The file is not there, or no audio.
        LyricsNotFound
            No source has the words.
        SourceError
            A source that may have them could not be asked, and no other has them.
        NotASong
            It is a podcast, an audiobook or the like.
        """
        from lyricsyncd import identify
        from lyricsyncd.identify.kinds import unsung
        from lyricsyncd.lyrics import find_lyrics, find_own

        path, watch = Path(path), Stopwatch()
        with watch.stage("identify"):
            named = artist is not None and title is not None
            identified = identify.identify_song(
                path,
                None if named or lyrics is not None else self.acoustid_key,
                acoustid_url=self.config.identify.acoustid_url,
            )
            track = dataclasses.replace(
                identified.track,
                artist=artist or identified.track.artist,
                artists=(artist,) if artist else identified.track.artists,
                title=title or identified.track.title,
                album=album or identified.track.album,
            )
            song = (
                SongIdentification(track, why="named by the caller", warnings=identified.warnings)
                if named
                else dataclasses.replace(identified, track=track)
            )
        # What a person names is a song.
        wordless = None if named or lyrics is not None else unsung(track)
        recognise = False
        with watch.stage("lyrics"):
            given = _given(lyrics, track)
            if given is not None:
                found = Found(given, given.source, given.source_id, 1.0)
            elif wordless is not None:
                found = find_own(track, self.config, wordless)
            else:
                try:
                    found = find_lyrics(track, self.config)
                except LyricsNotFound:
                    if not self._may_recognise:
                        raise
                    found, recognise = Found(Lyrics(), "", None, 0.0), True
        prepared = self._prepared(path, song, found, wordless, watch.stages, language)
        if given is not None:
            return dataclasses.replace(prepared, given=True, voice_check=False)
        return self._to_be_recognised(prepared) if recognise else prepared

    def find_offline(self, path: str | Path) -> Prepared | None:
        """Find words without the network; ``None`` where they must be looked up.

        Names that are doubted are left as they are: a song whose words are there needs none.
        """
        from lyricsyncd import identify
        from lyricsyncd.identify.kinds import unsung
        from lyricsyncd.lyrics import all_offline, find_offline, find_own

        if all_offline(self.config) and self.acoustid_key is None:
            return self.find(path)
        watch = Stopwatch()
        with watch.stage("identify"):
            song = identify.identify_song(Path(path))
        wordless = unsung(song.track)
        with watch.stage("lyrics"):
            if wordless is not None:
                found: Found | None = find_own(song.track, self.config, wordless)
            else:
                found = find_offline(song.track, self.config)
        if found is None:
            return None
        return self._prepared(Path(path), song, found, wordless, watch.stages)

    def more_words(self, prepared: Prepared, stages: Stages) -> Prepared:
        """Ask the sources after the one that brought a song's words for others.

        Parameters
        ----------
        stages : mapping
            Seconds of what placing has done so far.
        """
        from lyricsyncd.lyrics import later

        watch = Stopwatch()
        with watch.stage("lyrics"):
            more = later(prepared.track, self.config, prepared.lyrics)
        return dataclasses.replace(
            prepared.after(stages).after(watch.stages),
            others=(*prepared.others, *more),
            all_found=True,
        )

    def without_words(self, prepared: Prepared) -> Prepared:
        """Give up words of another version of a song, which are not what is sung in this one.

        Raises
        ------
        LyricsNotFound
            Nothing can be recognised either.
        """
        if not self._may_recognise:
            raise LyricsNotFound(
                f"No lyrics for {prepared.track.name}: there are only those of another version, and"
                " they are not what is sung",
                remedy="Put them beside the song as a .txt",
            )
        return self._to_be_recognised(
            dataclasses.replace(prepared, lyrics=Lyrics(), others=(), other_version=False)
        )

    def of_instrumental(self, prepared: Prepared, checked: VoiceChecked) -> Prepared:
        """Ask other sources for the words of a song that is marked as an instrumental, if there is
        singing in it; where none has any, the mark counts."""
        from lyricsyncd.lyrics import sung_after_all

        prepared = dataclasses.replace(prepared.after(checked.stages), voice_check=False)
        if not checked.sung:
            return prepared
        watch = Stopwatch()
        with watch.stage("lyrics"):
            found = sung_after_all(prepared.track, self.config, prepared.lyrics.source)
        if found is None:
            warning = "it is marked as an instrumental, and no source has words for what is sung"
            return dataclasses.replace(
                prepared.after(watch.stages), warnings=(*prepared.warnings, warning)
            )
        return dataclasses.replace(
            prepared.after(watch.stages),
            lyrics=found.lyrics,
            others=found.others,
            language=prepared.language or found.lyrics.language or None,
            warnings=(*prepared.warnings, "it is marked as an instrumental, but it is sung"),
            wordless="",
        )

    def from_recognised(self, prepared: Prepared, recognised: Recognised) -> Prepared:
        """Look for a song's words by what a recogniser made of it, and keep that for later.

        Raises
        ------
        LyricsNotFound
            No source has them, and nothing was recognised.
        SourceError
            No source could be asked.
        """
        from lyricsyncd.lyrics.transcript import Recognition, credible

        recognition = Recognition(credible(recognised.words), recognised.sung)
        self._cache.put(prepared.path, self._recogniser, recognition)
        return self._from_recognition(prepared.after(recognised.stages), recognition)

    def _to_be_recognised(self, prepared: Prepared) -> Prepared:
        prepared = dataclasses.replace(prepared, recognise=True)
        cached = self._cache.get(prepared.path, self._recogniser)
        return prepared if cached is None else self._from_recognition(prepared, cached)

    def _from_recognition(self, prepared: Prepared, recognition: Recognition) -> Prepared:
        from lyricsyncd.lyrics import transcript

        prepared = dataclasses.replace(prepared, recognise=False)
        if not recognition.is_sung:
            lyrics = Lyrics(instrumental=True, source="vocal activity")
            return dataclasses.replace(prepared, lyrics=lyrics)
        track, words, watch = prepared.track, recognition.words, Stopwatch()
        with watch.stage("lyrics"):
            found = transcript.search(track, words, self.config) if words else None
        if found is None and not words:
            raise LyricsNotFound(
                f"No lyrics for {track.name}: no source has them, and nothing was recognised",
                remedy="Put them beside the song as a .txt, or correct its tags",
            )
        lyrics = transcript.as_lyrics(words) if found is None else found.lyrics
        return dataclasses.replace(
            prepared.after(watch.stages),
            lyrics=lyrics,
            language=prepared.language or lyrics.language,
            transcript=words,
            transcript_alone=found is None,
            all_found=True,
        )

    def _prepared(
        self,
        path: Path,
        song: SongIdentification,
        found: Found,
        wordless: Unsung | None,
        stages: Stages,
        language: str | None = None,
    ) -> Prepared:
        configured = None if self.config.language == "auto" else self.config.language
        why = wordless.reason if wordless is not None and found.lyrics.instrumental else ""
        return Prepared(
            path,
            song,
            found.lyrics,
            language or configured or found.lyrics.language or None,
            (*song.warnings, *found.warnings),
            stages,
            others=found.others,
            voice_check=found.lyrics.instrumental and self._may_doubt(found.lyrics),
            other_version=found.other_version,
            wordless=why,
        )

    def _may_doubt(self, mark: Lyrics) -> bool:
        """Return whether the vocals can be separated, and other sources asked after the one that
        calls a song an instrumental."""
        from lyricsyncd.lyrics import others_than

        return bool(others_than(self.config, mark.source)) and may_separate(self._models)

    @property
    def _may_recognise(self) -> bool:
        """Return whether songs without words are to be decoded: `transcript` is among the sources,
        and words, or at least a voice, can be recognised."""
        return TRANSCRIPT in self.config.lyrics.order and may_recognise(self._models)

    @property
    def _recogniser(self) -> str:
        return recogniser_of(self._models) or "none"

    @property
    def _cache(self) -> RecognitionCache:
        from lyricsyncd.http import response_cache
        from lyricsyncd.lyrics.transcript import RecognitionCache

        return RecognitionCache(response_cache.shared())


def _given(lyrics: Lyrics | Path | str | None, track: Track) -> Lyrics | None:
    """Return what is sung of a file or a text that the caller brings; `Lyrics` as they are.

    Raises
    ------
    LyricsNotFound
        The file holds nothing that is sung.
    """
    from lyricsyncd.lyrics import files
    from lyricsyncd.lyrics.sung import from_plain, sung_part

    if lyrics is None or isinstance(lyrics, Lyrics):
        return lyrics
    if isinstance(lyrics, str):
        if "\n" in lyrics or len(lyrics) >= 1024 or not Path(lyrics).is_file():
            sung = dataclasses.replace(from_plain(lyrics, track), source="given")
            is_none = not sung.words and not sung.instrumental
            return Lyrics.from_text(lyrics, source="given") if is_none else sung
        lyrics = Path(lyrics)
    sung = sung_part(files.load(lyrics, blanks=True), track)
    if not sung.words and not sung.instrumental:
        raise LyricsNotFound(
            f"{lyrics} holds nothing that is sung", remedy="Put the lyrics into it"
        )
    return sung

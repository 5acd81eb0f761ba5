"""Open the models that songs can be placed without: the absence of one is one warning."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from lyricsyncd.errors import ModelError

if TYPE_CHECKING:
    from lyricsyncd.align.second_aligner import SecondAligner
    from lyricsyncd.pipeline.model_set import ModelSet
    from lyricsyncd.transcribe import Transcriber

log = logging.getLogger(__name__)

T = TypeVar("T")


class OptionalModels:
    """Hold the recogniser and the second aligners, where there are any.

    Parameters
    ----------
    models : ModelSet
        Opens them, and fails where they cannot be had.
    """

    def __init__(self, models: ModelSet) -> None:
        self._models = models
        self._second_aligners: dict[str, SecondAligner | None] = {}

    def recogniser(self) -> Transcriber | None:
        """Return the recogniser, where there is one."""
        return _optional("a recogniser", self._models.recogniser)

    def second_aligner(self, language: str) -> SecondAligner | None:
        """Return the second aligner for a language, where there is one."""
        if language not in self._second_aligners:
            self._second_aligners[language] = _optional(
                "a second aligner", lambda: self._models.second_aligner(language)
            )
        return self._second_aligners[language]

    def by_second_aligner(
        self, language: str, question: Callable[[SecondAligner], T | None]
    ) -> T | None:
        """Return an answer of the second aligner; one that fails is left out from then on."""
        aligner = self.second_aligner(language)
        if aligner is None:
            return None
        try:
            return question(aligner)
        except ModelError as error:
            _warn_without("a second aligner", error)
            self._second_aligners[language] = None
            return None


def _optional(what: str, open_: Callable[[], T | None]) -> T | None:
    try:
        return open_()
    except ModelError as error:
        _warn_without(what, error)
        return None


def _warn_without(what: str, error: ModelError) -> None:
    log.warning("words are placed without %s: %s", what, error)

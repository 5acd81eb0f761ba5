"""The registry: names of back ends, built in and of other packages, under one policy."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from lyricsyncd import formats, registry
from lyricsyncd.config.schema import Config
from lyricsyncd.errors import ModelError, UsageError
from lyricsyncd.registry import ModelContext, Registry

KINDS: tuple[Registry[Any], ...] = registry.ALL


class TestBuiltIn:
    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
    def test_every_entry_names_what_is_there(self, kind: Registry[Any]) -> None:
        for entry in kind.entries().values():
            if not entry.missing():
                assert callable(entry.load())

    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
    def test_every_entry_says_what_it_does(self, kind: Registry[Any]) -> None:
        for entry in kind.entries().values():
            assert entry.summary
            assert bool(entry.modules) == bool(entry.extra)

    def test_what_is_not_installed_names_the_extra_that_brings_it(self) -> None:
        if importlib.util.find_spec("torch") is not None:
            pytest.skip("torch is installed here")
        with pytest.raises(ModelError, match=r"lyricsyncd\[granite\]"):
            registry.recognisers.open("granite", ModelContext())


class TestChecking:
    def test_a_known_name_passes(self) -> None:
        registry.aligners.check("sphinx")
        registry.aligners.check("auto")

    def test_a_misspelt_name_is_refused_with_the_nearest(self) -> None:
        with pytest.raises(UsageError, match="Did you mean 'sphinx'"):
            registry.aligners.check("sphynx")

    @pytest.mark.parametrize(
        "settings",
        [
            {"models": {"aligner": "sphynx"}},
            {"models": {"aligner": "sphinx+qwen"}},
            {"models": {"separator": "spletter"}},
            {"models": {"transcriber": "wisper"}},
            {"lyrics": {"order": ["lrclb"]}},
            {"output": [{"format": "lrcc"}]},
            {"output": {"preset": "navidrom"}},
            {"notify": {"by": ["aprise"]}},
        ],
        ids=str,
    )
    def test_the_configuration_refuses_it_when_it_is_read(self, settings: dict[str, Any]) -> None:
        with pytest.raises(ValidationError, match="expected one of"):
            Config.model_validate(settings)

    @pytest.mark.parametrize("aligner", ["auto", "sphinx", "sphinx+ctc", "sphinx+qwen3"])
    def test_one_or_two_aligners_may_be_named(self, aligner: str) -> None:
        assert Config.model_validate({"models": {"aligner": aligner}}).models.aligner == aligner


class TestPlugins:
    def test_one_of_another_package_is_known_and_opened(self, plugin: Callable[..., None]) -> None:
        plugin("lyricsyncd.separators", acme="builtins:repr")
        assert "acme" in registry.separators.names()
        assert Config.model_validate({"models": {"separator": "acme"}}).models.separator == "acme"
        opened: object = registry.separators.open("acme", ModelContext("cpu"))
        assert "cpu" in str(opened)

    def test_a_built_in_name_wins(
        self, plugin: Callable[..., None], caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.WARNING):
            plugin("lyricsyncd.transcribers", granite="builtins:repr")
            assert not registry.recognisers.entry("granite").origin
        assert "left out" in caplog.text

    @pytest.mark.parametrize("target", ["no.such:thing", "math:nothing", "math:sqrt"])
    def test_a_broken_one_is_one_error_with_the_package_to_blame(
        self, plugin: Callable[..., None], target: str
    ) -> None:
        plugin("lyricsyncd.aligners", acme=target)
        registry.aligners.check("acme")
        with pytest.raises(ModelError, match="package theirs") as caught:
            registry.aligners.open("acme", ModelContext())
        assert caught.value.remedy

    def test_a_broken_format_is_left_out_of_all_others(self, plugin: Callable[..., None]) -> None:
        plugin("lyricsyncd.formats", acme="no.such:thing")
        assert "acme" not in formats.names()
        assert "lrc" in formats.names()

"""The doctor: what it finds wrong on purpose, and that each trouble has its remedy."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from lyricsyncd import doctor
from lyricsyncd.catalog import checks as catalog
from lyricsyncd.catalog.catalog import FILE_NAME, Catalog
from lyricsyncd.config.schema import Config
from lyricsyncd.errors import AudioError, ModelError, NotFetched
from lyricsyncd.findings import Finding, Verdict
from lyricsyncd.library import checks as library
from lyricsyncd.lyrics import checks as lyrics
from lyricsyncd.models import checks as models
from lyricsyncd.models import install, installable
from lyricsyncd.self_test import KINDS, TRIALS
from lyricsyncd.web import checks as web
from lyricsyncd.work import checks as work
from lyricsyncd.work.policy import writes_sidecars
from tests.test_cli import run


def config(**values: object) -> Config:
    return Config.model_validate(values)


def beside(wants: Config) -> Iterator[Finding]:
    return library.libraries(wants, sidecars=writes_sidecars(wants))


def worst(findings: list[Finding]) -> Finding:
    order = [Verdict.OK, Verdict.WARNING, Verdict.FAILED]
    return max(findings, key=lambda finding: order.index(finding.verdict))


@pytest.mark.slow
def test_a_api_in_order_is_well_and_reported_to_programs(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "a.mp3").write_bytes(b"x")
    run("init", "--library", tmp_path / "music", home=tmp_path)
    done = run("doctor", "--offline", "--json", home=tmp_path, LYRICSYNCD_WEB__LISTEN="null")
    reported = json.loads(done.stdout)
    assert reported["well"]
    topics = {finding["topic"] for finding in reported["findings"]}
    assert topics >= {"versions", "library", "inotify", "catalog", "disk", "models", *TRIALS}
    for finding in reported["findings"]:
        assert bool(finding["remedy"]) == (finding["verdict"] != "ok"), finding
    assert not (tmp_path / ".local").exists()


@pytest.mark.slow
def test_a_api_without_its_music_is_not(tmp_path: Path) -> None:
    run("init", "--library", tmp_path, home=tmp_path)
    done = run("doctor", "--offline", home=tmp_path, LYRICSYNCD_LIBRARIES='[{"path": "/none"}]')
    assert done.returncode == 1
    assert "FAILED library: /none is not there" in done.stdout
    assert "→ Check the path" in done.stdout


def test_a_folder_that_takes_no_lyrics_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.mp3").write_bytes(b"x")
    # Root may write anywhere, whatever the mode says.
    monkeypatch.setattr(os, "access", lambda _path, mode: not mode & os.W_OK)
    wants = {"libraries": [{"path": str(tmp_path)}]}
    assert "cannot be written" in worst(list(beside(config(**wants)))).text
    embedded = config(**wants, output={"preset": "embed"})
    assert worst(list(beside(embedded))).verdict is Verdict.OK


def test_a_limit_of_watches_that_is_too_low_is_reported_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = tmp_path / "proc/sys/fs/inotify"
    limits.mkdir(parents=True)
    (limits / "max_user_watches").write_text("3\n")
    (limits / "max_user_instances").write_text("128\n")
    monkeypatch.setattr(library, "PROC", tmp_path / "proc")
    music = tmp_path / "music"
    for number in range(4):
        (music / str(number)).mkdir(parents=True)
    found = worst(list(library.watches(config(libraries=[{"path": str(music)}]))))
    assert found.verdict is Verdict.WARNING
    assert "sysctl fs.inotify.max_user_watches=" in found.remedy


def test_a_broken_catalog_is_reported(tmp_path: Path) -> None:
    Catalog(tmp_path / FILE_NAME).close()
    assert worst(list(catalog.state(tmp_path, in_use=False))).verdict is Verdict.OK
    with (tmp_path / FILE_NAME).open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096)
    assert "is broken" in worst(list(catalog.state(tmp_path, in_use=False))).text


def test_settings_for_which_no_song_is_taken_up_are_red_while_the_service_runs(
    tmp_path: Path,
) -> None:
    assert list(catalog.settings(tmp_path, in_use=True)) == []
    with Catalog(tmp_path / FILE_NAME) as opened:
        assert list(catalog.settings(tmp_path, in_use=True)) == []
        opened.note_settings_error("there is no aligner 'sphynx'")
        (red,) = catalog.settings(tmp_path, in_use=True)
    assert (red.topic, red.verdict) == ("settings", Verdict.FAILED)
    assert "sphynx" in red.text
    assert "reload" in red.remedy
    (amber,) = catalog.settings(tmp_path, in_use=False)
    assert amber.verdict is Verdict.WARNING
    (tmp_path / FILE_NAME).write_bytes(b"no catalog at all")
    assert list(catalog.settings(tmp_path, in_use=True)) == []


def test_a_taken_port_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        wants = config(web={"listen": f"127.0.0.1:{port}"})
        assert worst(list(web.control(wants, in_use=False))).verdict is Verdict.FAILED


def test_a_host_that_is_down_is_reported_and_one_that_is_up() -> None:
    with socket.socket() as up:
        up.bind(("127.0.0.1", 0))
        up.listen()
        url = f"http://127.0.0.1:{up.getsockname()[1]}"
        wants = config(lyrics={"order": ["lrclib"], "lrclib": {"url": url}})
        assert worst(list(lyrics.hosts(wants))).verdict is Verdict.OK
    assert worst(list(lyrics.hosts(wants))).verdict is Verdict.WARNING


def test_the_hosts_of_all_sources_are_tried() -> None:
    def taking() -> socket.socket:
        return stack.enter_context(socket.create_server(("127.0.0.1", 0)))

    with contextlib.ExitStack() as stack:
        lrclib, acoustid = (f"http://127.0.0.1:{taking().getsockname()[1]}" for _ in "12")
        wants = config(
            lyrics={"order": ["local", "lrclib"], "lrclib": {"url": lrclib}},
            identify={"acoustid_key": "k", "acoustid_url": acoustid},
        )
        found = list(lyrics.hosts(wants))
        assert [finding.verdict for finding in found] == [Verdict.OK, Verdict.OK]
        assert "(lrclib)" in found[0].text
        assert "(acoustid)" in found[1].text
    alone = config(lyrics={"order": ["local"]})
    assert "nothing leaves" in worst(list(lyrics.hosts(alone))).text
    # Those that are not lent an address of this computer are named all the same.
    every = config(lyrics={"order": ["lrclib", "syncedlyrics", "genius"], "genius": {"token": "t"}})
    named = {name for name, _, _ in lyrics.addresses(every)}
    hosts = {host for _, host, _ in lyrics.addresses(every)}
    assert named == {"lrclib", "syncedlyrics", "genius"}
    assert {"lrclib.net", "music.163.com", "www.megalobiz.com", "genius.com"} <= hosts


@pytest.mark.skipif(
    importlib.util.find_spec("torch") is not None, reason="the extra models is installed"
)
def test_models_whose_extra_is_missing_are_reported_with_the_command() -> None:
    assert list(models.extras(config())) == []
    two = list(models.extras(config(models={"aligner": "sphinx+ctc", "separator": "htdemucs_ft"})))
    assert {finding.verdict for finding in two} == {Verdict.FAILED}
    assert {finding.remedy for finding in two} == {"pip install 'lyricsyncd[models]'"}
    full = list(models.extras(config(profile="full")))
    assert [finding.text.split()[0] for finding in full] == ["htdemucs_ft", "ctc"]


class TestModels:
    """Each model of the lite profile: installed, missing where it is of use, or damaged."""

    def found(self, folder: Path, **values: object) -> dict[str, Finding]:
        findings = models.models(config(models={"dir": str(folder), **values}))
        return {finding.text.split()[0]: finding for finding in findings}

    @pytest.mark.parametrize("name", installable.MODELS)
    def test_a_missing_one_is_a_warning_with_the_command(self, name: str, tmp_path: Path) -> None:
        finding = self.found(tmp_path)[name]
        assert finding.verdict is Verdict.WARNING
        assert f"{name} is missing: " in finding.text
        assert finding.remedy == "Run `lyricsyncd models install lite`"

    @pytest.mark.parametrize("name", installable.MODELS)
    def test_a_damaged_one_fails(self, name: str, tmp_path: Path) -> None:
        installable.path_of(installable.MODELS[name], tmp_path).write_bytes(b"half of it")
        assert self.found(tmp_path)[name].verdict is Verdict.FAILED

    def test_one_that_is_configured_by_name_fails_where_it_is_missing(self, tmp_path: Path) -> None:
        assert self.found(tmp_path, separator="spleeter")["spleeter"].verdict is Verdict.FAILED

    def test_one_that_another_replaces_is_not_missed(self, tmp_path: Path) -> None:
        assert self.found(tmp_path, separator="mix", aligner="sphinx") == {}
        wants = config(profile="full", models={"dir": str(tmp_path)})
        assert list(models.models(wants)) == []


def test_a_card_that_the_models_cannot_use_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'NVIDIA Something'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(work, "onnx_providers", lambda: ["CPUExecutionProvider"])
    assert worst(list(work.gpu(config()))).verdict is Verdict.WARNING
    wants = config(models={"device": "cuda"})
    assert worst(list(work.gpu(wants))).verdict is Verdict.FAILED


class TestTrials:
    """Each check does what the service does; nothing that goes wrong in it is passed over."""

    @pytest.mark.parametrize("topic", ["codecs", "pronounce", "place", "write"])
    def test_what_works_is_found_to_work(
        self, topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        finding = doctor.attempt(topic, config())
        assert finding.verdict is Verdict.OK, finding
        assert not list(tmp_path.iterdir()), "nothing is left behind"

    def test_every_kind_of_song_that_can_be_made_is_decoded(self) -> None:
        text = doctor.attempt("codecs", config()).text
        assert all(kind.name in text for kind in KINDS)

    def test_without_a_separator_there_is_nothing_to_try(self) -> None:
        finding = doctor.attempt("separate", config(models={"separator": "none"}))
        assert finding.verdict is Verdict.OK
        assert "no separator is installed" in finding.text

    @pytest.mark.song
    def test_the_installed_separator_brings_out_the_voice(self) -> None:
        cache = Path(os.environ.get("LYRICSYNCD_TEST_CACHE") or "~/.cache/lyricsyncd-tests")
        folder = cache.expanduser() / "models"
        install.install(installable.SPLEETER, folder)
        finding = doctor.attempt("separate", config(models={"dir": str(folder)}))
        assert finding.verdict is Verdict.OK
        assert finding.text.startswith("spleeter brings out a voice")

    def test_a_model_that_is_broken_fails(self, tmp_path: Path) -> None:
        (tmp_path / installable.SPLEETER.files[0].name).write_bytes(b"not a network")
        wants = config(models={"separator": "spleeter", "dir": str(tmp_path)})
        finding = doctor.attempt("separate", wants)
        assert finding.verdict is Verdict.FAILED
        assert finding.remedy

    def test_an_acoustic_model_that_is_not_there_fails(self, tmp_path: Path) -> None:
        wants = config(models={"aligner": str(tmp_path / "fr.onnx")})
        finding = doctor.attempt("place", wants)
        assert finding.verdict is Verdict.FAILED
        assert "fr.onnx" in finding.text

    @pytest.mark.parametrize(
        ("error", "verdict", "said", "remedy"),
        [
            (TypeError("unexpected keyword"), Verdict.FAILED, "TypeError: unexpected", "a bug"),
            (ModelError("no weights", remedy="Fetch"), Verdict.FAILED, "no weights", "Fetch"),
            (NotFetched("none here", remedy="Put"), Verdict.WARNING, "not tried: none", "Put"),
            (AudioError("no audio", remedy="As MP3"), Verdict.FAILED, "no audio", "PyAV"),
            (ModuleNotFoundError("No module"), Verdict.FAILED, "No module", "with pip"),
        ],
    )
    def test_a_check_that_fails_itself_is_a_finding(
        self, error: Exception, verdict: Verdict, said: str, remedy: str
    ) -> None:
        def check() -> Iterator[Finding]:
            yield Finding("t", Verdict.OK, "so far")
            raise error

        first, second = doctor.guarded("t", check)
        assert (first.text, second.verdict) == ("so far", verdict)
        assert said in second.text
        assert remedy in second.remedy

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("broken", "failed"),
        [
            (
                "import av\n"
                "def refuse(*_, **__): raise TypeError('no argument metadata_errors')\n"
                "whole = av.open\n"
                "av.open = lambda file, mode=None, **more: (\n"
                "    whole(file, mode, **more) if mode == 'w' else refuse())\n",
                {"codecs", "place", "write"},
            ),
            (
                "import os, signal, espeakng_loader\n"
                "def crash(): os.kill(os.getpid(), signal.SIGSEGV)\n"
                "espeakng_loader.get_data_path = crash\n",
                {"pronounce", "place"},
            ),
        ],
        ids=["another interface", "crash"],
    )
    def test_a_library_that_is_broken_fails_what_needs_it_and_ends_nothing(
        self, tmp_path: Path, broken: str, failed: set[str]
    ) -> None:
        """Loaded into every Python process, as a wrong version would be."""
        (tmp_path / "sitecustomize.py").write_text(broken)
        (tmp_path / "music").mkdir()
        (tmp_path / "music" / "a.mp3").write_bytes(b"x")
        run("init", "--library", tmp_path / "music", home=tmp_path)
        done = run(
            *("doctor", "--offline", "--json"),
            home=tmp_path,
            PYTHONPATH=f"{tmp_path}{os.pathsep}{Path(__file__).parent.parent}",
            LYRICSYNCD_WEB__LISTEN="null",
            LYRICSYNCD_MODELS__SEPARATOR="none",
        )
        assert done.returncode == 1, done.stderr
        found = {finding["topic"]: finding for finding in json.loads(done.stdout)["findings"]}
        assert {topic for topic in TRIALS if found[topic]["verdict"] == "failed"} >= failed
        assert all(found[topic]["remedy"] for topic in failed)
        assert "control" in found, "what comes after them is looked at, too"

"""The compose files: what they say holds the image to what it promises, and they run."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.container import compose, host
from tests.container.test_image import OWNER, library, reachable, wait_for

FOLDER = host.ROOT / "container"
FILES = sorted(FOLDER.glob("compose*.yaml"))
VARIABLES = {"MUSIC": "/srv/music", "PUID": "1026", "PGID": "100"}
DASK_IMAGE = host.NAME.replace(":lite", ":dask")


def services(name: str) -> dict[str, Any]:
    return compose.read(FOLDER / name, VARIABLES)


def ours() -> list[Any]:
    return [
        pytest.param(service, id=f"{file.name}-{name}")
        for file in FILES
        for name, service in services(file.name).items()
        if name != "navidrome"
    ]


class TestEveryFile:
    @pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
    def test_follows_the_schema(self, file: Path) -> None:
        assert services(file.name)

    @pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
    def test_says_what_is_missing_where_no_music_is_named(self, file: Path) -> None:
        with pytest.raises(compose.Missing, match="set MUSIC to your music folder"):
            compose.read(file, {})

    @pytest.mark.parametrize("service", ours())
    def test_gives_no_container_of_ours_more_than_it_needs(self, service: dict[str, Any]) -> None:
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["user"] == "1026:100"
        assert "privileged" not in service

    @pytest.mark.parametrize("service", ours())
    def test_publishes_nothing_beyond_this_computer(self, service: dict[str, Any]) -> None:
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


class TestNavidrome:
    def test_sees_the_same_music_and_cannot_change_it(self) -> None:
        found = services("compose.navidrome.yaml")
        assert "/srv/music:/music:ro" in found["navidrome"]["volumes"]
        assert "/srv/music:/music" in found["lyricsyncd"]["volumes"]

    def test_asks_our_plugin_first_as_its_page_says(self) -> None:
        priority = services("compose.navidrome.yaml")["navidrome"]["environment"]
        manual = (host.ROOT / "docs" / "navidrome.md").read_text(encoding="utf-8")
        assert f"ND_LYRICSPRIORITY={priority['ND_LYRICSPRIORITY']} navidrome" in manual


@pytest.mark.image
class TestTheServicesRun:
    def run(
        self, stack: ExitStack, image: host.Image, work: Path, service: dict[str, Any], **more: Any
    ) -> host.Container:
        """Start a service as its file says it, on the scratch library."""
        folders = {"/srv/music": str(work / "music"), "./config": str(work / "config")}
        volumes = {}
        for volume in service.get("volumes", ()):
            outside, inside, *options = volume.split(":")
            volumes[inside] = ":".join([folders[outside], *options])
        if "/config" not in volumes:
            own = work / f"config-{time.monotonic_ns()}"
            own.mkdir()
            own.chmod(0o1777)
            volumes["/config"] = str(own)
        user, group = map(int, service["user"].split(":"))
        environment = {**service.get("environment", {}), **more.pop("environment", {})}
        return stack.enter_context(
            host.started(
                image,
                work,
                *service.get("command", ()),
                volumes={**volumes, **more.pop("volumes", {})},
                environment=environment,
                user=(user, group),
                entrypoint=service.get("entrypoint"),
                **more,
            )
        )

    def test_alone_and_beside_navidrome_places_a_song(
        self, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        if not host.here():
            pytest.skip("there is no image that could be run: make image, as root")
        work = reachable(tmp_path_factory)
        library(work)
        with host.opened() as image, ExitStack() as stack:
            service = services("compose.navidrome.yaml")["lyricsyncd"]
            local = {"LYRICSYNCD_LYRICS__ORDER": "[local]"}
            container = self.run(stack, image, work, service, environment=local)
            # The preset of Navidrome writes word times as TTML or Lyricsfile, too.
            song = work / "music" / "The Sampled Choir" / "The_Star.mp3"
            wait_for(lambda: song.with_suffix(".elrc").exists(), container, 240)
            assert container.exec(*service["healthcheck"]["test"][1:]).returncode == 0
            assert container.json("show", "The_Star")["state"] == "done"

    def test_with_dask_places_a_song_on_a_worker(
        self, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        if not host.here(DASK_IMAGE):
            pytest.skip(
                "there is no image with dask: container/build.sh, as compose.dask.yaml says"
            )
        work = reachable(tmp_path_factory)
        library(work)
        hosts = work / "hosts"
        hosts.write_text("127.0.0.1 localhost scheduler\n")
        os.chown(hosts, *OWNER)
        found = services("compose.dask.yaml")
        with host.opened(DASK_IMAGE) as image, ExitStack() as stack:
            shared: dict[str, Any] = {"volumes": {"/etc/hosts": str(hosts)}}
            scheduler = self.run(stack, image, work, found["scheduler"], **shared)
            wait_for(lambda: "Scheduler at" in scheduler.output(), scheduler, 60)
            shared["beside"] = scheduler
            workers = [
                self.run(stack, image, work, found[name], **shared)
                for name in ("worker-1", "worker-2")
            ]
            local = {"LYRICSYNCD_LYRICS__ORDER": "[local]"}
            service = self.run(stack, image, work, found["lyricsyncd"], environment=local, **shared)
            song = work / "music" / "The Sampled Choir" / "The_Star.mp3"
            wait_for(lambda: song.with_suffix(".elrc").exists(), service, 240)
            assert all(worker.process.poll() is None for worker in workers)
            assert service.json("show", "The_Star")["state"] == "done"

"""Report metrics to Prometheus; they are read from the catalog at each request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, exposition
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from lyricsyncd import __version__
from lyricsyncd.catalog.catalog import Catalog
from lyricsyncd.library.roots import offline
from lyricsyncd.library.rules import Rules
from lyricsyncd.unexpected import UNEXPECTED

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class CatalogCollector(Collector):
    """Metrics of songs and libraries, from the catalog."""

    def __init__(self, catalog: Catalog, rules: Sequence[Rules]) -> None:
        self._catalog, self._rules = catalog, rules

    def collect(self) -> Iterable[Metric]:
        catalog = self._catalog
        yield InfoMetricFamily("lyricsyncd", "The program.", {"version": __version__})
        songs = GaugeMetricFamily("lyricsyncd_songs", "Songs in each state.", labels=["state"])
        for state, count in catalog.counts().items():
            songs.add_metric([state.value], count)
        yield songs
        yield GaugeMetricFamily(
            "lyricsyncd_paused", "1 while the work is paused.", float(catalog.paused)
        )
        yield GaugeMetricFamily(
            "lyricsyncd_settings_error",
            "1 while no song is taken up because of wrong settings.",
            float(catalog.settings_error is not None),
        )
        yield CounterMetricFamily(
            "lyricsyncd_unexpected_errors",
            "Errors since the start that are bugs; the log has them.",
            UNEXPECTED.count,
        )
        due = catalog.next_due()
        waited = 0.0 if due is None else max(0.0, catalog.clock() - due)
        yield GaugeMetricFamily(
            "lyricsyncd_queue_wait_seconds", "How long the oldest song has been due.", waited
        )
        finished_at, quality = catalog.last_finished()
        if finished_at is not None:
            yield GaugeMetricFamily(
                "lyricsyncd_last_finished_timestamp_seconds",
                "When a song was last finished.",
                finished_at,
            )
        if quality is not None:
            yield GaugeMetricFamily(
                "lyricsyncd_quality_mean", "Mean quality score of all songs.", quality
            )
        online = GaugeMetricFamily(
            "lyricsyncd_library_online", "1 while a library is there.", labels=["library"]
        )
        scanned = GaugeMetricFamily(
            "lyricsyncd_library_scanned_timestamp_seconds",
            "When a library was last scanned.",
            labels=["library"],
        )
        for rules in self._rules:
            name = str(rules.root).encode("utf-8", "replace").decode("utf-8")
            online.add_metric([name], float(not offline(rules.root)))
            at = catalog.scanned_at(rules.root)
            if at is not None:
                scanned.add_metric([name], at)
        yield online
        yield scanned


def text(catalog: Catalog, rules: Sequence[Rules]) -> str:
    """Format all figures as Prometheus' text, those of the process among them."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    registry.register(CatalogCollector(catalog, rules))
    return exposition.generate_latest(registry).decode("utf-8")

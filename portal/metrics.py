"""Figures for Prometheus, read anew for each request; everybody may ask, and nobody is named."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from models.database import DatabaseUnreachable, database
from models.metrics import Figures, figures
from portal.deps import now
from portal.waiting import within_patience
from rules.notices import Channel, LetterState

router = APIRouter()


@router.get("/metrics")
async def metrics(at: Annotated[datetime, Depends(now)]) -> Response:
    """Answer in the text format of Prometheus; without the database `congnhan_up` is 0, and all there is."""
    found = await within_patience(lambda: read_figures(at), None)
    registry = CollectorRegistry()
    registry.register(FiguresCollector(found, at))
    return Response(
        generate_latest(registry),
        headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4, "Cache-Control": "no-store"},
    )


def read_figures(at: datetime) -> Figures | None:
    """Return the figures at this instant, or None where the database gives none."""
    try:
        with database().reading() as session:
            return figures(session, now=at)
    except DatabaseUnreachable:
        return None


class FiguresCollector(Collector):
    """Tells figures that were read at an instant; None where they could not be read."""

    def __init__(self, found: Figures | None, at: datetime) -> None:
        self._found = found
        self._at = at

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield what there is to tell; `congnhan_tick_age_seconds` only where a tick is known."""
        found = self._found
        yield _gauge("up", "Whether the figures could be read from the database", 0 if found is None else 1)
        if found is None:
            return
        yield from self._letters(found)
        yield _gauge(
            "notices_waiting_release",
            "Notices that somebody of the standing office has to release",
            found.notices_waiting_release,
        )
        if found.ticked_at is not None:
            yield _gauge("tick_age_seconds", "Seconds since the last tick", self._age(found.ticked_at))
        stages = _gauges("campaign_stage", "The stage a campaign is in", "campaign", "stage")
        for campaign, stage in found.stages.items():
            stages.add_metric((campaign, stage.value), 1)
        yield stages
        items = _gauges("items", "Work items by campaign, kind and state", "campaign", "kind", "state")
        for (campaign, kind, state), count in found.items.items():
            items.add_metric((campaign, kind.value, state.value), count)
        yield items

    def _letters(self, found: Figures) -> Iterator[GaugeMetricFamily]:
        letters = _gauges("letters", "Letters by channel and state", "channel", "state")
        for (channel, state), count in found.letters.items():
            letters.add_metric((channel.value, state.value), count)
        yield letters
        queued = _gauges("letters_queued", "Letters that wait to be sent", "channel")
        oldest = _gauges(
            "letters_oldest_seconds", "For how long the oldest letter has been free to leave", "channel"
        )
        for channel in Channel:
            queued.add_metric((channel.value,), found.letters[channel, LetterState.QUEUED])
            since = found.ready_since.get(channel)
            oldest.add_metric((channel.value,), 0 if since is None else self._age(since))
        yield queued
        yield oldest

    def _age(self, since: datetime) -> float:
        """Return seconds; a machine whose clock is ahead of ours makes nothing younger than new."""
        return max(0.0, (self._at - since).total_seconds())


def _gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"congnhan_{name}", meaning, value=value)


def _gauges(name: str, meaning: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"congnhan_{name}", meaning, labels=labels)

# SPDX-License-Identifier: Apache-2.0
"""What a Firefox Profiler's profile says of itself: colours and payloads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nova_profiler import __version__
from nova_profiler.groups import COLORS, GROUPS, PYTHON, WAITING
from nova_profiler.reading.code.timelines.lane_calls import FACTS
from nova_profiler.reading.code.timelines.left_out import HEADING
from nova_profiler.reading.code.timelines.looks import (
    IS_WAITING,
    RUNNING,
    STATES,
)
from nova_profiler.reading.code.timelines.tracks import Timelines

# Of the processed format, and of Gecko's at that time.
_VERSION = 61
_GECKO_VERSION = 33
# The payloads of markers.
CALL, REQUEST = "NovaCall", "NovaRequest"

# Names of rich as the Firefox Profiler has them; its default one is grey.
_COLORS = {
    "cyan": "lightblue",
    "default": "darkgrey",
    "bright_blue": "blue",
    "bright_magenta": "purple",
    "bright_green": "green",
    "bright_yellow": "orange",
}
_OTHER = "other"
_STATE_COLORS = {RUNNING: PYTHON.color, IS_WAITING: WAITING.color}
# Of states that are known by their sums alone, or were no work.
_ODD_STATE = "darkgrey"


def categories_of(timelines: Timelines) -> list[dict[str, Any]]:
    """Return what is in colour: states of looks, and groups of calls."""
    found = [_category(_OTHER, "grey")]
    for state in STATES:
        color = _STATE_COLORS.get(state, _ODD_STATE)
        own = ["nova"] if state == RUNNING else []
        found.append(_category(state, _COLORS.get(color, color), *own))
    used = {
        call.group
        for request in timelines.requests
        for calls in request.lanes.values()
        for call in calls
    }
    for group in GROUPS:
        if group.name in used:
            color = COLORS[group.bucket.name]
            found.append(_category(group.name, _COLORS.get(color, color)))
    return found


def _category(name: str, color: str, *parts: str) -> dict[str, Any]:
    return {"name": name, "color": color, "subcategories": ["Other", *parts]}


def meta_of(
    title: str,
    timelines: Timelines,
    categories: list[dict[str, Any]],
    threads: int,
    left_out: Sequence[str],
) -> dict[str, Any]:
    """Return what the Firefox Profiler must know before all else."""
    facts = [(one.process, one.about) for one in timelines.requests]
    if left_out:
        facts.insert(0, (HEADING, {"left out": "; ".join(left_out)}))
    return {
        "version": _GECKO_VERSION,
        "preprocessedProfileVersion": _VERSION,
        "interval": 1,
        "startTime": timelines.epoch_ms,
        "processType": 0,
        "stackwalk": 1,
        "product": title,
        "importedFrom": f"nova-profiler {__version__}",
        "categories": categories,
        "markerSchema": [_call_schema(), _request_schema(timelines)],
        "sampleUnits": {
            "time": "ms",
            "eventDelay": "ms",
            "threadCPUDelta": "ns",
        },
        "symbolicated": True,
        "symbolicationNotSupported": True,
        "usesOnlyOneStackType": True,
        "sourceCodeIsNotOnSearchfox": True,
        "keepProfileThreadOrder": True,
        "initialVisibleThreads": list(range(threads)),
        "initialSelectedThreads": [0] if threads else [],
        "extra": [
            {
                "label": label,
                "entries": [
                    {"label": name, "format": "string", "value": fact}
                    for name, fact in about.items()
                ],
            }
            for label, about in facts
            if about
        ],
    }


def _call_schema() -> dict[str, Any]:
    # Numbers stay numbers; texts are places among the profile's texts.
    return {
        "name": CALL,
        "display": ["marker-chart", "marker-table", "timeline-overview"],
        "chartLabel": "{marker.data.name}",
        "tooltipLabel": "{marker.name}: {marker.data.name}",
        "tableLabel": "{marker.data.name} {marker.data.statement}",
        "description": "A call that the request made.",
        "fields": [
            {
                "key": key,
                "label": label,
                "format": "integer" if key == "rows" else "unique-string",
            }
            for key, label in FACTS.items()
        ],
    }


def _request_schema(timelines: Timelines) -> dict[str, Any]:
    labels: dict[str, None] = {}
    for request in timelines.requests:
        labels.update(dict.fromkeys([*request.about, "notes", HEADING]))
    return {
        "name": REQUEST,
        "display": ["marker-chart", "marker-table", "timeline-overview"],
        "chartLabel": "{marker.data.title}",
        "tooltipLabel": "{marker.data.title}",
        "tableLabel": "{marker.data.title}",
        "description": "The request itself.",
        "fields": [
            {"key": "title", "label": "request", "format": "unique-string"},
            *(
                {"key": label, "label": label, "format": "unique-string"}
                for label in labels
            ),
        ],
    }

# SPDX-License-Identifier: Apache-2.0
"""Profiles written by hand, as their engines write them."""

from __future__ import annotations

import json
import marshal
from collections.abc import Iterable
from pathlib import Path
from typing import Any

SITE = "/usr/lib/python3/dist-packages/"
THREAD = "MainThread\x00<thread>\x00140"

API = f"rebuild\x00{SITE}nova/compute/api.py\x003512"
CONTROLLER = f"_action\x00{SITE}nova/api/openstack/compute/servers.py\x00990"
ORM = f"instances\x00{SITE}sqlalchemy/orm/loading.py\x0069"
EXECUTE = f"do_execute\x00{SITE}sqlalchemy/engine/default.py\x00941"
DISPATCH = f"__call__\x00{SITE}webob/dec.py\x00108"
LOCK = "lock.acquire\x00<built-in>\x000"
WAITING = "[waiting]"

Sample = tuple[list[str], float]


def session(*samples: Sample, **fields: Any) -> dict[str, Any]:
    """Return pyinstrument's session of *samples*, each (frames, seconds)."""
    return {
        "start_time": 1795257301.0,
        "duration": sum(seconds for _, seconds in samples),
        "min_interval": 0.01,
        "max_interval": 0.01,
        "sample_count": len(samples),
        "start_call_stack": [THREAD],
        "target_description": "GET /v2.1/servers",
        "cpu_time": 0.5,
        "sys_path": [],
        "sys_prefixes": [],
        "frame_records": [
            [[THREAD, *frames], seconds] for frames, seconds in samples
        ],
        **fields,
    }


def pyspy_session(*samples: Sample, number: int) -> dict[str, Any]:
    """Return a session as the engine pyspy writes it, of *number* samples."""
    return session(
        nova_profiler_engine="pyspy",
        sample_count=number,
        frame_records=[[frames, seconds] for frames, seconds in samples],
    )


def stacks_session(*samples: Sample, number: int) -> dict[str, Any]:
    """Return a session as the engine stacks writes it, of *number* looks."""
    return session(
        nova_profiler_engine="stacks",
        sample_count=number,
        frame_records=[[frames, seconds] for frames, seconds in samples],
    )


def timed_session(
    *stretches: tuple[int, list[str], float, float], **fields: Any
) -> dict[str, Any]:
    """Return a session of the engine stacks that has times.

    Of each stretch: its lane, frames, start and milliseconds.
    """
    records: dict[tuple[str, ...], float] = {}
    for _, frames, _, ms in stretches:
        key = tuple(frames)
        records[key] = records.get(key, 0.0) + ms / 1000
    places = {key: place for place, key in enumerate(records)}
    return session(
        nova_profiler_engine="stacks",
        sample_count=len(stretches),
        frame_records=[[list(key), s] for key, s in records.items()],
        nova_profiler_timed={
            "version": 1,
            "lane": [lane for lane, *_ in stretches],
            "record": [places[tuple(frames)] for _, frames, *_ in stretches],
            "start_us": [round(1000 * start) for *_, start, _ in stretches],
            "us": [round(1000 * ms) for *_, ms in stretches],
            **fields,
        },
    )


def rebuild_samples(times: int = 1) -> list[Sample]:
    """Return 100 samples: 60 in rebuild's ORM, 20 in its driver, 20 wait."""
    below = [DISPATCH, CONTROLLER]
    return [
        *[([*below, f"{API}\x01l3540", ORM], 0.01)] * 60,
        *[([*below, f"{API}\x01l3533", EXECUTE], 0.01)] * 20,
        *[([*below, LOCK], 0.01)] * 20,
    ] * times


def write_session(path: Path, *samples: Sample) -> Path:
    """Write pyinstrument's session of *samples*."""
    path.write_text(json.dumps(session(*samples)))
    return path


Key = tuple[str, int, str]
RUN: Key = ("/app/run.py", 1, "run")
REBUILD: Key = (f"{SITE}nova/compute/api.py", 3512, "rebuild")
LOADING: Key = (f"{SITE}sqlalchemy/orm/loading.py", 69, "instances")
SLEEP: Key = ("~", 0, "<built-in method time.sleep>")


def stats(
    *functions: tuple[Key, int, float, float, dict[Key, float]],
) -> dict[Key, Any]:
    """Return pstats' dict of (key, calls, self, total, {caller: total})."""
    return {
        key: (
            *(calls, calls, self_s, total_s),
            {
                caller: (calls, calls, self_s, seconds)
                for caller, seconds in callers.items()
            },
        )
        for key, calls, self_s, total_s, callers in functions
    }


def rebuild_stats() -> dict[Key, Any]:
    """Return 1 s: 0.1 of it run's, 0.6 the ORM's below rebuild, 0.2 sleep."""
    return stats(
        (RUN, 1, 0.1, 1.0, {}),
        (REBUILD, 1, 0.1, 0.9, {RUN: 0.9}),
        (LOADING, 40, 0.6, 0.6, {REBUILD: 0.6}),
        (SLEEP, 2, 0.2, 0.2, {REBUILD: 0.2}),
    )


def write_stats(path: Path, content: Iterable[Any]) -> Path:
    """Write *content* as cProfile does."""
    path.write_bytes(marshal.dumps(content))
    return path

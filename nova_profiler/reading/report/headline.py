# SPDX-License-Identifier: Apache-2.0
"""What is slow and for whom, in two sentences; what fronts waited for."""

from __future__ import annotations

from typing import Any

from nova_profiler.reading.logs.unread import is_in_part
from nova_profiler.reading.screen.terminal import (
    BAD,
    WARNING,
    counted,
    ms_text,
    share_text,
)

_SMALL_SHARE = 0.005


def sentences_of(summary: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the sentences, each with its style."""
    total = summary["total"]
    slow = total["slow_calls"]
    slow_s = f"{summary['slow_ms'] / 1000:g} s"
    if summary["by"] == "route" and summary["rows"]:
        most = summary["rows"][0]
        share = most["total_ms"] / (total["total_ms"] or 1.0)
        where = (
            f"; {most['method']} {most['route']} took "
            f"{share_text(share)} of all time, mean "
            f"{ms_text(most['mean_ms'])} ms"
        )
    else:
        where = ""
    found = [
        (
            f"{slow or 'None'} of {counted(total['calls'], 'call')} took "
            f"{slow_s} or more{where}.",
            WARNING if slow else "",
        )
    ]
    if summary["slow_calls"]:
        worst = summary["slow_calls"][0]
        user = worst["user"]
        whose = "a user that no line names" if user == "-" else f"user {user}"
        found.append(
            (
                f"Slowest for {whose}: {worst['method']} {worst['route']}, "
                f"{worst['slow_calls']} slow of "
                f"{counted(worst['calls'], 'call')}, mean of all "
                f"{ms_text(worst['mean_ms'])} ms.",
                "",
            )
        )
    lost = lost_sentence(summary)
    if lost:
        found.append((lost, BAD))
    return found


def lost_sentence(summary: dict[str, Any]) -> str:
    """Return how many calls have no line, empty if there are none."""
    lost, deaths = summary["lost"], summary["deaths"]
    sentences = []
    if lost:
        sentences.append(
            f"{counted(lost, 'more call')} ended with the death of the "
            "worker, and no line has the time."
        )
    if deaths:
        sentences.append(
            f"{counted(deaths, 'worker')} died for a reason that no line has; "
            "a call may be lost with each."
        )
    return " ".join(sentences)


def left_out_heading(summary: dict[str, Any]) -> str:
    """Return the heading of what the figures leave out."""
    kinds = (row["kind"] for row in summary["unread"])
    more = ", or in part" if any(map(is_in_part, kinds)) else ""
    return f"Not counted{more}"


def front_facts(front: dict[str, Any]) -> list[str]:
    """Return what a front's or a client's callers waited for."""
    whole = front["ms"]
    calls = counted(front["calls"], "call")
    facts = [f"{front['form']}: {calls} waited {ms_text(whole)} ms"]
    for part, ms in front["waits_ms"].items():
        if whole <= 0 or ms / whole < _SMALL_SHARE:
            continue
        fact = f"{part} {ms_text(ms)} ms, {share_text(ms / whole)}"
        longest = front["longest_waits"].get(part)
        if longest is not None:
            fact += (
                f" (longest {ms_text(longest['ms'])} ms, "
                f"{longest['method']} {longest['route']})"
            )
        facts.append(fact)
    if front["matched"]:
        more = front["matched_ms"] - front["server_ms"]
        facts.append(
            f"of {ms_text(front['matched_ms'])} ms in "
            f"{counted(front['matched'], 'call')} the services' own logs "
            f"have {ms_text(front['server_ms'])} ms, {ms_text(more)} ms less"
        )
    facts += [
        f"{counted(ended['calls'], 'call')} ended with {ended['how']} "
        f"({ended['method']} {ended['route']})"
        for ended in front["ended"]
    ]
    return facts

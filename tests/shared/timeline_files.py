# SPDX-License-Identifier: Apache-2.0
"""What the Firefox Profiler and Perfetto ask of their files, as checks."""

from __future__ import annotations

from typing import Any

# The colours and formats that the Firefox Profiler knows, of those in use.
_COLORS = {
    *("purple", "green", "orange", "yellow", "lightblue", "blue"),
    *("magenta", "red", "darkgrey", "grey"),
}
_FORMATS = {"unique-string", "integer"}


def rows_of(table: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a table, whose columns are equally long."""
    length = table["length"]
    columns = {
        name: column
        for name, column in table.items()
        if isinstance(column, list)
    }
    for name, column in columns.items():
        assert len(column) == length, name
    return [
        {name: column[place] for name, column in columns.items()}
        for place in range(length)
    ]


def check_firefox_profile(profile: dict[str, Any]) -> None:
    """Check that each index is of a row, and that time goes forwards."""
    meta, shared = profile["meta"], profile["shared"]
    texts = shared["stringArray"]
    assert all(isinstance(text, str) for text in texts)
    assert len(set(texts)) == len(texts)
    assert meta["preprocessedProfileVersion"] == 61
    categories = meta["categories"]
    assert categories[0] == {
        "name": "other",
        "color": "grey",
        "subcategories": ["Other"],
    }
    assert {one["color"] for one in categories} <= _COLORS
    names = [one["name"] for one in categories]
    assert len(set(names)) == len(names)
    _check_shared(shared, categories)
    stacks = shared["stackTable"]["length"]
    fields = {
        schema["name"]: {
            field["key"]: field["format"] for field in schema["fields"]
        }
        for schema in meta["markerSchema"]
    }
    assert {
        how for of_schema in fields.values() for how in of_schema.values()
    } <= _FORMATS
    tids = [thread["tid"] for thread in profile["threads"]]
    assert len(set(tids)) == len(tids)
    assert meta["initialVisibleThreads"] == list(range(len(tids)))
    for thread in profile["threads"]:
        _check_thread(thread, stacks, len(texts), len(categories), fields)


def _check_shared(shared: dict[str, Any], categories: list[Any]) -> None:
    texts = range(len(shared["stringArray"]))
    frames, functions = shared["frameTable"], shared["funcTable"]
    packages, files = shared["resourceTable"], shared["sources"]
    for place, stack in enumerate(rows_of(shared["stackTable"])):
        assert stack["frame"] in range(frames["length"])
        assert stack["prefix"] is None or 0 <= stack["prefix"] < place
    for frame in rows_of(frames):
        assert frame["func"] in range(functions["length"])
        parts = categories[frame["category"]]["subcategories"]
        assert frame["subcategory"] in range(len(parts))
        assert frame["line"] is None or frame["line"] > 0
    for function in rows_of(functions):
        assert function["name"] in texts
        assert function["resource"] in range(-1, packages["length"])
        assert function["source"] in (None, *range(files["length"]))
    for package in rows_of(packages):
        assert package["name"] in texts
    for file in rows_of(files):
        assert file["filename"] in texts
    assert rows_of(shared["nativeSymbols"]) == []


def _check_thread(
    thread: dict[str, Any],
    stacks: int,
    texts: int,
    categories: int,
    fields: dict[str, dict[str, str]],
) -> None:
    assert isinstance(thread["pid"], str)
    samples = rows_of(thread["samples"])
    assert samples
    times = [one["time"] for one in samples]
    assert times == sorted(times)
    assert thread["samples"]["weightType"] == "tracing-ms"
    for sample in samples:
        assert sample["stack"] in (None, *range(stacks))
        assert sample["weight"] >= 0
    for marker in rows_of(thread["markers"]):
        assert marker["name"] in range(texts)
        assert marker["category"] in range(categories)
        assert marker["phase"] == 1
        assert marker["startTime"] <= marker["endTime"]
        data = dict(marker["data"])
        formats = fields[data.pop("type")]
        for key, value in data.items():
            assert type(value) is int
            if formats[key] == "unique-string":
                assert value in range(texts)


def check_trace_events(trace: dict[str, Any]) -> None:
    """Check that slices of a thread nest, as Perfetto needs them to."""
    named = set()
    open_ends: dict[tuple[int, int], list[float]] = {}
    events = trace["traceEvents"]
    slices = [one for one in events if one["ph"] == "X"]
    for event in events:
        if event["ph"] == "M" and event["name"] == "thread_name":
            named.add((event["pid"], event["tid"]))
    for one in sorted(slices, key=lambda one: (one["ts"], -one["dur"])):
        track = one["pid"], one["tid"]
        assert track in named
        assert one["dur"] >= 0
        assert all(isinstance(one[key], str) for key in ("name", "cat"))
        ends = open_ends.setdefault(track, [])
        while ends and ends[-1] <= one["ts"] + 0.01:
            ends.pop()
        end = one["ts"] + one["dur"]
        # Microseconds, rounded to their thousandths.
        assert not ends or end <= ends[-1] + 0.01
        ends.append(end)
    assert {one["ph"] for one in events} <= {"X", "M"}

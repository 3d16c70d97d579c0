# SPDX-License-Identifier: Apache-2.0
"""Which pipelines of a paste file the filter stands in, and where."""

from __future__ import annotations

import configparser
import os
from collections.abc import Iterator
from typing import NamedTuple

import click

from nova_profiler.cli.points import OK, WARNING, WRONG, Point

# The application that nova-api serves, and the keys of nova's own factory
# that hold a pipeline each.
ROOT = "osapi_compute"
_AUTH_KEYS = ("keystone", "noauth2")

SECTION = (
    "[filter:nova_profiler]",
    "paste.filter_factory = nova_profiler.factory:filter_factory",
)

Sections = dict[str, dict[str, str]]


class Pipeline(NamedTuple):
    """A line of filters and an application, and what stands around it."""

    section: str
    key: str
    names: tuple[str, ...]
    is_covered: bool


def sections_of(path: str) -> Sections:
    """Return the sections of the paste file at *path*.

    Raises click.ClickException, one line, if it cannot be read.
    """
    parser = configparser.RawConfigParser(
        strict=False, default_section="\0", allow_no_value=True
    )
    # Names as they are written; the stubs know a method only.
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        with open(path, encoding="utf-8") as file:
            parser.read_file(file)
    except OSError as exc:
        raise click.ClickException(f"{path}: {exc.strerror}") from exc
    except (UnicodeError, configparser.Error) as exc:
        # Not its text: the line may hold a password.
        raise click.ClickException(
            f"{path}: is not a paste file; expected sections in brackets "
            f"and lines of key = value"
        ) from exc
    return {
        ":".join(part.strip() for part in name.split(":", 1)): {
            key: value or "" for key, value in parser.items(name)
        }
        for name in parser.sections()
    }


def filters_of(sections: Sections) -> list[str]:
    """Return the names of our filters: ``nova_profiler`` as a rule."""
    return [
        name.partition(":")[2]
        for name, options in sections.items()
        if name.startswith("filter:")
        and any(
            "nova_profiler" in maker or "nova-profiler" in maker
            for maker in (
                options.get("use", ""),
                options.get("paste.filter_factory", ""),
            )
        )
    ]


def pipelines_of(sections: Sections, ours: list[str]) -> list[Pipeline]:
    """Return the pipelines of the compute API, as requests reach them.

    All pipelines of a file that has no ``osapi_compute``.
    """
    roots = [ROOT]
    if not any(name.endswith(f":{ROOT}") for name in sections):
        roots = [name.partition(":")[2] for name in sections]
    found: dict[tuple[str, str], Pipeline] = {}
    for root in roots:
        for pipeline in _reached(sections, root, ours, False, ()):
            found.setdefault((pipeline.section, pipeline.key), pipeline)
    return list(found.values())


def _reached(
    sections: Sections,
    name: str,
    ours: list[str],
    is_covered: bool,
    seen: tuple[str, ...],
) -> Iterator[Pipeline]:
    if name in seen:
        return
    seen = (*seen, name)
    pipeline = sections.get(f"pipeline:{name}", {}).get("pipeline", "")
    if pipeline:
        names = tuple(pipeline.split())
        yield Pipeline(f"pipeline:{name}", "pipeline", names, is_covered)
        is_covered = is_covered or any(one in ours for one in names)
        yield from _reached(sections, names[-1], ours, is_covered, seen)
    section = f"composite:{name}"
    for key, value in sections.get(section, {}).items():
        if key in _AUTH_KEYS:
            yield Pipeline(section, key, tuple(value.split()), is_covered)
        elif key.startswith("/") or key.startswith("http"):
            yield from _reached(
                sections, value.strip(), ours, is_covered, seen
            )


def section_point(path: str, ours: list[str]) -> Point:
    """Return whether the filter is declared in the file at *path*."""
    name = "filter section"
    if ours:
        told = ", ".join(f"[filter:{one}]" for one in ours)
        return Point(OK, name, f"{told} in {path}")
    return Point(WRONG, name, f"{path} declares no filter of ours", SECTION)


def pipeline_points(sections: Sections, ours: list[str]) -> list[Point]:
    """Return a point for each pipeline of the compute API."""
    word = ours[0] if ours else "nova_profiler"
    pipelines = pipelines_of(sections, ours)
    if not pipelines:
        return [
            Point(
                WRONG,
                "pipelines",
                "the file has none: is it nova's api-paste.ini?",
                ("give nova's file with --paste FILE",),
            )
        ]
    return [_pipeline_point(one, ours, word) for one in pipelines]


def _pipeline_point(pipeline: Pipeline, ours: list[str], word: str) -> Point:
    name = f"[{pipeline.section}] {pipeline.key}"
    mine = [one for one in pipeline.names if one in ours]
    if not mine:
        return _without_filter(pipeline, name, word)
    if pipeline.is_covered:
        return Point(OK, name, "in it; the one around it does the timing")
    place = pipeline.names.index(mine[0])
    if place:
        before = ", ".join(pipeline.names[:place])
        return Point(
            WARNING,
            name,
            f"in it, but {before} {'stands' if place == 1 else 'stand'} "
            f"before it and will not be in its figures",
            _with_filter(pipeline, mine[0]),
        )
    return Point(OK, name, "in it, outermost")


def _without_filter(pipeline: Pipeline, name: str, word: str) -> Point:
    if pipeline.is_covered:
        return Point(OK, name, "timed by the filter around it")
    if pipeline.key == "pipeline" and any(
        "version" in one for one in (pipeline.section, pipeline.names[-1])
    ):
        return Point(OK, name, "not in it: version documents are not timed")
    # Only one of the two takes requests, mostly keystone.
    state = WARNING if pipeline.key == "noauth2" else WRONG
    if pipeline.key == "pipeline" and pipeline.section.endswith(":meta"):
        state = WARNING
    return Point(
        state,
        name,
        "the filter is not in it: its requests are not timed",
        _with_filter(pipeline, word),
    )


def _with_filter(pipeline: Pipeline, word: str) -> tuple[str, ...]:
    rest = [one for one in pipeline.names if one != word]
    return (
        f"[{pipeline.section}]",
        f"{pipeline.key} = {' '.join([word, *rest])}",
    )


def nova_paste_file(configured: str | None, prefix: str) -> str:
    """Return where nova's paste file is, if it is not given.

    *configured* is api_paste_config of nova.conf, *prefix* the folder of
    the environment, into which nova installs its own. Raises
    click.ClickException.
    """
    name = configured or "api-paste.ini"
    places = [
        os.path.join(folder, name)
        for folder in ("/etc/nova", os.path.join(prefix, "etc", "nova"))
    ]
    for place in places:
        if os.path.exists(place):
            return place
    raise click.ClickException(
        f"{places[0]}: No such file or directory; give --paste FILE"
    )

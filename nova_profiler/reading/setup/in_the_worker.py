# SPDX-License-Identifier: Apache-2.0
"""Whether hooks and profiler can work inside nova-api's worker."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from nova_profiler.profiles import ENGINES
from nova_profiler.reading.setup import OK, WARNING, WRONG, Point
from nova_profiler.reading.setup.sign_command import SHORT_KEY

# Yama's setting: 0 allows the same user, 1 a tracer that was named, 2 root.
PTRACE_SCOPE = Path("/proc/sys/kernel/yama/ptrace_scope")
_TIMED = "timed_callables"


def profiler_points(
    profiler: str,
    problem: str | None,
    profile_when: Sequence[str],
    profile_keys: Sequence[str],
    dump_dir: str | None,
) -> Iterator[Point]:
    """Yield whether stacks can be taken, asked for and kept.

    *problem* is the profiler's own error, None if it has none.
    """
    if profiler == "none":
        yield Point(OK, "profiler", "none: no stacks are taken")
        return
    if problem is not None:
        yield Point(WRONG, "profiler", problem, ("or profiler = none",))
        return
    yield Point(OK, "profiler", f"{profiler} can work here")
    if profiler == "pyspy":
        yield _ptrace_point(PTRACE_SCOPE)
    yield _when_point(profiler, profile_when)
    if "signed" in profile_when:
        yield _keys_point(profile_keys)
    if not dump_dir:
        found = "no dump_dir: stacks are taken and kept nowhere"
        remedy = ("dump_dir = /var/lib/nova/profiler",)
        yield Point(WARNING, "profiler", found, remedy)


def _ptrace_point(path: Path) -> Point:
    name = "ptrace_scope"
    try:
        scope = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeError):
        return Point(OK, name, "this kernel does not restrict py-spy")
    if scope in ("0", "1"):
        return Point(OK, name, f"{scope}: py-spy may look at its worker")
    return Point(
        WARNING,
        name,
        f"{scope}: py-spy may look at nova-api only as root",
        ("sysctl kernel.yama.ptrace_scope=1", "or profiler = pyinstrument"),
    )


def _when_point(profiler: str, when: Sequence[str]) -> Point:
    name = "profile_when"
    if not when:
        found = "empty: no request is ever chosen"
        return Point(WARNING, name, found, ("profile_when = armed,signed",))
    if "always" in when and ENGINES[profiler].is_dear:
        found = f"always: {profiler} makes every request a good deal slower"
        return Point(WARNING, name, found, ("profile_when = armed,signed",))
    return Point(OK, name, ", ".join(when))


def _keys_point(keys: Sequence[str]) -> Point:
    name = "profile_keys"
    remedy = ("profile_keys = what `openssl rand -hex 16` prints",)
    if not any(keys):
        found = "empty: every signed trigger is refused"
        return Point(WARNING, name, found, remedy)
    short = sum(len(key) < SHORT_KEY for key in keys)
    if short:
        found = f"{short} of {len(keys)} can be guessed: too short"
        return Point(WARNING, name, found, remedy)
    return Point(OK, name, f"{len(keys)} for signed triggers")


def enabled_point(enabled: bool) -> Point:
    """Return whether requests are timed at all."""
    if enabled:
        return Point(OK, "enabled", "true")
    found = "false: no request is timed"
    return Point(WARNING, "enabled", found, ("enabled = true",))


def missing_point(line: str) -> Point:
    """Return that a library here lacks what a hook knows of it: *line*."""
    remedy = (
        "this release of the library is not one that is tested;",
        "all else is timed, what this does is in no group",
    )
    return Point(WARNING, "hooks", line, remedy)


def hook_remedy(
    reason: str, hooks: Sequence[str], timed: Sequence[str]
) -> tuple[str, ...]:
    """Return the remedy for *reason*, which names its option."""
    if f"{_TIMED}: " in reason:
        return (
            f"mend or take out that name in {_TIMED} = {','.join(timed)}",
            "expected: module:function or module:Class.method",
        )
    kept = ",".join(hooks) or "none"
    return (f"take it out of hooks = {kept}, or install it",)


def db_api_point(modules: Sequence[str]) -> Point:
    """Return whether one of the modules with nova's DB API is loaded."""
    name = "db_api_modules"
    there = [one for one in modules if one in sys.modules]
    if there:
        return Point(OK, name, f"{', '.join(there)} is there")
    return Point(
        WARNING,
        name,
        f"none exists in this environment: {', '.join(modules) or '(empty)'}",
        (
            "run this with the Python of nova-api, or name the module:",
            "db_api_modules = nova.db.main.api",
        ),
    )


def sqlalchemy_point(version: str | None) -> Point:
    """Return whether the hooks are tested with this SQLAlchemy."""
    name = "SQLAlchemy"
    if version is None:
        found = "is not installed here: no statements are timed"
        return Point(WARNING, name, found, ("pip install SQLAlchemy",))
    if version.split(".")[:2] in (["1", "4"], ["2", "0"], ["2", "1"]):
        return Point(OK, name, f"{version} is one that is tested")
    remedy = ("pip install 'SQLAlchemy>=1.4,<2.2'",)
    return Point(WARNING, name, f"{version} is not tested", remedy)

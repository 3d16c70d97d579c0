# SPDX-License-Identifier: Apache-2.0
"""Whether hooks and profiler can work inside nova-api's worker."""

from __future__ import annotations

import os
import pwd
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from nova_profiler.dump_store.processes import ALIVE, state_of
from nova_profiler.dump_store.running import seen_running, workers_in
from nova_profiler.profiles import ENGINES, STACKS
from nova_profiler.projects import BY_NAME, NOVA, NOVA_DB_API, Project
from nova_profiler.reading.setup import OK, WARNING, WRONG, Point
from nova_profiler.trust.signed_headers import SHORTEST_KEY

# Yama's setting: 0 allows the same user, 1 a tracer that was named, 2 root.
PTRACE_SCOPE = Path("/proc/sys/kernel/yama/ptrace_scope")
# What looks into the worker from outside, by its engine.
_LOOK_IN = {STACKS: "the reader of stacks"}
_TIMED = "timed_callables"
_MODULE = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*(?::[^\W\d]\w*)?")
_FUNCTION = re.compile(
    r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*(?:\.[^\W\d]\w*)*"
)
_CHANGED_REMEDY = (
    "start the server as its user (User= of its unit), or",
    "profiler_dumpable = true; run this while it serves to see which it is",
)


def enabled_point(is_enabled: bool) -> Point:
    """Return whether requests are timed at all."""
    if is_enabled:
        return Point(OK, "enabled", "true")
    found = "false: no request is timed"
    return Point(WARNING, "enabled", found, ("enabled = true",))


def profiler_points(
    profiler: str,
    problem: str | None,
    profile_when: Sequence[str],
    profile_keys: Sequence[str],
    dump_dir: str | None,
    doubt: str | None = None,
) -> Iterator[Point]:
    """Yield whether stacks can be taken, asked for and kept.

    *problem* is the profiler's own error, None if it has none; *doubt* is
    where it cannot work, None if it can everywhere.
    """
    if profiler == "none":
        yield Point(OK, "profiler", "none: no stacks are taken")
        return
    if problem is not None:
        yield Point(WRONG, "profiler", problem, ("or profiler = none",))
        return
    if doubt is None:
        yield Point(OK, "profiler", f"{profiler} can work here")
    else:
        yield Point(WARNING, "profiler", doubt, _CHANGED_REMEDY)
    if profiler in _LOOK_IN:
        yield _ptrace_point(PTRACE_SCOPE, _LOOK_IN[profiler])
    yield _when_point(profiler, profile_when)
    if "signed" in profile_when:
        yield _keys_point(profile_keys)
    if not dump_dir:
        found = "no dump_dir: stacks are taken and kept nowhere"
        remedy = ("dump_dir = /var/lib/nova/profiler",)
        yield Point(WARNING, "profiler", found, remedy)


def doubt_of_user(profiler: str, name: str) -> str:
    """Return where *profiler* cannot work though it can as *name*."""
    return (
        f"{profiler} can look into a server that starts as {name}, and not "
        f"into one that root starts and that becomes {name}"
    )


def user_of_workers(dump_dir: str | None) -> tuple[str, int, int] | None:
    """Return name, uid and gid of the workers' user, for root to become.

    That is the owner of *dump_dir*, or nova. None where that is unknown, and
    for all but root, which can only be themselves.
    """
    if os.geteuid() != 0:
        return None
    with suppress(OSError, KeyError):
        owner = os.stat(dump_dir).st_uid if dump_dir else 0
        found = pwd.getpwuid(owner) if owner else pwd.getpwnam("nova")
        return found.pw_name, found.pw_uid, found.pw_gid
    return None


def pids_of_workers(dump_dir: str | None) -> list[int]:
    """Return the workers that dump to *dump_dir* now, as far as known."""
    if not dump_dir:
        return []
    with suppress(OSError):
        with seen_running(Path(dump_dir)) as folder:
            return [
                process.pid
                for _, process in workers_in(folder, [])
                if state_of(process) == ALIVE
            ]
    return []


def _ptrace_point(path: Path, what: str) -> Point:
    name = "ptrace_scope"
    try:
        scope = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeError):
        return Point(OK, name, f"this kernel does not restrict {what}")
    if scope in ("0", "1"):
        return Point(OK, name, f"{scope}: {what} may look at its worker")
    return Point(
        WARNING,
        name,
        f"{scope}: {what} may look at nova-api only as root",
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
    short = sum(len(key) < SHORTEST_KEY for key in keys)
    if short:
        found = f"{short} of {len(keys)} can be guessed: too short"
        return Point(WARNING, name, found, remedy)
    return Point(OK, name, f"{len(keys)} for signed triggers")


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


def untried_points(
    timed: Sequence[str], modules: Sequence[str]
) -> Iterator[Point]:
    """Yield whether names of another host's modules are names at all.

    They are not imported: such a name may be of any module.
    """
    for option, names, form, expected in (
        (_TIMED, timed, _FUNCTION, "module:function or module:Class.method"),
        ("db_api_modules", modules, _MODULE, "module or module:Class"),
    ):
        wrong = [one for one in names if not form.fullmatch(one)]
        if wrong:
            found = f"{wrong[0]!r}: expected {expected}"
            yield Point(WRONG, option, found, (f"mend it in {option}",))
        elif names:
            shown = ", ".join(names)
            found = f"not tried: another host's or user's: {shown}"
            yield Point(OK, option, found)


def db_api_point(
    modules: Sequence[str], project: Project | None = None
) -> Point:
    """Return whether one of the modules with a DB API is loaded.

    Of nova, unless *project* is another one.
    """
    name = "db_api_modules"
    if project and project.name != NOVA:
        # Beside which nova may be installed.
        modules = [one for one in modules if one not in NOVA_DB_API]
    there = [one for one in modules if one.partition(":")[0] in sys.modules]
    if there:
        return Point(OK, name, f"{', '.join(there)} is there")
    if project and not project.db_api:
        found = f"{project.name} has none: its statements are timed"
        return Point(OK, name, found)
    wanted = (project or BY_NAME[NOVA]).db_api[:1]
    service = project.service if project else "nova-api"
    return Point(
        WARNING,
        name,
        f"none exists in this environment: {', '.join(modules) or '(empty)'}",
        (
            f"run this with the Python of {service}, or name the module:",
            f"db_api_modules = {wanted[0]}",
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

# SPDX-License-Identifier: Apache-2.0
"""The names of a dump's files, and what can be read from them alone."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from nova_profiler.record import RequestRecord
from nova_profiler.routes import metric_name

DUMP_SUFFIX = ".json"
# Counted calls, and samples: profiles reads both.
COMPANION_SUFFIXES = (".prof", ".pyisession")

# By so much clocks differ, and step, on machines that share a directory.
CLOCKS_DIFFER_S = 300.0

_ROUTE_LENGTH = 120
_ID_LENGTH = 8
_LONGEST_MS = 10**10 - 1

# Two dashes come nowhere else in a stem, so the extra that makes it unique is
# never taken for the request's id.
_STEM = re.compile(
    r"([0-9]{2})([0-9]{2})([0-9]{2})\.([0-9]{3})"
    r"-([0-9]{1,10})ms"
    r"-([A-Z]{1,16})"
    r"-([A-Za-z0-9_-]{0,119}[A-Za-z0-9_])"
    r"-(?!u[0-9a-f]{6}(?:--|\Z))([A-Za-z0-9_]{1,8})"
    r"(?:-u([0-9a-f]{6}))?"
    r"(?:--[0-9a-f]{1,16})?"
)
_USER = re.compile(r"u[0-9a-f]{6}")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# The table of armed kinds, which capture writes beside the dumps.
_ARMED = re.compile(r"\.armed-[0-9a-f]{16}")
_METHOD = re.compile(r"[A-Z]{1,16}")
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9]")


class DumpEntry(NamedTuple):
    """What a dump's name has of it; its file has not been opened.

    ``id_prefix`` is the start of the request id without ``req-``.
    """

    folder: str
    stem: str
    started_at: str
    duration_ms: int
    method: str
    route_name: str
    id_prefix: str

    @property
    def path(self) -> Path:
        """Return where the dump is."""
        return Path(self.folder, self.stem + DUMP_SUFFIX)


def name_of_route(route: str) -> str:
    """Return *route* as the names of files have it, and links to them.

    ``/v2.1/servers/{id}/action`` is ``v2_1_servers_id_action``, and ``/``
    is ``root``: as in metrics, cut where it is long, and with no two dashes
    in a row. What ``--route`` means is compared with it.
    """
    name = metric_name(route[: 4 * _ROUTE_LENGTH])
    while "--" in name:
        name = name.replace("--", "-")
    return name.strip("_-")[:_ROUTE_LENGTH].strip("_-") or "root"


def name_of_id(request_id: str) -> str:
    """Return the part of *request_id* that stands in a file's name."""
    return _NOT_IN_ID.sub("_", request_id.removeprefix("req-")[:_ID_LENGTH])


def name_of_dump(record: RequestRecord) -> tuple[str, str]:
    """Return the day folder and the stem of *record*'s dump.

    Method and request id may come from a client: nothing but letters,
    digits, ``_`` and ``-`` of them gets into a name.
    """
    started = _utc(record.started_at)
    method = record.method
    if not _METHOD.fullmatch(method):
        method = "OTHER"
    parts = [
        f"{started:%H%M%S}.{started.microsecond // 1000:03d}",
        f"{_whole_ms(record.duration_ms)}ms",
        method,
        name_of_route(record.route),
        name_of_id(record.request_id or "") or secrets.token_hex(4),
    ]
    user = user_of(record)
    if user:
        parts.append(f"u{user}")
    return started.strftime("%Y-%m-%d"), "-".join(parts)


def user_of(record: RequestRecord) -> str:
    """Return six digits for the user of *record*, else for its project.

    Empty where neither is known: those requests are one client.
    """
    name = record.user_id or record.project_id
    if not name:
        return ""
    return hashlib.blake2b(
        name.encode("utf-8", "replace"), digest_size=3
    ).hexdigest()


def sharer_of(stem: str) -> tuple[str, str]:
    """Return the user and the route, with its method, in a dump's *stem*."""
    # Quicker than the expression, for all dumps of a full directory.
    parts = stem.partition("--")[0].split("-")
    user = ""
    if _USER.fullmatch(parts[-1]):
        user = parts.pop()[1:]
    return user, "-".join(parts[2:-1])


def name_of_moment(moment: float) -> tuple[str, str]:
    """Return the day folder of a time, and the first part of its stems.

    Names of later dumps are greater. A time of no calendar is its end.
    """
    try:
        at = _EPOCH + timedelta(seconds=moment)
    except OverflowError:
        return ("", "") if moment < 0 else ("9999-99-99", "")
    return (
        f"{at:%Y-%m-%d}".zfill(10),
        f"{at:%H%M%S}.{at.microsecond // 1000:03d}",
    )


# Asked for each dump of a directory, mostly with the same time.
@lru_cache(8)
def newest_credible(now: float) -> tuple[str, str]:
    """Return the name behind which dumps are dated in the future.

    The clock of what wrote them was ahead, so that the name has no age:
    such dumps neither count as the newest nor outlive the others.
    """
    return name_of_moment(now + CLOCKS_DIFFER_S)


def is_ahead(entry: DumpEntry, now: float) -> bool:
    """Return whether *entry* is dated in the future."""
    # Not by its stem: that of a request whose worker was killed has no time.
    began = entry.started_at
    time_of_day = began[11:19].replace(":", "") + began[19:23]
    return (began[:10], time_of_day) > newest_credible(now)


def is_day(name: str) -> bool:
    """Return whether *name* is one of a day's folder."""
    return _DAY.fullmatch(name) is not None


def is_stem(name: str) -> bool:
    """Return whether *name* is the stem of a dump."""
    return _STEM.fullmatch(name) is not None


def is_of_dump(name: str) -> bool:
    """Return whether *name* is one of a dump or of its companion."""
    stem, dot, ending = name.rpartition(".")
    return dot + ending in (DUMP_SUFFIX, *COMPANION_SUFFIXES) and is_stem(stem)


def name_aside(day: str, stem: str) -> str:
    """Return the name of a dump that is being written."""
    return f"{day}T{stem}"


def is_aside(name: str) -> bool:
    """Return whether *name* is one of a file that is being written.

    That of a dump, of a companion, or of the table of what is armed.
    """
    day, _, rest = name.partition("T")
    for suffix in COMPANION_SUFFIXES:
        rest = rest.removesuffix(suffix)
    return (is_day(day) and is_stem(rest)) or bool(_ARMED.fullmatch(name))


def entry_of(folder: str, day: str, stem: str) -> DumpEntry | None:
    """Return the dump that *stem* names, None for a foreign file."""
    match = _STEM.fullmatch(stem)
    if match is None:
        return None
    hour, minute, second, fraction, ms, method, route, id_prefix, _ = (
        match.groups()
    )
    return DumpEntry(
        folder,
        stem,
        f"{day}T{hour}:{minute}:{second}.{fraction}+00:00",
        int(ms),
        method,
        route,
        id_prefix,
    )


def _utc(started_at: str) -> datetime:
    try:
        return datetime.fromisoformat(started_at).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return datetime.now(timezone.utc)


def _whole_ms(duration_ms: float) -> int:
    # Written so that a NaN becomes 0, too.
    if not duration_ms > 0:
        return 0
    return round(min(duration_ms, _LONGEST_MS))

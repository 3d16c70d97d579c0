# SPDX-License-Identifier: Apache-2.0
"""Names of calls that come from outside the code: few, and without ids."""

from __future__ import annotations

import re

from nova_profiler.capture.calls import CallKey
from nova_profiler.routes import ID

# Names of one group in one process; what comes after them is OTHER.
MOST_NAMES = 300
# Of parts that vary and of which only some are known.
OTHER = "other"

_MOST_LETTERS = 200
_UUID = re.compile(
    r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}", re.ASCII
)
_PLAIN = re.compile(r"[A-Za-z0-9_./: -]+")
_PART = re.compile(r"[A-Za-z0-9]+")
# Letters only, and no number in hexadecimal digits.
_WORD = re.compile(r"(?![0-9a-fA-F]{8,}\Z)[A-Za-z]{1,24}")
_IDS = re.compile(r"\{id\}(?:[_./:-]*\{id\})+")
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", re.ASCII)
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,79}")


class NamedKeys:
    """The keys of one group by name: MOST_NAMES of them, then one more."""

    def __init__(self, group: str) -> None:
        self.other = CallKey(group, OTHER)
        self._group = group
        self._keys: dict[str, CallKey] = {}

    def key(self, name: str) -> CallKey:
        """Return the key of *name*, or that of all further names."""
        found = self._keys.get(name)
        if found is not None:
            return found
        if len(self._keys) >= MOST_NAMES:
            return self.other
        # Another thread may have been quicker: one key for both.
        return self._keys.setdefault(name, CallKey(self._group, name))


def without_ids(name: object) -> str:
    """Return *name* with all that may be an id as ``{id}``.

    Words of letters stay: ``nova-{id}`` for ``nova-`` and a UUID. OTHER for
    what is no name of words at all.
    """
    if (
        not isinstance(name, str)
        or len(name) > _MOST_LETTERS
        or not _PLAIN.fullmatch(name)
    ):
        return OTHER
    # A digit is an id in the next step.
    digits = _UUID.sub("0", name.strip().replace(" ", "_"))
    return _IDS.sub(ID, _PART.sub(_word_or_id, digits)) or OTHER


def _word_or_id(part: re.Match[str]) -> str:
    return part[0] if _WORD.fullmatch(part[0]) else ID


def identifier(name: object) -> str:
    """Return *name* if it can be that of a function, else OTHER."""
    if isinstance(name, str) and _IDENTIFIER.fullmatch(name):
        return name
    return OTHER


def dotted(name: object) -> str:
    """Return *name* if it consists of identifiers and dots, else OTHER."""
    if (
        isinstance(name, str)
        and len(name) <= _MOST_LETTERS
        and _DOTTED.fullmatch(name)
    ):
        return name
    return OTHER

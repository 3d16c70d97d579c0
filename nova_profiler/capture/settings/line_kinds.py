# SPDX-License-Identifier: Apache-2.0
"""The type of the option that says which records have lines in the log."""

from __future__ import annotations

from typing import Any

from oslo_config import types

from nova_profiler.capture.choosing.kept_kinds import (
    ALL,
    LINE_WORDS,
    words_of_kinds,
)
from nova_profiler.record import REQUEST


class LineKinds(types.ConfigType):
    """True, False, or the kinds that have lines in the log."""

    BASE_TYPES = (bool, list)
    # In the place of "request:all".
    _YES = frozenset(types.Boolean.TRUE_VALUES)
    _NO = frozenset(types.Boolean.FALSE_VALUES)
    _WORDS = frozenset((*LINE_WORDS, *words_of_kinds(LINE_WORDS)))

    expected = "true, false, or a list such as true,message:slow,task:failed"

    def __init__(self) -> None:
        super().__init__(type_name="lines")

    def __call__(self, value: Any) -> bool | list[str]:
        """Return *value* in the form that the capture reads.

        Raises ValueError.
        """
        if isinstance(value, bool):
            return value
        text = ",".join(value) if isinstance(value, (list, tuple)) else value
        words = [word.strip() for word in str(text).lower().split(",")]
        if len(words) == 1 and words[0] in self._YES | self._NO:
            return words[0] in self._YES
        lines = []
        for word in words:
            if word in self._WORDS:
                lines.append(word)
            elif word in self._YES:
                lines.append(f"{REQUEST.name}:{ALL}")
            elif word not in self._NO:
                raise ValueError(word)
        return lines

    def __repr__(self) -> str:
        return "true, false, or kinds"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    def __hash__(self) -> int:
        return hash(type(self))

    def _formatter(self, value: Any) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        return ",".join(value)

# SPDX-License-Identifier: Apache-2.0
"""Values of options that are gone, and what has taken their place.

A file that was right for the version before must not keep a service from its
start: such a value is taken for the new one, with a warning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from oslo_config import types

from nova_profiler.profiles import FORMER_ENGINES

FORMER_VALUES: Mapping[str, Mapping[str, str]] = {"profiler": FORMER_ENGINES}


class Choice(types.String):
    """The type of an option that takes one of some words.

    Former words are taken for what has replaced them.
    """

    def __init__(
        self, choices: Iterable[str], former: Mapping[str, str]
    ) -> None:
        super().__init__(choices=list(choices))
        self._former = former

    def __call__(self, value: Any) -> Any:
        """Return *value* as one of the choices; raises ValueError."""
        text = str(value).strip()
        return super().__call__(self._former.get(text, text))


class FormerValues:
    """The former values that were read, each of which is named once."""

    def __init__(self) -> None:
        self._named: set[str] = set()

    def news_in(self, texts: Mapping[str, tuple[str, str]]) -> list[str]:
        """Return a line for each former value that *texts* have now.

        They are where an option was read, and what is written there, by the
        option's name.
        """
        lines = []
        for name, (where, text) in texts.items():
            former = text.strip()
            now = FORMER_VALUES.get(name, {}).get(former)
            if now is not None:
                lines.append(
                    f"{where}: {name} = {former}: {now} has taken its place "
                    f"and is used; write {name} = {now}"
                )
        news = [line for line in lines if line not in self._named]
        self._named.update(news)
        return news

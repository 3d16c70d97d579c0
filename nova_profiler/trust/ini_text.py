# SPDX-License-Identifier: Apache-2.0
"""Text of ini files as configparser can take it: in linear time."""

from __future__ import annotations

import re

# Its expression for an option tries each blank of a line as the first of the
# rest of it. Of so many in a row none has a meaning.
_MANY_BLANKS = re.compile(r"[^\S\r\n]{100,}")


def for_configparser(text: str) -> str:
    """Return *text* with each long run of blanks within a line as one blank.

    A line of 60 000 tabs takes configparser minutes.
    """
    return _MANY_BLANKS.sub(" ", text)

# SPDX-License-Identifier: Apache-2.0
"""The ids of a trace that others have begun, from what came with a request.

W3C's ``traceparent``: ``00-<trace id>-<span id>-<flags>``. Only what came in
is kept, so that their trace leads to our record; none is made up.
"""

from __future__ import annotations

import re

# Its name as a header of WSGI, and in the context of a message.
HEADER = "HTTP_TRACEPARENT"
KEY = "traceparent"

# Later versions may add fields, which stand behind a further dash.
_FORM = re.compile(
    r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?",
    re.ASCII,
)
_LONGEST = 512
_TRACE = re.compile(r"(?!0{32})[0-9a-f]{32}", re.ASCII)


def trace_of(text: object) -> tuple[str, str] | None:
    """Return the ids of trace and span in *text*, None if it has none.

    Ids of zeros alone are invalid, and so are capital letters.
    """
    if not isinstance(text, str) or len(text) > _LONGEST:
        return None
    found = _FORM.fullmatch(text)
    if found is None or (found[3] is not None and text.startswith("00")):
        return None
    trace_id, span_id = found[1], found[2]
    if not trace_id.strip("0") or not span_id.strip("0"):
        return None
    return trace_id, span_id


def is_trace_id(value: object) -> bool:
    """Return whether *value* is the id of a trace, as trace_of() has it."""
    return isinstance(value, str) and _TRACE.fullmatch(value) is not None

# SPDX-License-Identifier: Apache-2.0
"""The quick reader of blocks says what the careful one says, or nothing."""

from __future__ import annotations

import form_lines as forms
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.reading.report import quick_lines
from nova_profiler.reading.report.quick_lines import quick_rows, requests_of


def row_of(line: str):
    (row,) = quick_rows(line.encode() + b"\n")
    return row


@pytest.mark.parametrize(
    "line",
    [
        forms.HAVANA, forms.GRIZZLY, forms.WITH_FILE_NAME,
        forms.TWO_ADDRESSES, forms.NO_CONTEXT, forms.SLOW_ACTION,
        forms.REQUESTLOG, forms.REQUESTLOG_NO_SIZE, forms.GLOBAL_ID,
        forms.TWO_ADDRESSES + "\r",
    ],
)  # fmt: skip
def test_nova_s_own_lines_are_taken(line):
    """These forms are the ones that come by the million."""
    assert row_of(line)[-1] == b""


@pytest.mark.parametrize(
    "line",
    [
        forms.EVENTLET, forms.JOURNALD, forms.UWSGI, forms.STARTING_UP,
        forms.DEVSTACK_APACHE, forms.KOLLA_APACHE, forms.OUR_TEXT,
        forms.log_file_line(), forms.JSON_REQUESTLOG,
        forms.TWO_ADDRESSES.replace("0.4711170", "nan"),
        forms.TWO_ADDRESSES.replace("0.4711170", "-0.47"),
        # Two names after two ids are in devstack's order.
        "2017-09-05 09:02:05.001" + forms.JOURNALD.partition("]:")[2],
    ],
)  # fmt: skip
def test_every_other_line_is_handed_on(line):
    """As it is, for the careful reader of lines."""
    assert row_of(line)[-1] == line.encode()


def test_ids_are_replaced_and_lines_counted():
    """A row a line, empty ones left out, ids out of the way."""
    block = "\n".join(
        [forms.SLOW_ACTION, "", forms.STARTING_UP, forms.NO_CONTEXT]
    ).encode()

    rows = quick_rows(block)

    assert len(rows) == 3
    assert rows[0][4:6] == (b"400", b"2.9914739")
    assert requests_of(rows)[:2] == [b"POST /v2.1/servers/{id}/action", b""]
    assert rows[1][-1] == forms.STARTING_UP.encode()


@given(st.lists(st.binary(max_size=40).map(lambda b: b.replace(b"\n", b""))))
def test_no_line_is_lost(lines):
    """Each line that is not empty is one row."""
    rows = quick_rows(b"\n".join(lines))

    assert len(rows) == sum(1 for line in lines if line)


PIECES = st.lists(
    st.sampled_from(
        [
            forms.REQUESTLOG, forms.GLOBAL_ID, forms.SLOW_ACTION, "\n", "\n",
            forms.TWO_ADDRESSES[:70], forms.TWO_ADDRESSES[:150],
            forms.TWO_ADDRESSES[70:], " ", "]", " - - -] ", " None req-",
            forms.HAVANA.replace("2013", "2x13"), "\r\n",
        ]
    ),
    max_size=12,
)  # fmt: skip


@given(PIECES, st.booleans())
def test_torn_lines_are_read_as_strictly_as_whole_ones(pieces, is_named):
    """What is quick for a block of good lines makes nothing of bad ones."""
    start = "nova.log " if is_named else "2026-"
    block = (start + "".join(pieces)).encode()
    strict, _ = quick_lines._LINES[is_named]

    rows = quick_rows(block)

    assert rows == strict.findall(block)
    assert len(requests_of(rows)) == len(rows)

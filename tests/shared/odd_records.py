# SPDX-License-Identifier: Apache-2.0
"""Records as a damaged or hostile dump may have them, for hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from nova_profiler.groups import BUCKETS, GROUPS
from nova_profiler.record import (
    CallTotals,
    GroupTotals,
    RequestRecord,
    StatementTotals,
    TimelineEntry,
)

NUMBER = st.one_of(
    st.integers(-2, 12),
    st.floats(-5, 500),
    st.sampled_from([-1e15, 1e15, 1e-9]),
)
GROUP = st.sampled_from([*(group.name for group in GROUPS), "odd", ""])
NAME = st.sampled_from(
    [
        "network GET /v2.0/ports",
        "network GET /v2.0/ports/{id}",
        "network GET /v2.0/networks",
        "network PUT /v2.0/ports/{id}",
        "placement GET /allocations/{id}",
        "GET /v3",
        "other",
        "fetch_token",
        "SELECT instances",
        "BEGIN",
        "instance_get",
        "nova_cell1",
        "{about} {0}",
        "\x1b[2J",
        "",
    ]
)
SAVED = st.one_of(st.none(), st.integers(-2, 5), st.floats(-1, 4))


@st.composite
def odd_records(draw) -> RequestRecord:
    """Return a record whose parts need not fit together."""
    record = RequestRecord()
    record.duration_ms = draw(NUMBER)
    record.breakdown_ms = draw(
        st.dictionaries(
            st.sampled_from([*(one.name for one in BUCKETS), "odd"]),
            NUMBER,
            max_size=4,
        )
    )
    record.unnamed_ms = draw(
        st.none() | st.dictionaries(st.just("processor"), NUMBER)
    )
    record.groups = draw(
        st.dictionaries(
            GROUP, st.builds(GroupTotals, NUMBER, NUMBER, NUMBER), max_size=4
        )
    )
    record.calls = draw(
        st.lists(
            st.builds(
                CallTotals, GROUP, NAME, NUMBER, NUMBER, NUMBER,
                nested=NUMBER,
            ),
            max_size=4,
        )
    )  # fmt: skip
    record.statements = draw(
        st.none()
        | st.lists(
            st.builds(
                StatementTotals, NAME, NAME, NAME, NUMBER, NUMBER, NUMBER,
                executemany=NUMBER,
            ),
            max_size=3,
        )
    )  # fmt: skip
    record.timeline = draw(
        st.none()
        | st.lists(
            st.builds(
                TimelineEntry, GROUP, NAME, NUMBER, NUMBER,
                lane=st.integers(-1, 3) | st.floats(-1, 3),
                nested=st.booleans(),
                statement=SAVED,
                id=SAVED,
                parent=SAVED,
                made_by=st.none() | NAME,
            ),
            max_size=12,
        )
    )  # fmt: skip
    return record

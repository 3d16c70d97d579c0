# SPDX-License-Identifier: Apache-2.0
"""Parts of a picture as damaged or hostile records make them."""

from __future__ import annotations

from hypothesis import strategies as st

from nova_profiler.reading.over_services.relations.served import (
    OwnCall,
    Sent,
    Served,
)

TEXT = st.sampled_from(["", "a", "b", "\x1b[2J", "\u202e", "x" * 500, "a b c"])
TIME = st.one_of(
    st.none(),
    st.floats(1.79e9, 1.79e9 + 100),
    st.sampled_from([0.0, 1e10, -1e10, 1.79e9]),
)
MAYBE_ID = st.sampled_from([None, "1", "2", "3", "4"])
LENGTH = st.one_of(st.floats(0, 50), st.sampled_from([0.0, 3e9]))
SENT = st.builds(
    Sent,
    st.sampled_from(["call", "cast", "http"]),
    st.sampled_from(["a b", "x y", "GET /"]),
    st.floats(1.79e9, 1.79e9 + 100),
    st.floats(1.79e9, 1.79e9 + 100),
    MAYBE_ID,
)
SERVED = st.builds(
    Served,
    kind=st.sampled_from(["request", "message", "task", "periodic", "odd"]),
    record_id=MAYBE_ID,
    parent_id=MAYBE_ID,
    request_id=MAYBE_ID,
    global_request_id=MAYBE_ID,
    service=TEXT,
    host=TEXT,
    title=TEXT,
    method=st.sampled_from(["GET", ""]),
    outcome=TEXT,
    user=TEXT,
    began=TIME,
    wait_s=LENGTH,
    duration_s=LENGTH,
    sent=TIME,
    key=st.sampled_from(["a b", "x y", ""]),
    sends=st.lists(SENT, max_size=4).map(tuple),
    calls=st.lists(
        st.builds(
            OwnCall, TEXT, TEXT, st.floats(1.7e9, 2e9), st.floats(1.7e9, 2e9)
        ),
        max_size=4,
    ).map(tuple),
    waits_for=st.sampled_from([frozenset(), frozenset(["a b"])]),
    is_whole=st.booleans(),
)

# SPDX-License-Identifier: Apache-2.0
"""A quick look passes over files that surely hold nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nova_profiler.reading.follow.search import quick_look
from nova_profiler.reading.follow.search.quick_look import QuickLook
from nova_profiler.reading.logs.files.sources import Source, sources_of
from nova_profiler.reading.logs.unread import Unread


def look(path, needles) -> tuple[bool, int]:
    counts: list[int] = []
    (source,) = sources_of([str(path)], Unread())
    passed = QuickLook().passes_over(source, needles, counts.append)
    return passed, sum(counts)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("look") / "a.log"


@settings(deadline=None)
@given(
    text=st.text(alphabet="abx\n", max_size=80).map(str.encode),
    needles=st.lists(
        st.sampled_from([b"ab", b"abx", b"bbbb"]), min_size=1, unique=True
    ),
)
def test_nothing_is_missed_wherever_a_read_ends(path, text, needles):
    """A text may lie across two reads; a file is passed over or not."""
    path.write_bytes(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quick_look, "_BUFFER_BYTES", 8)
        passed, searched = look(path, needles)

    assert passed is not any(needle in text for needle in needles)
    assert searched == (len(text) if passed else 0)


def test_what_is_no_plain_text_is_left_to_the_reader(tmp_path, monkeypatch):
    """Archives, binaries, pipes, huge files and those that went away."""
    for name, data in (
        ("gz", b"\x1f\x8b123"),
        ("core", b"\x7fELF\0"),
        ("huge", b"x" * 20),
    ):
        (tmp_path / name).write_bytes(data)
    monkeypatch.setattr(quick_look, "_LARGEST_FILE", 10)
    gone = Source("gone", str(tmp_path / "gone"), 5, 0.0)

    for name in ("gz", "core", "huge"):
        assert look(tmp_path / name, [b"id"]) == (False, 0)
    assert not QuickLook().passes_over(gone, [b"id"], int)
    assert not QuickLook().passes_over(
        Source("standard input", None, None, 0.0), [b"id"], int
    )

# SPDX-License-Identifier: Apache-2.0
"""Lines with a text are found once each, with what continues them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from nova_profiler.reading.follow.search import hits as request_lines
from nova_profiler.reading.follow.search.hits import Hit, hits_in

LINES = st.lists(
    st.sampled_from([b"one id", b"two id id", b"mark", b"id mark", b"", b" +"])
)


def continues(line: bytes, following: bytes) -> bool:
    return following.startswith(b" ")


def anything(line: bytes) -> bool:
    return True


def hits(blocks, needles=(b"id",), wanted=anything) -> list[Hit]:
    return list(hits_in(blocks, needles, continues, wanted))


@settings(deadline=None)
@given(
    lines=LINES,
    cuts=st.sets(st.integers(0, 60)),
    needles=st.sampled_from([[b"id"], [b"mark"], [b"id", b"mark"]]),
)
def test_wherever_blocks_end_the_same_lines_are_found(lines, cuts, needles):
    """As grep finds them, at their places, however the file was read."""
    text = [line + b"\n" for line in lines]
    blocks = [b""]
    for number, line in enumerate(text):
        if number in cuts:
            blocks.append(b"")
        blocks[-1] += line
    expected = [
        (sum(map(len, text[:number])), line)
        for number, line in enumerate(lines)
        if any(needle in line for needle in needles)
    ]

    found = hits([block for block in blocks if block], needles)

    assert [(hit.offset, hit.line) for hit in found] == expected
    assert sum(len(hit.more) for hit in found) == sum(
        1
        for number, line in enumerate(lines)
        if line == b" +"
        and any(needle in joined(lines, number) for needle in needles)
    )


def joined(lines: list[bytes], number: int) -> bytes:
    """Return the line that the one at *number* continues."""
    while number and lines[number] == b" +":
        number -= 1
    return lines[number]


def test_what_continues_a_line_may_be_in_the_next_block():
    """A traceback is not cut where the reader's block ends."""
    found = hits([b"x id\n a\n", b" b id\nrest\n", b" c\n"])

    assert found == [Hit(0, b"x id", [b" a", b" b id"])]


def test_a_refused_line_has_no_continuation():
    """What is not wanted is passed over, the lines after it as well."""
    found = hits(
        [b"no id\n more\nid\n"], wanted=lambda line: b"no" not in line
    )

    assert found == [Hit(12, b"id", [])]


def test_long_lines_and_tracebacks_are_kept_in_part(monkeypatch):
    """Neither a huge line nor an endless traceback fills the memory."""
    monkeypatch.setattr(request_lines, "LONGEST_TEXT", 10)
    monkeypatch.setattr(request_lines, "MOST_JOINED", 2)

    found = hits([b"id" + 50 * b"x" + b"\n" + 5 * b" more\n" + b"id\n"])

    assert found == [Hit(0, b"idxxxxxxxx", 2 * [b" more"]), Hit(83, b"id", [])]


def test_the_last_line_may_lack_its_end():
    """A file that is being written ends anywhere."""
    assert hits([b"one\nid at the end"]) == [Hit(4, b"id at the end", [])]


def test_line_ends_of_windows_are_no_text():
    """CRLF is a line end."""
    assert hits([b"id\r\n +\r\n"]) == [Hit(0, b"id", [b" +"])]

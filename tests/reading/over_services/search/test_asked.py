# SPDX-License-Identifier: Apache-2.0
"""Which request a person means."""

from __future__ import annotations

import json

import pytest
from builders import numbered, written
from created_servers import created

from nova_profiler.dump_store import DumpError
from nova_profiler.reading.logs.files.sources import sources_of
from nova_profiler.reading.logs.unread import Unread
from nova_profiler.reading.over_services.search import budget
from nova_profiler.reading.over_services.search.asked import asked_for


@pytest.fixture
def create(tmp_path):
    one = created(saves=1)
    for record in one.records:
        written(tmp_path / record.host, record)
    return one


def places(tmp_path) -> list[str]:
    return sorted(map(str, tmp_path.iterdir()))


@pytest.mark.parametrize("text", ["6ec84648", "req-6ec8", "6ec84648-93a7"])
def test_the_start_of_an_id(create, tmp_path, text):
    """With req- or without, shorter and longer than in a dump's name."""
    assert asked_for(text, places(tmp_path)).request_id == create.request_id


def test_a_dump_by_its_name_stands_alone(create, tmp_path):
    """A person who names a file wants that one."""
    dump = next(tmp_path.rglob("*select_destinations*.json"))

    asked = asked_for(dump.stem, places(tmp_path))

    assert (asked.request_id, asked.entry.path) == (None, dump)


def test_two_requests_that_begin_so(create, tmp_path):
    """Names decide: neither is opened, and both are named."""
    written(tmp_path / "controller-1", numbered(0x6EC00000))

    with pytest.raises(
        DumpError, match="'6ec' begins 6ec.* and 6ec.*; give more"
    ):
        asked_for("6ec", places(tmp_path))


def test_a_longer_start_chooses_among_equal_names(create, tmp_path):
    """The name has but the start of the id; the file has all of it."""
    other = numbered(1, request_id="req-6ec84648-ffff")
    written(tmp_path / "controller-1", other)

    asked = asked_for("6ec84648-ffff", places(tmp_path))

    assert asked.request_id == "req-6ec84648-ffff"


def test_equal_names_are_not_looked_into_without_end(
    create, tmp_path, monkeypatch
):
    """As many bytes as for a picture: then a person gives a name."""
    for number in range(3):
        other = numbered(number, request_id=f"req-6ec84648-fff{number}")
        written(tmp_path / "controller-1", other)
    monkeypatch.setattr(budget, "MOST_BYTES", 1)

    with pytest.raises(DumpError, match="too large to look into; give the"):
        asked_for("6ec84648-none", places(tmp_path))


def test_no_such_request(create, tmp_path):
    """Where it was looked for is said."""
    with pytest.raises(DumpError, match="no dump of 'abcd' in 4 dump dir"):
        asked_for("abcd", places(tmp_path))
    with pytest.raises(DumpError, match="no dump of 'abcd' in .*compute-7;"):
        asked_for("abcd", places(tmp_path)[:1])


def test_an_id_of_log_lines(tmp_path):
    """Where there are no dumps at all."""
    log = tmp_path / "log.json"
    lines = [json.dumps(numbered(n).to_dict()) for n in (0x1234, 0x99)]
    log.write_text("\n".join(lines) + "\n")
    sources = sources_of([str(log)], Unread())

    asked = asked_for("00001234", [], sources)

    assert asked.request_id == numbered(0x1234).request_id
    with pytest.raises(DumpError, match="'0000' begins req-.*; give more"):
        asked_for("0000", [], sources)
    with pytest.raises(DumpError, match="no record of 'ffff' in 1 log; "):
        asked_for("ffff", [], sources)
    with pytest.raises(DumpError, match="in 1 dump directory and 1 log; "):
        asked_for("ffff", [str(tmp_path)], sources)

# SPDX-License-Identifier: Apache-2.0
"""All records of a request, out of dump directories and lines of logs."""

from __future__ import annotations

import gzip
import json

import pytest
from builders import numbered, written
from created_servers import created, rebuilt

from nova_profiler.reading.logs.files.sources import sources_of
from nova_profiler.reading.logs.unread import Unread
from nova_profiler.reading.over_services.search import budget, finding
from nova_profiler.reading.over_services.search.finding import (
    Found,
    RecordSearch,
)


@pytest.fixture
def create(tmp_path):
    """Return a create whose dumps are in a directory for each host."""
    one = created(saves=3)
    for record in one.records:
        written(tmp_path / record.host, record)
    return one


def directories(tmp_path) -> list[str]:
    return sorted(str(one) for one in tmp_path.iterdir() if one.is_dir())


def found_in(
    tmp_path, request_id: str, logs: tuple[str, ...] = (), skipped=None
) -> Found:
    sources = sources_of(logs, Unread())
    skip = (skipped if skipped is not None else []).append
    return RecordSearch(directories(tmp_path), sources, skip).find(request_id)


def ids(found: Found) -> set[str | None]:
    return {one.record_id for one in found.served}


def test_all_hosts_are_searched(create, tmp_path):
    """And placement's record, which has another id of its own."""
    found = found_in(tmp_path, create.request_id)

    assert ids(found) == set(create.parents)
    assert found.left_out == 0


def test_other_requests_are_left_alone(create, tmp_path):
    """Even one whose id begins as this one's does: it is named."""
    other = numbered(1, request_id="req-6ec84648-other")
    written(tmp_path / "controller-1", other, numbered(2))

    found = found_in(tmp_path, create.request_id)

    assert ids(found) == set(create.parents)
    assert found.others == {"req-6ec84648-other"}


def test_a_global_id_in_what_began_meanwhile(create, tmp_path):
    """No answer had the id of the other side: files are looked into."""
    for record in create.records:
        for place, row in enumerate(record.timeline):
            record.timeline[place] = row._replace(request_id=None)
    placement = create.records[3]
    (dump,) = (tmp_path / "controller-3").rglob("*.json")
    scheduler = [
        path
        for path in (tmp_path / "controller-2").rglob("*.json")
        if "select_destinations" in path.name
    ]
    scheduler[0].write_text(json.dumps(create.records[2].to_dict()))

    found = found_in(tmp_path, create.request_id)

    assert placement.record_id in ids(found)
    assert str(dump) in {one.source for one in found.served}


@pytest.mark.parametrize("is_packed", [False, True])
def test_lines_of_log_file(create, tmp_path, is_packed):
    """Records that have no dump, among lines of others, packed or not."""
    log = tmp_path / ("log.json.gz" if is_packed else "log.json")
    lines = [
        "2026-11-21 10:35:01 INFO " + create.request_id,
        json.dumps(numbered(1).to_dict()),
    ]
    for record in rebuilt().records:
        record.timeline = record.statements = None
        lines.append(json.dumps(record.to_dict()))
    text = ("\n".join(lines) + "\n").encode()
    log.write_bytes(gzip.compress(text) if is_packed else text)

    found = found_in(tmp_path, rebuilt().request_id, (str(log),))

    assert ids(found) == set(rebuilt().parents)


def test_a_record_counts_once(create, tmp_path):
    """The log_file has the requests of the dumps, which know more."""
    log = tmp_path / "log.json"
    with log.open("w") as file:
        for record in create.records:
            fields = record.to_dict()
            del fields["timeline"], fields["statements"]
            file.write(json.dumps(fields) + "\n")

    found = found_in(tmp_path, create.request_id, (str(log), str(log)))

    assert len(found.served) == len(create.records)
    assert all(one.is_whole for one in found.served)


def test_a_copy_of_an_id_hides_nothing(create, tmp_path):
    """A forged record with the id of another one stands beside it."""
    forged = created(saves=3).records[0]
    forged.service = "nova-forged"
    written(tmp_path / "controller-9", forged)

    found = found_in(tmp_path, create.request_id)

    assert len(found.served) == len(create.records) + 1


def test_damaged_files_are_named(create, tmp_path):
    """Those of the request; others are none of its business."""
    (dump,) = (tmp_path / "controller-1").rglob("*.json")
    dump.write_text("{")
    skipped: list[str] = []

    found = found_in(tmp_path, create.request_id, skipped=skipped)

    assert len(found.served) == len(create.records) - 1
    (message,) = skipped
    assert message.startswith(f"dump {dump.name}: not JSON")


def test_links_are_not_followed(create, tmp_path, tmp_path_factory):
    """Whoever made a copied tree chose where they lead."""
    (dump,) = (tmp_path / "controller-1").rglob("*.json")
    away = tmp_path / "away.json"
    dump.rename(away)
    dump.symlink_to(away)
    day = tmp_path / "controller-2" / "2026-11-21"
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "day"
    day.rename(elsewhere)
    day.symlink_to(elsewhere)
    skipped: list[str] = []

    found = found_in(tmp_path, create.request_id, skipped=skipped)

    services = {one.service for one in found.served}
    assert services == {"nova-compute", "placement"}
    assert skipped


def test_what_is_beyond_the_limit_is_counted(create, tmp_path, monkeypatch):
    """Nobody reads more; memory holds no more."""
    monkeypatch.setattr(finding, "MOST_RECORDS", 4)

    found = found_in(tmp_path, create.request_id)

    assert len(found.served) == 4
    assert found.left_out >= 2


def test_bytes_have_a_limit(create, tmp_path, monkeypatch):
    """A few dumps may be as large as many."""
    monkeypatch.setattr(budget, "MOST_BYTES", 1)

    found = found_in(tmp_path, create.request_id)

    assert len(found.served) == 1


def test_bytes_of_what_is_not_kept_count(create, tmp_path, monkeypatch):
    """Dumps of others whose names begin so are read to see whose they are."""
    for number in range(5):
        other = numbered(number, request_id=f"req-6ec84648-{number}")
        written(tmp_path / "another", other)
    monkeypatch.setattr(budget, "MOST_BYTES", 1)

    found = found_in(tmp_path, create.request_id)

    assert (len(found.served), len(found.others)) == (0, 1)
    assert found.left_out >= len(create.records) + 3


def test_bytes_of_lines_that_are_not_kept_count(tmp_path, monkeypatch):
    """A log may have one record over and over."""
    first, second = (numbered(number, request_id="req-1") for number in (1, 2))
    log = tmp_path / "log.json"
    lines = [json.dumps(one.to_dict()) for one in (first, first, second)]
    log.write_text("\n".join(lines) + "\n")
    monkeypatch.setattr(budget, "MOST_BYTES", 2 * len(lines[0]))

    found = found_in(tmp_path, "req-1", (str(log),))

    assert (len(found.served), found.left_out) == (1, 1)


def test_days_around_are_enough_where_the_time_is_known(create, tmp_path):
    """A copy of last month's is not looked at."""
    old = created(saves=3).records[0]
    old.record_id, old.started_at = "f" * 16, "2026-10-01T10:00:00+00:00"
    written(tmp_path / "controller-1", old)
    search = RecordSearch(directories(tmp_path))

    found = search.find(create.request_id, create.records[0].started_at)

    assert ids(found) == set(create.parents)

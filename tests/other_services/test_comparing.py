# SPDX-License-Identifier: Apache-2.0
"""What compares answers and records finds what is wrong with them."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
from places import ROOT

from nova_profiler.projects import BY_NAME
from tests.other_services.comparing import differences, faults
from tests.other_services.services import Request, Service, with_filter
from tests.other_services.services.table import SERVICES

ID = "req-6ec84648-1f0d-4f2c-9a53-6cc2b5e0b7aa"
OTHER_ID = "req-00000000-1f0d-4f2c-9a53-6cc2b5e0b7aa"
SERVICE = Service(
    name="a",
    requirement="a==1",
    application="a.wsgi:application",
    service="a-api",
    configure=lambda folder, is_profiled: None,
    make_database=lambda folder: [],
    environment=lambda folder: {},
    requests=(
        Request("GET", "/things", 200, "/things", db_api=("thing_get",)),
    ),
)
ANSWER = {
    "status": "200 OK",
    "headers": [["x-openstack-request-id", ID]],
    "body": '{"at": "2026-11-29T08:56:35.000000Z"}',
}
RECORD = {
    "service": "a-api",
    "method": "GET",
    "status": 200,
    "route": "/things",
    "response_bytes": 37,
    "request_id": ID,
    "groups": {"sql": {"calls": 2}},
    "calls": [{"group": "db_api", "name": "a.db.api.thing_get"}],
    "duration_ms": 5.0,
    "breakdown_ms": {"python": 4.0, "sql": 1.0},
}


def test_ids_and_times_are_new_in_each_run():
    """All else is the same, byte by byte."""
    again = {
        "status": "200 OK",
        "headers": [["x-openstack-request-id", OTHER_ID]],
        "body": '{"at": "2026-11-29T09:00:00.123456Z"}',
    }

    assert list(differences(SERVICE, [ANSWER], [again])) == []


@pytest.mark.parametrize(
    ("part", "changed"),
    [
        ("status", "200 Fine"),
        ("headers", [["x-openstack-request-id", ID], ["x-more", "1"]]),
        ("body", ANSWER["body"] + " "),
        ("body", '{"at": "2026-11-29T08:56:35.000Z"}'),
    ],
)
def test_any_other_difference_is_one(part, changed):
    """A time of another length, too: it would change the length."""
    (found,) = differences(SERVICE, [ANSWER], [{**ANSWER, part: changed}])

    assert found.startswith(f"GET /things: {part} ")


def test_an_answer_that_was_not_expected_is_one():
    """A service that is not set up answers all requests alike."""
    refused = {**ANSWER, "status": "403 Forbidden"}

    (found,) = differences(SERVICE, [refused], [refused])

    assert "403 Forbidden without the filter, expected 200" in found


def test_a_record_that_is_right_has_no_fault():
    """It is what was answered."""
    assert list(faults(SERVICE, [ANSWER], [RECORD])) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("service", "nova-api"),
        ("route", "unmatched"),
        ("status", 500),
        ("response_bytes", None),
        ("request_id", OTHER_ID),
        ("groups", {}),
        ("calls", []),
        ("calls", [{"group": "rpc", "name": "thing_get"}]),
        ("duration_ms", 9.0),
    ],
)
def test_a_record_that_is_wrong_has_a_fault(name, value):
    """One for each field that is not what the request was."""
    record = {**copy.deepcopy(RECORD), name: value}

    assert len(list(faults(SERVICE, [ANSWER], [record]))) == 1


def test_a_record_that_is_missing_is_a_fault():
    """There is one for each request."""
    assert list(faults(SERVICE, [ANSWER], [])) == ["0 records of 1 requests"]


def test_the_filter_becomes_the_first_word():
    """Of the lines with these keys, and of no other."""
    paste = "[composite:a]\nkeystone = cors app\nnoauth = cors app\n"

    found = with_filter(paste, ("keystone",), "slow_ms = 5\n")

    assert "\nkeystone = nova_profiler cors app\nnoauth = cors app\n" in found
    assert found.endswith("filter_factory\nslow_ms = 5\n\n")


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_what_is_tried_is_what_the_manual_has(service):
    """The release that `check` calls tried is the one that is pinned."""
    distribution, _, version = service.requirement.partition("==")
    project = BY_NAME[service.name]

    pins = [
        line
        for path in (ROOT, Path(__file__).parent)
        for line in (path / "constraints.txt").read_text().splitlines()
    ]
    assert service.requirement in pins
    assert distribution == (project.distribution or project.name)
    assert int(version.partition(".")[0]) in project.tried
    assert project.service == service.service
    assert project.has_paste == service.has_paste
    page = (ROOT / "doc" / "source" / "other_projects.rst").read_text()
    assert f"{service.requirement}, service = {service.service}" in page

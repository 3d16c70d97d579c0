# SPDX-License-Identifier: Apache-2.0
"""Where the filter stands in a paste file, or only seems to stand."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.reading.setup import OK, WARNING, WRONG, Point
from nova_profiler.reading.setup.pipelines import (
    MAKER,
    Sections,
    filters_of,
    load_remedy,
    pipeline_points,
    section_point,
)

OURS = {
    "paste.filter_factory": "nova_profiler.factory:filter_factory",
}
SECTION = ("[filter:nova_profiler]", MAKER)
FILTERS = ["cors", "faultwrap", "osprofiler", "authtoken"]


def sections_with(line: str, **filters: dict[str, str]) -> Sections:
    """Return a map to one pipeline, *line*, and sections of *filters*."""
    return {
        "composite:osapi_compute": {"/v2.1/+": "v21"},
        "composite:v21": {"keystone": line},
        **{f"filter:{name}": options for name, options in filters.items()},
        **{f"filter:{name}": {} for name in FILTERS},
        "app:app": {},
    }


def point_of(sections: Sections) -> Point:
    """Return the point of the one pipeline."""
    (point,) = pipeline_points(sections, filters_of(sections))
    return point


@pytest.mark.parametrize(
    "line", ["cors app nova_profiler", "nova_profiler app nova_profiler"]
)
def test_the_filter_in_the_applications_place_is_wrong(line):
    """paste looks for an application of that name, and nova-api ends."""
    point = point_of(sections_with(line, nova_profiler=OURS))

    assert point.state == WRONG
    assert "nova_profiler is last in it" in point.found
    rest = " ".join(word for word in line.split() if word != "nova_profiler")
    assert point.remedy == (
        "[composite:v21]",
        f"keystone = nova_profiler {rest}",
    )


def test_a_line_of_nothing_else_wants_an_application():
    """Which one only its owner knows."""
    point = point_of(sections_with("nova_profiler", nova_profiler=OURS))

    assert point.state == WRONG
    assert point.remedy[1] == "keystone = nova_profiler APPLICATION"


def test_the_last_place_is_wrong_below_another_filter_of_ours():
    """The outer one times; nova-api does not start all the same."""
    sections = sections_with("cors app nova_profiler", nova_profiler=OURS)
    sections["pipeline:osapi_compute"] = {"pipeline": "nova_profiler map"}
    sections["composite:map"] = sections.pop("composite:osapi_compute")

    points = pipeline_points(sections, ["nova_profiler"])

    assert [point.state for point in points] == [OK, WRONG]


def test_what_is_behind_a_filter_that_is_last_is_looked_at():
    """The application is then the word before it."""
    sections = sections_with("nova_profiler app", nova_profiler=OURS)
    sections["pipeline:osapi_compute"] = {"pipeline": "map nova_profiler"}
    sections["composite:map"] = sections.pop("composite:osapi_compute")

    points = pipeline_points(sections, ["nova_profiler"])

    assert [point.state for point in points] == [WRONG, OK]


@pytest.mark.parametrize(
    "line", ["nova_profiler app", "cors nova_profiler app"]
)
def test_a_second_filter_of_ours_below_the_first_is_right(line):
    """The outer one times, so that nothing before the inner one is missed."""
    sections = sections_with(line, nova_profiler=OURS)
    sections["pipeline:osapi_compute"] = {"pipeline": "nova_profiler map"}
    sections["composite:map"] = sections.pop("composite:osapi_compute")

    outer, inner = pipeline_points(sections, ["nova_profiler"])

    assert outer.found == "in it, outermost"
    assert (inner.state, inner.remedy) == (OK, ())
    assert inner.found == "in it; the one around it does the timing"


def test_a_filter_without_a_section_is_wrong():
    """The line is right; the section is what it lacks."""
    sections = sections_with("nova_profiler cors app")
    point = point_of(sections)

    assert point.state == WRONG
    assert "but there is no [filter:nova_profiler]" in point.found
    assert point.remedy == SECTION
    assert (
        section_point("x.ini", sections, filters_of(sections)).remedy
        == SECTION
    )


@pytest.mark.parametrize("word", ["nova_profilr", "nova-profiler"])
def test_a_slip_in_the_line_is_wrong(word):
    """The remedy is the line without it."""
    point = point_of(sections_with(f"{word} cors app", nova_profiler=OURS))

    assert point.state == WRONG
    assert f"there is no [filter:{word}]" in point.found
    assert point.remedy[1] == "keystone = nova_profiler cors app"


def test_the_usual_name_without_a_section_is_led_to_the_one_there_is():
    """A section of ours of another name need not be written twice."""
    point = point_of(sections_with("nova_profiler cors app", timing=OURS))

    assert point.state == WRONG
    assert point.remedy[1] == "keystone = timing cors app"


def test_a_filter_without_a_section_still_stands_around_the_others():
    """Those below need no second one."""
    sections = sections_with("cors app")
    sections["pipeline:osapi_compute"] = {"pipeline": "nova_profiler map"}
    sections["composite:map"] = sections.pop("composite:osapi_compute")

    points = pipeline_points(sections, [])

    assert [point.state for point in points] == [WRONG, OK]


def test_a_section_of_the_usual_name_is_meant_to_be_ours():
    """Its factory is another point; the line has what it needs."""
    slip = {"paste.filter_factory": "nova_profilr.factory:filter_factory"}
    sections = sections_with("nova_profiler cors app", nova_profiler=slip)

    assert point_of(sections).state == OK
    assert section_point("x.ini", sections, filters_of(sections)).state == OK


@given(
    line=st.lists(st.sampled_from([*FILTERS, "nova_profiler"]), max_size=6),
    tail=st.sampled_from(["app", "app nova_profiler"]),
    is_declared=st.booleans(),
)
def test_a_remedy_that_is_followed_is_a_remedy(line, tail, is_declared):
    """The section and the line, in any order; then all is well."""
    filters = {"nova_profiler": OURS} if is_declared else {}
    sections = sections_with(" ".join([*line, tail]), **filters)

    for _ in range(2):
        point = point_of(sections)
        if point.state == OK:
            break
        assert point.state in (WARNING, WRONG)
        if point.remedy == SECTION:
            sections["filter:nova_profiler"] = OURS
        else:
            key, _, value = point.remedy[1].partition(" = ")
            assert point.remedy[0] == "[composite:v21]"
            assert value != sections["composite:v21"][key]
            sections["composite:v21"][key] = value
    sections["filter:nova_profiler"] = OURS

    assert point_of(sections)[::2] == (OK, "in it, outermost")


@pytest.mark.parametrize(
    "exc",
    [
        AttributeError("module has no attribute 'filterfactory'"),
        ModuleNotFoundError("No module named 'nova_profilr'"),
        LookupError("No loader given in section 'filter:timing'"),
        PackageNotFoundError("nova-profilr"),
    ],
)
def test_a_slip_is_mended_by_the_right_line(exc):
    """In a section of the name that the file has."""
    assert load_remedy("timing", exc) == ("[filter:timing]", MAKER)


def test_a_package_that_pip_does_not_know_is_installed():
    """Or named by its module, for which a path is enough."""
    remedy = load_remedy("timing", PackageNotFoundError("nova-profiler"))

    assert remedy[0] == (
        "pip install nova_profiler-*.whl, in nova-api's environment"
    )
    assert remedy[-1] == MAKER


@pytest.mark.parametrize(
    ("section", "app", "what"),
    [
        ("pipeline:healthcheck", "app", "health checks"),
        ("pipeline:main", "healthcheckapp", "health checks"),
        ("pipeline:apiversions", "app", "version documents"),
    ],
)
def test_what_is_not_the_api_needs_no_filter(section, app, what):
    """Load balancers ask for it all the time."""
    sections = {
        section: {"pipeline": f"cors {app}"},
        "filter:cors": {},
        "filter:nova_profiler": {},
    }

    (point,) = pipeline_points(sections, ["nova_profiler"])

    assert point.state == OK
    assert point.found == f"not in it: {what} are not timed"

# SPDX-License-Identifier: Apache-2.0
"""Pipelines in the shapes that OpenStack's projects give them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.reading.setup import OK, WARNING, WRONG
from nova_profiler.reading.setup.paste_pipelines import pipelines_of
from nova_profiler.reading.setup.pipelines import (
    Sections,
    filters_of,
    pipeline_points,
)

OURS = {"paste.filter_factory": "nova_profiler.factory:filter_factory"}
US = "nova_profiler"


def with_parts(sections: Sections, *apps: str) -> Sections:
    """Return *sections* with ours, some filters, and *apps*."""
    return {
        **sections,
        f"filter:{US}": OURS,
        **{f"filter:{name}": {} for name in ("cors", "auth", "context")},
        **{f"app:{name}": {} for name in ("api", "versions", *apps)},
    }


# Each project's shape, with what stands first in its lines.
def heat(first: str) -> Sections:
    return with_parts(
        {
            "composite:heat-api": {"use": "egg:Paste#urlmap", "/": "inner"},
            "composite:inner": {
                "paste.composite_factory": "heat.api:pipeline_factory",
                "default": f"{first} cors auth context api",
                "standalone": f"{first} cors context api",
            },
        }
    )


def cinder(first: str) -> Sections:
    return with_parts(
        {
            "composite:osapi_volume": {
                "use": "call:cinder.api:root_app_factory",
                "/": "apiversions",
                "/v3": "v3",
            },
            "composite:v3": {
                "use": "call:cinder.api.middleware.auth:pipeline_factory",
                "noauth": f"{first} cors api",
                "keystone": f"{first} cors auth api",
                "keystone_nolimit": f"{first} cors auth api",
            },
            "pipeline:apiversions": {"pipeline": "cors versions"},
        }
    )


def glance(first: str) -> Sections:
    return with_parts(
        {
            "pipeline:glance-api": {"pipeline": f"{first} cors rootapp"},
            "pipeline:glance-api-keystone": {
                "pipeline": f"{first} cors auth rootapp"
            },
            "composite:rootapp": {
                "paste.composite_factory": "glance.api:root_app_factory",
                "/": "versions",
                "/v2": "api",
            },
        }
    )


def neutron(first: str) -> Sections:
    maker = {"use": "call:neutron.auth:pipeline_factory"}
    return with_parts(
        {
            "composite:neutron": {
                "use": "egg:Paste#urlmap",
                "/": "neutronversions_composite",
                "/v2.0": "neutronapi",
            },
            "composite:neutronapi": {
                **maker,
                "noauth": f"{first} cors api",
                "keystone": f"{first} cors auth api",
            },
            "composite:neutronversions_composite": {
                **maker,
                "noauth": "cors versions",
                "keystone": "cors versions",
            },
        }
    )


def keystone(first: str) -> Sections:
    return with_parts(
        {
            "pipeline:public_api": {"pipeline": f"{first} cors api"},
            "pipeline:public_version_api": {"pipeline": "cors versions"},
            "composite:main": {
                "use": "egg:Paste#urlmap",
                "/v3": "public_api",
                "/": "public_version_api",
            },
        }
    )


def gnocchi(first: str) -> Sections:
    return with_parts(
        {
            "composite:g+noauth": {
                "use": "egg:Paste#urlmap",
                "/": "gversions",
                "/v1": "g1+noauth",
            },
            "composite:g+keystone": {
                "use": "egg:Paste#urlmap",
                "/": "gversions",
                "/v1": "g1+keystone",
            },
            "pipeline:g1+noauth": {"pipeline": f"{first} cors api"},
            "pipeline:g1+keystone": {"pipeline": f"{first} cors auth api"},
            "pipeline:gversions": {"pipeline": "cors versions"},
        }
    )


def magnum(first: str) -> Sections:
    return with_parts({"pipeline:main": {"pipeline": f"{first} cors api"}})


def trove(first: str) -> Sections:
    return with_parts(
        {
            "composite:trove": {
                "use": "call:trove.common.wsgi:versioned_urlmap",
                "/": "versions",
                "/v1.0": "troveapi",
            },
            "pipeline:troveapi": {"pipeline": f"{first} cors api"},
        }
    )


def filter_app(first: str) -> Sections:
    made = with_parts({"filter-app:main": {"use": first, "next": "inner"}})
    made["pipeline:inner"] = {"pipeline": "cors api"}
    return made


def filter_with(first: str) -> Sections:
    return with_parts(
        {
            "app:main": {"use": "inner", "filter-with": first},
            "pipeline:inner": {"pipeline": "cors api"},
        }
    )


def egg(first: str) -> Sections:
    word = "egg:nova-profiler" if first == US else first
    made = with_parts({"pipeline:main": {"pipeline": f"{word} cors api"}})
    del made[f"filter:{US}"]
    return made


def alias(first: str) -> Sections:
    """Names that lead to another section by ``use``."""
    return with_parts(
        {
            "application:main": {"use": "inner"},
            "composit:inner": {"/": "p", "domain a.example": "p"},
            "pipeline:p": {"pipeline": f"{first} cors api"},
        }
    )


SHAPES = (
    heat,
    cinder,
    glance,
    neutron,
    keystone,
    gnocchi,
    magnum,
    trove,
    filter_app,
    filter_with,
    egg,
    alias,
)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_filter_that_is_there_is_found(shape):
    """In each pipeline that is no version document's."""
    sections = shape(US)

    points = pipeline_points(sections, filters_of(sections))

    assert points
    assert {point.state for point in points} == {OK}
    assert any(
        point.found in ("in it, outermost", "timed by the filter around it")
        for point in points
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_a_filter_that_is_missing_is_missed(shape):
    """At least one pipeline is wrong, with a line to paste."""
    sections = shape("context")

    points = pipeline_points(sections, filters_of(sections))

    wrong = [point for point in points if point.state == WRONG]
    assert wrong
    assert all(" = nova_profiler " in point.remedy[1] for point in wrong)


@pytest.mark.parametrize("shape", [heat, glance, gnocchi])
def test_one_pipeline_of_several_may_be_all_that_is_used(shape):
    """An option chooses it: a warning is enough for the others."""
    sections = shape(US)
    lines = [
        (section, key)
        for section, options in sections.items()
        for key, text in options.items()
        if text.startswith(US + " ")
    ]
    section, key = lines[0]
    sections[section][key] = sections[section][key].removeprefix(US)

    points = pipeline_points(sections, filters_of(sections))

    by_name = {point.name: point.state for point in points}
    assert by_name.pop(f"[{section}] {key}") == WARNING
    assert set(by_name.values()) == {OK}


def test_what_a_factory_alone_knows_is_a_warning():
    """It leads somewhere, and no file has where."""
    sections = with_parts(
        {
            "composite:main": {
                "paste.composite_factory": "a.b:c",
                "description": "my own api",
                "flavour": "plain",
            }
        }
    )

    (point,) = pipeline_points(sections, filters_of(sections))

    assert point.state == WARNING
    assert "[composite:main] may lead through the filter" in point.found


def test_a_filter_around_one_way_only_is_not_around_the_other():
    """Requests come by both; the order of sections does not matter."""
    sections = with_parts(
        {
            "composite:main": {"/a": "outer", "/b": "inner"},
            "pipeline:outer": {"pipeline": f"{US} inner"},
            "pipeline:inner": {"pipeline": "cors api"},
        }
    )

    found = {one.section: one for one in pipelines_of(sections, [US])}

    assert not found["pipeline:inner"].is_covered
    del sections["composite:main"]
    found = {one.section: one for one in pipelines_of(sections, [US])}
    assert found["pipeline:inner"].is_covered


def test_many_ways_to_one_place_are_walked_once():
    """Each of 400 floors has two doors to the next: 2 ** 400 ways."""
    sections = with_parts(
        {
            f"composite:{n}": {"/a": str(n + 1), "/b": str(n + 1)}
            for n in range(400)
        }
    )
    sections["pipeline:400"] = {"pipeline": "cors api"}

    (pipeline,) = pipelines_of(sections, [US])

    assert pipeline.section == "pipeline:400"


def test_a_long_chain_is_walked_to_its_end():
    """Deeper than Python would call itself."""
    sections = with_parts(
        {f"composite:{n}": {"/": str(n + 1)} for n in range(20_000)}
    )
    sections["pipeline:20000"] = {"pipeline": f"{US} api"}

    (pipeline,) = pipelines_of(sections, [US])

    assert pipeline.section == "pipeline:20000"


NAMES = st.sampled_from(["a", "b", "c", US, "cors", "api", "egg:x", ""])
OPTIONS = st.dictionaries(
    st.sampled_from(
        ["/", "/x", "use", "next", "pipeline", "keystone", "default"]
        + ["filter-with", "paste.composite_factory", "set x"]
    ),
    st.lists(NAMES, max_size=4).map(" ".join),
)


@given(
    st.dictionaries(
        st.tuples(
            st.sampled_from(
                ["app:", "composite:", "pipeline:", "filter-app:", "filter:"]
            ),
            NAMES,
        ).map("".join),
        OPTIONS,
        max_size=8,
    )
)
def test_any_file_has_points(sections):
    """None is without a name, and each that is not well has a remedy."""
    for point in pipeline_points(sections, filters_of(sections)):
        assert point.name
        assert point.state == OK or point.remedy

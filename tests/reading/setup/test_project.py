# SPDX-License-Identifier: Apache-2.0
"""Which project is set up, and whether its release was tried."""

from __future__ import annotations

from importlib import metadata

import pytest

from nova_profiler.projects import BY_NAME, PROJECTS, project_named
from nova_profiler.reading.setup import OK, WARNING
from nova_profiler.reading.setup.project import project_of, project_point


@pytest.fixture
def installed(monkeypatch):
    """Return the versions of what is installed, by distribution."""
    versions: dict[str, str] = {}

    def version(name):
        try:
            return versions[name]
        except KeyError:
            raise metadata.PackageNotFoundError(name) from None

    monkeypatch.setattr(metadata, "version", version)
    return versions


@pytest.mark.parametrize(
    ("options", "project"),
    [
        ({"use": "call:cinder.api:root_app_factory"}, "cinder"),
        ({"paste.app_factory": "glance.api.v2.router:API.factory"}, "glance"),
        ({"paste.composite_factory": "heat.api:pipeline_factory"}, "heat"),
        ({"use": "egg:Paste#urlmap"}, "nova"),
        ({"use": "call:novanet.api:factory"}, "nova"),
        ({}, "nova"),
    ],
)
def test_a_paste_file_is_its_applications(options, project):
    """By what makes them; nova's where none is known."""
    assert project_of({"composite:main": options}) == project


def test_filters_and_single_applications_of_others_do_not_count():
    """Most projects use filters of oslo and of keystone."""
    sections = {
        "filter:authtoken": {"use": "call:keystone.auth:filter"},
        "app:one": {"paste.app_factory": "manila.api.v1.router:factory"},
        "app:two": {"paste.app_factory": "manila.api.v2.router:factory"},
        "app:three": {"paste.app_factory": "cinder.api:factory"},
    }

    assert project_of(sections) == "manila"


def test_a_release_that_was_tried_is_right(installed):
    """With what names its routes."""
    installed["openstack-placement"] = "16.0.1"

    assert project_point("placement") == (
        OK,
        "project",
        "placement 16.0.1, its routes are named by its own table",
        (),
    )


@pytest.mark.parametrize(
    ("name", "version", "tried"),
    [("cinder", "99.0.0", "29"), ("octavia", "19.0.0", "none")],
)
def test_another_release_is_a_warning(installed, name, version, tried):
    """Its routes may be general; all else is as it is."""
    installed[name] = version

    point = project_point(name)

    assert point.state == WARNING
    assert point.found == (
        f"{name} {version} is not a release that was tried ({tried})"
    )
    assert "learned from paths" in " ".join(point.remedy)


def test_a_project_that_is_not_here_is_a_warning(installed):
    """Another environment has it."""
    point = project_point("keystone")

    assert point.state == WARNING
    assert point.remedy == ("run this with the Python of keystone",)


def test_a_project_that_is_not_known_is_a_warning(installed):
    """Its routes are learned."""
    point = project_point("blazar")

    assert point.state == WARNING
    assert "blazar is not known" in point.found


def test_each_project_stands_once():
    """By its package, with a service of its own."""
    assert len(BY_NAME) == len(PROJECTS)
    assert len({one.service for one in PROJECTS}) == len(PROJECTS)
    for one in PROJECTS:
        assert project_named(f"{one.name}.wsgi.api") is one
        assert one.has_paste != bool(one.application)


@pytest.mark.parametrize("name", [None, 5, "", "novanet.wsgi", ".nova"])
def test_what_is_no_project_is_none(name):
    """Whatever a configuration has for its project."""
    assert project_named(name) is None

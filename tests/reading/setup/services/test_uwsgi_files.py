# SPDX-License-Identifier: Apache-2.0
"""What a file of uWSGI serves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.reading.setup.services.uwsgi_files import (
    OURS,
    uwsgi_file,
)


@pytest.fixture
def of(tmp_path):
    """Return what reads a file of a text."""

    def read(text: str):
        path = tmp_path / "x.ini"
        path.write_text(text)
        return uwsgi_file(str(path))

    return read


@pytest.mark.parametrize(
    "line, application",
    [
        ("module = placement.wsgi.api:application", None),
        ("wsgi = placement.wsgi.api:application", None),
        ("wsgi-file = /usr/bin/placement-api", "placement-api"),
    ],
)
def test_what_it_serves(of, line, application):
    """By any of its names for a module."""
    found = of(f"[uwsgi]\nprocesses = 2\n{line}\n")

    assert found.application == application or line.endswith(found.application)
    assert not found.is_wrapped


def test_what_ours_is_around(of):
    """Named in the environment, beside other variables."""
    found = of(
        f"[uwsgi]\nmodule={OURS}\nenv = A=1\n"
        "env = NOVA_PROFILER_APPLICATION=keystone.wsgi.api:application\n"
        "env = B=2\nvenv = /opt/v\n"
    )

    assert found.is_wrapped
    assert found.application == "keystone.wsgi.api:application"
    assert found.venv == "/opt/v"


def test_what_is_not_in_force(of):
    """A comment, another section, a file of another kind."""
    assert of(f"[uwsgi]\n#module = {OURS}\n;module = x\n") is None
    assert of("[other]\nmodule = x:y\n") is None
    assert of("[pipeline:meta]\npipeline = a b\n") is None


def test_a_file_that_is_gone(tmp_path):
    """The caller has to know."""
    with pytest.raises(FileNotFoundError, match="none.ini"):
        uwsgi_file(str(tmp_path / "none.ini"))


@given(text=st.text(alphabet="[uwsgi]module= \n:env#%$", max_size=80))
def test_any_text(text, tmp_path_factory):
    """Whatever stands in a file of that name."""
    path = tmp_path_factory.getbasetemp() / "any.ini"
    path.write_text(text)

    uwsgi_file(str(path))

# SPDX-License-Identifier: Apache-2.0
"""What installers of a hook share is in place once, as long as one has it."""

from __future__ import annotations

import pytest

from nova_profiler.capture.hooks import Shared


@pytest.fixture
def steps():
    return []


@pytest.fixture
def begin(steps):
    """Return what an installer calls; *steps* has what was done."""

    def begin():
        steps.append("begun")
        return lambda: steps.append("undone")

    return begin


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_first_begins_and_the_last_undoes(order, steps, begin):
    shared = Shared()
    undos = [shared.install(begin), shared.install(begin)]

    undos[order[0]]()
    assert steps == ["begun"]

    undos[order[1]]()
    assert steps == ["begun", "undone"]


def test_an_installer_that_undoes_twice_counts_once(steps, begin):
    """Else it would take away what another one still has."""
    shared = Shared()
    first, second = shared.install(begin), shared.install(begin)

    first()
    first()
    assert steps == ["begun"]

    second()
    second()
    assert steps == ["begun", "undone"]


def test_what_failed_to_begin_begins_with_the_next(steps, begin):
    shared = Shared()

    def fails():
        raise RuntimeError("no such class")

    with pytest.raises(RuntimeError, match="no such class"):
        shared.install(fails)
    undo = shared.install(begin)
    undo()

    assert steps == ["begun", "undone"]

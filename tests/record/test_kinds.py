# SPDX-License-Identifier: Apache-2.0
"""The table of kinds: what readers of names and of text tell them by."""

from __future__ import annotations

import pytest

from nova_profiler.capture.served.kinds.periodic_tasks import Periodic
from nova_profiler.capture.served.kinds.running_task import Task
from nova_profiler.record import KINDS, PERIODIC, REQUEST, TASK, kind_of_method
from nova_profiler.routes import METHODS, OTHER_METHOD


def test_a_method_is_of_one_kind():
    """Those of HTTP are of requests; no two kinds have the same one."""
    methods = [method for kind in KINDS for method in kind.methods]

    assert len(set(methods)) == len(methods)
    for kind in KINDS:
        assert {kind_of_method(one) for one in kind.methods} <= {kind}
    for method in (*METHODS, OTHER_METHOD, ""):
        assert kind_of_method(method) == REQUEST


def test_a_word_is_of_one_kind():
    """A request's route is a path, of all others a word comes first."""
    words = [kind.word for kind in KINDS]

    assert len(set(words)) == len(words)
    assert [kind for kind in KINDS if not kind.word] == [REQUEST]
    assert [kind for kind in KINDS if not kind.methods] == [REQUEST]


@pytest.mark.parametrize(
    ("made", "kind"), [(Task, TASK), (Periodic, PERIODIC)]
)
def test_records_have_the_methods_of_the_table(made, kind):
    """Capture makes the method of the route's word."""
    served = made.__new__(made)

    served.take_route(f"{kind.word} a b")

    assert (served.method,) == kind.methods
    assert made.kind == kind

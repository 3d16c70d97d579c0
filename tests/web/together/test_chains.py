# SPDX-License-Identifier: Apache-2.0
"""Functions that only pass calls on are left out; times stay the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.profiles.functions import Function
from nova_profiler.profiles.stack_nodes import Node
from nova_profiler.web.together.chains import without_chains

SITE = "/usr/lib/python3/dist-packages/"
LIBRARY, OTHER, NOVA, WRAPPER = (
    Function(SITE + path, 1, name)
    for path, name in (
        ("webob/dec.py", "__call__"),
        ("oslo/mid.py", "send"),
        ("nova/api.py", "API.get"),
        ("nova/api.py", "wrapper"),
    )
)


def own_s(node):
    """Return a node's own time."""
    return node.busy_s + node.waiting_s


def tree(*stacks):
    """Return the tree of (functions, seconds)."""
    root = Node(Function("", 0, ""))
    for functions, seconds in stacks:
        node = root
        for function in functions:
            node = node.children.setdefault(function, Node(function))
        node.busy_s += seconds
    return root


def outline(node):
    """Return names with times, those called in a list."""
    return [
        (child.function.name, round(child.busy_s, 3), outline(child))
        for child in node.children.values()
    ]


def whole_s(node):
    """Return the time of a node with all below it."""
    return own_s(node) + sum(map(whole_s, node.children.values()))


def test_what_passes_on_is_left_out():
    """Libraries and decorators; Nova's own functions stay."""
    root = tree(
        ([LIBRARY, OTHER, WRAPPER, NOVA, LIBRARY], 0.99),
        ([LIBRARY, OTHER], 0.01),
    )

    found = without_chains(root, own_s, Node)

    assert outline(found) == [("API.get", 0.0, [("__call__", 0.99, [])])]
    assert round(found.busy_s, 3) == 0.01


def test_what_forks_or_works_stays():
    """A library whose time goes to several functions tells something."""
    root = tree(([LIBRARY, NOVA], 0.5), ([LIBRARY, OTHER], 0.5))

    found = without_chains(root, own_s, Node)

    assert [name for name, *_ in outline(found)] == ["__call__"]


def test_functions_that_come_together_are_one():
    """Of two callers that are left out."""
    root = tree(([LIBRARY, NOVA], 0.5), ([OTHER, NOVA], 0.25))

    assert outline(without_chains(root, own_s, Node)) == [
        ("API.get", 0.75, [])
    ]


STACKS = st.lists(
    st.tuples(
        st.lists(st.sampled_from([LIBRARY, OTHER, NOVA, WRAPPER]), max_size=8),
        st.floats(0, 10),
    ),
    max_size=12,
)


@given(STACKS)
def test_times_add_up_to_the_same(stacks):
    """Whatever is left out."""
    root = tree(*stacks)

    found = without_chains(root, own_s, Node)

    assert abs(whole_s(found) - whole_s(root)) < 1e-6


def test_very_deep_stacks():
    """Deeper than the interpreter's own."""
    root = tree(([LIBRARY, NOVA] * 3000, 1.0))

    found = without_chains(root, own_s, Node)

    assert found.children[NOVA].children[NOVA].function is NOVA

# SPDX-License-Identifier: Apache-2.0
"""Our errors have one base, which the command line turns into one line."""

from __future__ import annotations

import ast
import builtins

import click
import pytest
from places import ROOT

from nova_profiler import cli
from nova_profiler.errors import NovaProfilerError, missing_extra

# Not for people: SIGTERM on its way through the command; what the reader of
# stacks and its start test meet, which ends in a refusal of one line.
FLOW = {
    *(
        "Gone",
        "_Enough",
        "LayoutError",
        "Mismatch",
        "Over",
        "Refusal",
        "Refused",
    ),
    *("Terminated", "Torn", "Unmarked", "Unseen"),
}
# A failure of the system, which Failures.note() logs by its strerror.
SYSTEM = {"NoSocketError", "StacksError", "UntrustedFolder"}


def test_an_error_is_one_line_and_a_2(monkeypatch, capsys):
    """Whatever a stranger's file puts into it."""

    def failing(*args, **kwargs):
        raise NovaProfilerError("bad\x1b[2Jname.json: not a dump")

    monkeypatch.setattr(cli, "group", click.Command("x", callback=failing))

    assert cli.main([]) == 2
    told = capsys.readouterr().err
    shown = "bad\N{REPLACEMENT CHARACTER}[2Jname.json"
    assert told == f"nova-profiler: {shown}: not a dump\n"


def test_an_extra_that_is_missing_has_one_form():
    """What, and the command that brings it."""
    assert str(missing_extra("pages need Jinja2", "html")) == (
        "pages need Jinja2: pip install 'nova-profiler[html]'"
    )


def test_each_error_of_ours_has_the_base():
    """Else a command would answer a user's mistake with a traceback."""
    classes = {}
    for path in (ROOT / "nova_profiler").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                classes[node.name] = [ast.unparse(base) for base in node.bases]

    def is_error(name):
        found = getattr(builtins, name, None)
        if isinstance(found, type):
            return issubclass(found, BaseException)
        return any(is_error(base) for base in classes.get(name, ()))

    def has_base(name):
        return name == "NovaProfilerError" or any(
            has_base(base) for base in classes.get(name, ())
        )

    errors = {name for name in classes if is_error(name)}

    assert len(errors) > 10
    assert {name for name in errors if not has_base(name)} == FLOW | SYSTEM


@pytest.mark.parametrize("name", sorted(FLOW | SYSTEM))
def test_each_exception_to_that_is_still_there(name):
    """So that the lists above do not outlive what they name."""
    found = [
        path
        for path in (ROOT / "nova_profiler").rglob("*.py")
        if f"class {name}(" in path.read_text()
    ]

    assert len(found) == 1

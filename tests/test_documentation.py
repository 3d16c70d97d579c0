# SPDX-License-Identifier: Apache-2.0
"""The manual agrees with the code: options, record fields, tests."""

from __future__ import annotations

import ast
import functools
import importlib
import re

import click
import pytest
from oslo_config import cfg
from places import ROOT, TESTS

from nova_profiler import record
from nova_profiler.capture.settings.options import OPTIONS
from nova_profiler.cli import group

DOC = ROOT / "doc" / "source"


def documented_options() -> dict[str, tuple[bool, str]]:
    """Return (changes while running, default) by option, from the table."""
    text = (DOC / "configuration.rst").read_text()
    rows = re.findall(
        r"^   \* - ``(\w+)``\n     - (.+)\n     - (.+)\n", text, re.MULTILINE
    )
    return {name: (mark == "R", default) for name, mark, default in rows}


def shown_default(option: cfg.Opt) -> str:
    """Return an option's default as the manual writes it."""
    if option.default is None:
        return "unset"
    if isinstance(option.default, bool):
        return f"``{str(option.default).lower()}``"
    if isinstance(option.default, list):
        return (
            f"``{', '.join(option.default)}``" if option.default else "empty"
        )
    return f"``{option.default}``"


def documented_names(page: str) -> set[str]:
    """Return what *page* puts into the first column of its tables."""
    text = (DOC / page).read_text()
    cells = re.findall(r"^   \* - (``.*)$", text, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"``(\w+)``", cell)}


def test_every_option_is_in_the_table():
    """The overview of options is that of the code, defaults included."""
    expected = {
        option.name: (option.mutable, shown_default(option))
        for option in OPTIONS
    }

    documented = documented_options()

    assert documented == expected


def test_every_field_of_the_record_is_documented():
    """Each field of the record stands in a table, and nothing else does."""
    full = record.RequestRecord()
    full.statements = []
    full.timeline = []

    documented = documented_names("reference/record.rst")

    assert set(full.to_dict()) <= documented


def test_every_column_of_the_rows_is_documented():
    """Each column of the record's rows is named on the record's page."""
    text = (DOC / "reference" / "record.rst").read_text()
    columns = {
        column
        for row in (
            record.GroupTotals,
            record.CallTotals,
            record.StatementTotals,
            record.TimelineEntry,
        )
        for column in row._fields
    }

    missing = {
        column for column in columns if not re.search(rf"\b{column}\b", text)
    }

    assert not missing


def test_no_example_of_ours_is_in_a_folder_of_all_users():
    """What lies in /tmp may have been put there by another user."""
    pages = [
        ROOT / "README.rst",
        *(ROOT / "doc" / "source").rglob("*.rst"),
        *(ROOT / "etc").rglob("*.sample"),
    ]
    places = re.compile(r"(?:_dir|_file)\s*=\s*\"?/(?:var/)?tmp\b")

    assert [one for one in pages if places.search(one.read_text())] == []


def test_options_in_the_readme_exist():
    """What the README sets in nova.conf are options that there are."""
    text = (ROOT / "README.rst").read_text()
    names = {
        name
        for block in re.findall(
            r"\[nova_profiler\]\n((?: +\w+ = .*\n)+)", text
        )
        for name in re.findall(r"^ +(\w+) =", block, re.MULTILINE)
    }

    assert names
    assert names <= {option.name for option in OPTIONS}


def shown_commands() -> list[tuple[str, str]]:
    """Return (page, command line) of each of ours that is to be typed."""
    pages = [ROOT / "README.rst", *DOC.rglob("*.rst")]
    return [
        (page.name, line)
        for page in pages
        for line in re.findall(
            r"^ .*?\bnova-profiler ([a-z].*)$|``nova-profiler ([a-z][^`]*)``",
            page.read_text(),
            re.MULTILINE,
        )
        for line in ["".join(line)]
    ]


def test_every_command_that_is_shown_exists():
    """With its options: a page that is typed off must not fail."""
    wrong = []
    seen = 0
    for page, line in shown_commands():
        # What stands behind a pipe is another program.
        words = re.split(r"#| [|] ", line)[0].split()
        context = click.Context(group)
        command = group.get_command(context, words[0])
        if command is None:
            continue
        if isinstance(command, click.Group) and words[1:]:
            command = command.get_command(context, words[1]) or command
        known = {"--help", "-h"}
        for parameter in command.params:
            known.update(parameter.opts)
        seen += 1
        wrong += [
            (page, line, word)
            for word in words
            if re.fullmatch(r"--[a-z-]+", word) and word not in known
        ]

    assert seen > 50
    assert wrong == []


def test_the_paste_line_in_the_readme_leads_to_the_filter():
    """What the README has an operator paste into api-paste.ini exists."""
    lines = re.findall(
        r"paste\.filter_factory = (\S+):(\S+)",
        (ROOT / "README.rst").read_text(),
    )

    factories = [
        getattr(importlib.import_module(module), name)
        for module, name in lines
    ]

    assert factories
    assert all(map(callable, factories))


@pytest.mark.parametrize(
    ("page", "heads", "least"),
    [
        ("promises.rst", ("promise",), 20),
        ("safety.rst", ("promise",), 25),
        ("real_servers.rst", ("server", "agent", "way", "project"), 4),
    ],
)
def test_every_test_that_proves_a_row_exists(page, heads, least):
    """Each row of these pages names tests by file, and they are there."""
    text = (DOC / page).read_text()
    rows = re.split(r"^   \* - ", text, flags=re.MULTILINE)[1:]

    proofs = [
        proofs_in(row)
        for row in rows
        if not row.startswith(tuple(f"{head}\n" for head in heads))
    ]

    assert len(proofs) >= least
    assert all(proofs)
    assert [
        f"{path}::{name}"
        for path, name in sum(proofs, [])
        if name not in functions_of(path)
    ] == []


def test_the_page_of_safety_answers_its_four_questions():
    """Each has a part of its own, with promises."""
    text = (DOC / "safety.rst").read_text()

    parts = {
        part.splitlines()[0]: part.count("\n   * - ") - 1
        for part in re.split(r"\n\n(?=[A-Z][^\n]+\n=+\n)", text)
        if "list-table" in part
    }

    assert set(parts) >= {
        "Who may read it",
        "What is never kept",
        "What a client can cause",
        "What a stranger's folder can cause",
    }
    assert min(parts.values()) > 0


def proofs_in(row: str) -> list[tuple[str, str]]:
    """Return (path, test) of a row: a file's name stands before its tests."""
    path = ""
    found = []
    for word in re.findall(r"``([\w/]+\.py|test_\w+)``", row):
        if word.endswith(".py"):
            path = word
        else:
            found.append((path, word))
    return found


@functools.cache
def functions_of(path: str) -> set[str]:
    """Return the names of the functions of a file below tests/."""
    file = TESTS / path
    if not file.is_file():
        return set()
    return {
        node.name
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef)
    }


# Words for people, which things must not have: CONTRIBUTING, "How words look
# here". The count is what is printed by
#     grep -rniwE 'told|said|nobody|somebody|whoever|who' nova_profiler
FOR_PEOPLE = re.compile(r"(?i)\b(?:told|said|nobody|somebody|whoever|who)\b")


def test_things_neither_tell_nor_say():
    """In the package; a few sentences are of people."""
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for ending in ("*.py", "*.html")
        for path in sorted((ROOT / "nova_profiler").rglob(ending))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if FOR_PEOPLE.search(line)
    ]

    assert len(found) < 10, "\n".join(found)


def test_the_house_keeps_its_measures():
    """At most 14 files in a folder, 60 lines in a function, 8 doors."""
    package = ROOT / "nova_profiler"
    folders = [package, *(p for p in package.rglob("*") if p.is_dir())]
    sizes = {
        str(folder.relative_to(ROOT)): len(list(folder.glob("*.*")))
        for folder in folders
        if folder.name != "__pycache__"
    }
    lengths = {
        f"{path.relative_to(ROOT)}:{node.lineno}": (
            (node.end_lineno or 0) - node.lineno + 1
        )
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
    }
    # ``python -m`` opens the same door as the command.
    doors = {path.stem for path in package.glob("*.py")}
    top = doors - {"__init__", "__main__"}

    assert {k: n for k, n in sizes.items() if n > 14} == {}
    assert {k: n for k, n in lengths.items() if n > 60} == {}
    assert len(top) <= 8


def test_the_metrics_of_every_kind_are_documented():
    """Their names in either form, with what the parts are of."""
    text = (DOC / "reference" / "metrics.rst").read_text()

    for kind in record.KINDS:
        tags = ", ".join(f"``{part}``" for part in kind.metric)
        assert f"``<prefix>.<service>.{kind.name}.<" in text
        assert f"``<prefix>.{kind.name}``\n     - {tags}\n" in text


def test_every_method_of_a_kind_is_documented():
    """Those of HTTP are known."""
    text = (DOC / "reference" / "record.rst").read_text()

    for kind in record.KINDS:
        for method in kind.methods:
            assert f"``{method}``" in text

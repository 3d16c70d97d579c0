# SPDX-License-Identifier: Apache-2.0
"""The command prints the schema of either."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from nova_profiler.cli import main
from nova_profiler.record.json_schema import FORMS, schema_of


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_printed_whole(form, capsys):
    """As JSON, and valid as a schema."""
    assert main(["schema", form]) == 0
    printed = json.loads(capsys.readouterr().out)

    Draft202012Validator.check_schema(printed)
    assert printed == schema_of(form)


def test_without_a_word_it_is_that_of_a_line(capsys):
    """It is what shippers read."""
    assert main(["schema"]) == 0

    assert json.loads(capsys.readouterr().out) == schema_of("record")


def test_another_word_is_refused(capsys):
    """In one line, with both that there are."""
    assert main(["schema", "log"]) == 2

    error = capsys.readouterr().err
    assert "'record'" in error
    assert "'dump'" in error
    assert error.count("\n") == 1

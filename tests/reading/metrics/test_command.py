# SPDX-License-Identifier: Apache-2.0
"""The command prints whole files, and takes the prefix of nova.conf."""

from __future__ import annotations

import json

import pytest
import yaml

from nova_profiler import cli
from nova_profiler.reading.metrics.command import FORMS


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_a_file_by_itself(form, capsys):
    """YAML or JSON that can be read, with the prefix if it has one."""
    assert cli.main(["metrics", form, "--prefix", "cloud.nova"]) == 0
    text = capsys.readouterr().out

    assert isinstance(yaml.safe_load(text), dict)
    if form == "grafana":
        assert json.loads(text)["panels"]


def test_a_prefix_is_cleaned_as_the_sink_does_it(capsys):
    """It cannot end a string of YAML."""
    cli.main(["metrics", "statsd-exporter", "--prefix", 'a"b\n: {}.c'])
    rules = yaml.safe_load(capsys.readouterr().out)["mappings"]

    assert all(rule["match"].startswith("a_b") for rule in rules)


@pytest.mark.parametrize("prefix", ["", "."])
def test_an_empty_prefix_is_refused(prefix, capsys):
    """Every metric of everybody would be ours."""
    assert cli.main(["metrics", "rules", "--prefix", prefix]) == 2
    assert "--prefix" in capsys.readouterr().err


def test_the_help_names_each_form(capsys):
    """With what it is."""
    cli.main(["metrics", "--help"])
    text = " ".join(capsys.readouterr().out.split())

    for name, form in FORMS.items():
        assert f"{name} {form.meaning}" in text


def test_an_unknown_form_has_all_names_in_a_line(capsys):
    """The way out is in the message, and the usage is one word."""
    assert cli.main(["metrics", "mapping"]) == 2
    text = capsys.readouterr().err

    assert text.startswith("nova-profiler: Invalid value for 'FORM': ")
    assert all(f"'{form}'" in text for form in FORMS)
    assert text.count("\n") == 1

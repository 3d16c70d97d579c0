# SPDX-License-Identifier: Apache-2.0
"""Ini files of any blanks: configparser gets few of them in a row."""

from __future__ import annotations

import configparser
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.trust.ini_text import for_configparser

BLANKS = "\t \x0b\x0c\u00a0\u3000"


@given(st.text(alphabet=f"[]=:a\r\n{BLANKS}") | st.text())
def test_text_without_long_runs_is_as_it_was(text):
    """Each blank of it has its meaning."""
    assert for_configparser(text) == text


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize("around", ["a{}b\n[c]", "{}\n", "a ={}b", "a{}"])
def test_no_line_has_many_blanks_in_a_row(blank, around):
    """Whatever they are; lines stay lines."""
    found = for_configparser(around.format(blank * 60_000))

    assert max(map(len, re.findall(r"\s+", found)), default=0) < 100
    assert found.count("\n") == around.count("\n")


def test_an_option_behind_them_is_read():
    """And one that is continued is."""
    text = "[a]\nb{0}={0}c\n{0}d\n".format(" " * 5000)
    parser = configparser.RawConfigParser()

    parser.read_string(for_configparser(text))

    assert parser["a"]["b"] == "c\nd"

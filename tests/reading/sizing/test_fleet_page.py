# SPDX-License-Identifier: Apache-2.0
"""The commands on the manual's page of a fleet are ones that there are."""

from __future__ import annotations

import re
import shlex

import pytest
from places import ROOT

from nova_profiler.capture.settings.options import OPTION_OF, parsed
from nova_profiler.reading.sizing.command import command

PAGE = (ROOT / "doc" / "source" / "fleet.rst").read_text()
COMMANDS = [
    shlex.split(line)[2:]
    for line in re.findall(
        r"^   \$ (nova-profiler size .*)$",
        PAGE.replace("\\\n", " "),
        re.MULTILINE,
    )
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_the_words_are_taken(words, tmp_path):
    """With a folder that is there in the place of theirs."""
    if "--dump-dir" in words:
        words = list(words)
        words[words.index("--dump-dir") + 1] = str(tmp_path)

    context = command.make_context("nova-profiler size", list(words))

    assert context.params["processes"]


def test_there_is_one_for_each_table():
    """The one to copy, that of the API and that of the computes."""
    assert len(COMMANDS) == 3
    assert PAGE.count("\n   Metrics to statsd\n") == 2


def test_options_of_the_page_are_options():
    """What is to be put into nova.conf for ten minutes."""
    ((block),) = re.findall(r"\[nova_profiler\]\n((?:   \w+ = .*\n)+)", PAGE)

    for line in block.splitlines():
        name, _, value = line.strip().partition(" = ")
        assert name in OPTION_OF
        parsed(name, value, "the page")

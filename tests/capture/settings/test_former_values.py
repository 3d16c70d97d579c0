# SPDX-License-Identifier: Apache-2.0
"""A file of the release before starts the service, and is warned about."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oslo_config import cfg

from nova_profiler.capture.settings.former_values import FormerValues
from nova_profiler.capture.settings.live import LiveSettings
from nova_profiler.capture.settings.options import (
    PROFILERS,
    ConfigError,
    parsed,
)

PLACE = "nova.conf, [nova_profiler]"
WARNING = (
    "profiler = pyspy: stacks has taken its place and is used; write "
    "profiler = stacks"
)


def started(conf_file, **local_conf):
    """Return the settings of a host with *conf_file*."""
    conf = cfg.ConfigOpts()
    conf([], project="nova", default_config_files=[str(conf_file)])
    return LiveSettings(conf, {}, local_conf)


@pytest.fixture
def nova_conf(tmp_path):
    """Return a nova.conf as the release before took it."""
    path = tmp_path / "nova.conf"
    path.write_text("[nova_profiler]\nprofiler = pyspy\n")
    return path


def test_a_former_engine_is_taken_for_its_successor(nova_conf):
    """With one line that says what to write."""
    live = started(nova_conf)

    assert live.current.profiler == "stacks"
    assert live.warnings == [f"{PLACE}: {WARNING}"]


def test_a_section_of_a_paste_file_is_told_as_well(tmp_path):
    """It wins over nova.conf."""
    empty = tmp_path / "nova.conf"
    empty.write_text("")

    live = started(empty, profiler="pyspy")

    assert live.current.profiler == "stacks"
    assert live.warnings == [f"nova_profiler filter: {WARNING}"]


def test_one_in_the_environment_is_told_as_well(tmp_path, monkeypatch):
    """oslo.config reads that too."""
    empty = tmp_path / "nova.conf"
    empty.write_text("")
    monkeypatch.setenv("OS_NOVA_PROFILER__PROFILER", "pyspy")

    live = started(empty)

    assert live.current.profiler == "stacks"
    (warning,) = live.warnings
    assert warning.endswith(WARNING)


def test_while_it_runs_it_is_warned_about_once(nova_conf, caplog):
    """However often other lines of the file change."""
    caplog.set_level(logging.WARNING)
    nova_conf.write_text("")
    live = started(nova_conf)
    for slow_ms in (1, 2, 3):
        nova_conf.write_text(
            f"[nova_profiler]\nprofiler = pyspy\nslow_ms = {'9' * slow_ms}\n"
        )
        live.check(0.0)

    assert live.current.profiler == "stacks"
    assert live.current.slow_ms == 999
    assert [one.getMessage() for one in caplog.records] == [
        f"{PLACE}: {WARNING}"
    ]


def test_a_former_value_is_no_choice_that_is_shown():
    """An error names those that there are."""
    with pytest.raises(ConfigError, match="expected none or stacks or py"):
        parsed("profiler", "py-spy", "nova.conf")

    assert "pyspy" not in PROFILERS


@given(
    st.dictionaries(
        st.sampled_from(["profiler", "slow_ms", "x"]),
        st.tuples(st.text(), st.text()),
    )
)
def test_only_a_former_value_has_a_line(texts):
    """Whatever else is written."""
    lines = FormerValues().news_in(texts)

    assert bool(lines) == (
        texts.get("profiler", ("", ""))[1].strip() == "pyspy"
    )

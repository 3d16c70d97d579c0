# SPDX-License-Identifier: Apache-2.0
"""The option that says which records have lines: a boolean, or kinds."""

from __future__ import annotations

import pytest
from oslo_config import cfg

from nova_profiler.capture.settings.line_kinds import LineKinds
from nova_profiler.capture.settings.options import (
    GROUP,
    OPTIONS,
    ConfigError,
    parsed,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("Off", False),
        ("0", False),
        ("message:slow", ("message:slow",)),
        ("true, message:slow", ("request:all", "message:slow")),
        ("slow,task:all", ("slow", "task:all")),
        ("false,task:all", ("task:all",)),
    ],
)
def test_it_is_a_boolean_or_a_list(text, value):
    """As it was before there were kinds, or with them."""
    assert parsed("log_requests", text, "here") == value


@pytest.mark.parametrize(
    "text", ["", "maybe", "message", "message:profiled", "row:slow", "a,true"]
)
def test_anything_else_is_refused(text):
    """With what is expected."""
    with pytest.raises(ConfigError, match="expected true, false, or a list"):
        parsed("log_requests", text, "here")


def test_oslo_config_reads_it_from_a_file(tmp_path):
    """As it reads every other option."""
    path = tmp_path / "nova.conf"
    path.write_text(f"[{GROUP}]\nlog_requests = true,message:failed\n")
    conf = cfg.ConfigOpts()
    conf(["--config-file", str(path)])
    conf.register_opts(OPTIONS, group=GROUP)

    assert conf[GROUP].log_requests == ["request:all", "message:failed"]


def test_a_sample_shows_its_default():
    """oslo.config's generator asks the type for it."""
    kind = LineKinds()

    assert kind.format_defaults(True) == ["true"]
    assert kind.format_defaults(["slow", "task:all"]) == ["slow,task:all"]

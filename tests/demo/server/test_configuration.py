# SPDX-License-Identifier: Apache-2.0
"""The files that the demo's nova-api reads."""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest

from demo.server import configuration

PASTE = """\
[composite:openstack_compute_api_v21]
use = call:nova.api.auth:pipeline_factory_v21
keystone = cors compute_req_id authtoken osapi_compute_app_v21

[pipeline:oscomputeversions]
pipeline = cors faultwrap oscomputeversionapp

[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
"""


def _parsed(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    return parser


def test_the_filter_is_first_in_every_pipeline() -> None:
    """Also in those for versions, so that the filter sees every URL."""
    paste = _parsed(configuration.with_profiler(PASTE, {"slow_ms": "5"}))

    api = paste["composite:openstack_compute_api_v21"]
    assert api["keystone"].startswith("nova_profiler cors ")
    versions = paste["pipeline:oscomputeversions"]
    assert versions["pipeline"].startswith("nova_profiler cors ")
    assert paste["filter:nova_profiler"]["slow_ms"] == "5"


def test_the_token_check_takes_keystones_place() -> None:
    """The pipeline keeps its names; only what one stands for changes."""
    paste = _parsed(configuration.with_token_check(PASTE))

    assert dict(paste["filter:authtoken"]) == {
        "paste.filter_factory": "demo.server.token_check:filter_factory"
    }


def test_a_paste_file_without_keystone_is_refused() -> None:
    """Without the stand-in every request would be answered with 401."""
    with pytest.raises(ValueError, match="no filter of keystone"):
        configuration.with_token_check("[pipeline:a]\npipeline = b c\n")


def test_a_dollar_in_a_path_is_not_a_reference(tmp_path: Path) -> None:
    """oslo.config would look for an option of that name."""
    text = configuration.nova_conf_text(
        tmp_path / "a$b", {"api": "x", "cell0": "y"}, "http://127.0.0.1:1"
    )

    assert _parsed(text)["DEFAULT"]["state_path"] == f"{tmp_path}/a$$b"


def test_a_drop_in_file_is_read_after_nova_conf(tmp_path: Path) -> None:
    """Where there is one; the first file is paste's."""
    name = "OS_NOVA_CONFIG_FILES"
    before = configuration.environment(tmp_path, "threads")[name]
    (tmp_path / configuration.DROP_IN).touch()

    after = configuration.environment(tmp_path, "threads")[name]

    assert before == "api-paste.ini;nova.conf"
    assert after == "api-paste.ini;nova.conf;nova_profiler.conf"

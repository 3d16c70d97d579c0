# SPDX-License-Identifier: Apache-2.0
"""The files that the cloud's services read."""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest

from demo.cloud import configuration
from demo.cloud.configuration import Neighbours
from demo.server import configuration as server_configuration

NEIGHBOURS = Neighbours(
    {"api": "db://api", "cell1": "db://cell1", "placement": "db://placement"},
    "rabbit://broker",
    "http://keystone",
    "http://neutron",
    "http://glance",
)
PASTE = "[composite:api]\nkeystone = cors authtoken osapi\n"


@pytest.fixture(autouse=True)
def paste(tmp_path, monkeypatch) -> None:
    """Stand in for the file that nova's package installs."""
    path = tmp_path / "installed.ini"
    path.write_text(PASTE)
    monkeypatch.setattr(server_configuration, "nova_paste", lambda: path)


def _read(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(path)
    return parser


def test_one_drop_in_file_switches_the_profiler_on(tmp_path):
    """Nothing else of nova's configuration knows of it but the filter."""
    options = {"dump_dir": "/dumps"}
    with_it, without = tmp_path / "with", tmp_path / "without"
    for directory, profiler in ((with_it, options), (without, None)):
        directory.mkdir()
        configuration.write_nova(
            directory, NEIGHBOURS, "http://placement", profiler
        )

    (drop_in,) = (with_it / "nova.conf.d").iterdir()
    found = _read(drop_in)
    assert found["oslo_messaging_notifications"]["driver"] == "nova_profiler"
    assert dict(found["nova_profiler"]) == options
    paste = _read(with_it / "api-paste.ini")["composite:api"]["keystone"]
    assert paste.startswith("nova_profiler ")
    assert list((without / "nova.conf.d").iterdir()) == []
    assert (without / "api-paste.ini").read_text() == PASTE
    assert "nova_profiler" not in (without / "nova.conf").read_text()


def test_nova_has_all_its_neighbours(tmp_path):
    """Each under the group that nova looks in."""
    configuration.write_nova(tmp_path, NEIGHBOURS, "http://placement", None)

    nova = _read(tmp_path / "nova.conf")
    assert nova["DEFAULT"]["transport_url"] == "rabbit://broker"
    assert nova["database"]["connection"] == "db://cell1"
    assert nova["placement"]["endpoint_override"] == "http://placement"
    assert nova["neutron"]["endpoint_override"] == "http://neutron"
    assert nova["keystone_authtoken"]["auth_url"] == "http://keystone"


def test_placement_has_the_options_in_its_own_file(tmp_path):
    """It reads no drop-in file of nova's."""
    configuration.write_placement(tmp_path, NEIGHBOURS, {"dump_dir": "/dumps"})

    placement = _read(tmp_path / "placement.conf")
    assert placement["placement_database"]["connection"] == "db://placement"
    assert placement["nova_profiler"]["dump_dir"] == "/dumps"

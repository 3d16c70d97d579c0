# SPDX-License-Identifier: Apache-2.0
"""devstack's plugin on a copy of nova's own paste file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from devstacks import ROOT, Devstack

from nova_profiler.paste_file import sections_in, sections_of
from nova_profiler.reading.setup.paste_edits import with_filter
from nova_profiler.reading.setup.pipelines import nova_paste_file

pytestmark = pytest.mark.functional
_CHECK = "from nova_profiler.cli import main; raise SystemExit(main())"


@pytest.fixture
def paste_of_nova():
    """Return nova's api-paste.ini, as its package installs it."""
    return Path(sys.prefix) / "etc" / "nova" / "api-paste.ini"


def test_check_is_happy_with_nova_as_the_plugin_leaves_it(
    tmp_path, paste_of_nova
):
    """Both versions of the API begin with the filter; all points are ok."""
    assert nova_paste_file(str(paste_of_nova), "") == str(paste_of_nova)
    devstack = Devstack(tmp_path, paste_of_nova)
    devstack.ran("stack")

    done = subprocess.run(
        [
            *(sys.executable, "-c", _CHECK, "check", "--json"),
            f"--paste={devstack.paste}",
            f"--config-file={devstack.nova / 'nova.conf'}",
            f"--config-file={devstack.drop_in}",
        ],
        capture_output=True,
        text=True,
    )

    points = json.loads(done.stdout)["points"]
    assert [one for one in points if one["state"] != "ok"] == []
    outermost = [p["name"] for p in points if p["found"] == "in it, outermost"]
    assert len(outermost) == 2
    assert done.returncode == 0


def test_nova_has_its_file_back_after_unstack(tmp_path, paste_of_nova):
    """To the byte."""
    devstack = Devstack(tmp_path, paste_of_nova)
    devstack.ran("stack")
    assert devstack.paste.read_bytes() != paste_of_nova.read_bytes()

    devstack.ran("unstack")

    assert devstack.paste.read_bytes() == paste_of_nova.read_bytes()


# What a service of nova does at its start, and whether we are in it then.
_START = """
import sys
from nova import config
config.parse_args(sys.argv)
from oslo_messaging.rpc.server import RPCServer
print(hasattr(RPCServer._process_incoming, "__wrapped__"), config.CONF.prog)
"""


@pytest.mark.parametrize("name", ["nova-cpu.conf", "nova_cell1.conf"])
def test_nova_s_own_start_loads_the_driver(tmp_path, paste_of_nova, name):
    """From the drop-in, beside the --config-file that devstack gives."""
    devstack = Devstack(tmp_path, paste_of_nova)
    devstack.ran("stack")
    started = [sys.executable, "-c", _START]

    def outcome() -> str:
        done = subprocess.run(
            [*started, f"--config-file={devstack.nova / name}"],
            env={**os.environ, "HOME": str(devstack.home)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split()[0]

    assert outcome() == "True"
    devstack.ran("unstack")
    assert outcome() == "False"


def test_the_lines_for_kolla_suit_nova_s_file(tmp_path, paste_of_nova):
    """The manual's sed and printf on a copy: our own editor does the same."""
    page = (ROOT / "doc" / "source" / "deployments.rst").read_text()
    command = page.split("   RUN ", 1)[1].split("{% endblock %}", 1)[0]
    copy = tmp_path / "api-paste.ini"
    copy.write_bytes(paste_of_nova.read_bytes())

    subprocess.run(
        ["sh", "-ec", command.replace("/etc/nova/api-paste.ini", str(copy))],
        check=True,
    )

    text = paste_of_nova.read_text()
    assert sections_of(str(copy)) == sections_in(with_filter(text, "x"), "x")


def test_the_pipelines_for_openstack_ansible_are_nova_s(paste_of_nova):
    """The manual has them whole, with our word before nova's own."""
    page = (ROOT / "doc" / "source" / "deployments.rst").read_text()
    block = page.split("nova_api_paste_ini_overrides:", 1)[1]
    given = yaml.safe_load(block.split("nova_nova_conf_overrides:", 1)[0])

    nova = sections_of(str(paste_of_nova))

    for section, options in given.items():
        if not section.startswith("filter:"):
            ((key, line),) = options.items()
            assert line.split() == [
                "nova_profiler",
                *nova[section][key].split(),
            ]

# SPDX-License-Identifier: Apache-2.0
"""Where the dumps are, from nova's own configuration."""

from __future__ import annotations

import os

import pytest

from nova_profiler.errors import NovaProfilerError
from nova_profiler.reading.command_line import dump_dir
from nova_profiler.reading.command_line.dump_dir import dump_dir_of

NOVA_CONF = """
[DEFAULT]
state_path = /var/lib/nova
debug
log_options = a

  b
[nova_profiler]
dump_dir = /old
dump_dir = {dump_dir}
hooks = sqlalchemy, db_api
[database]
connection = mysql+pymysql://nova:50%@db/nova
"""

PASTE = """
[composite:osapi_compute]
use = call:nova.api.openstack.urlmap:urlmap_factory
/: oscomputeversions
[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
dump_dir = /not/ours
[filter:timing]
{factory}
dump_dir = /from/paste
"""


@pytest.fixture
def conf(tmp_path):
    def write(text: str, name: str = "nova.conf") -> str:
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("/var/dumps", "/var/dumps"),
        ("$state_path/dumps", "/var/lib/nova/dumps"),
        ("${state_path}/d", "/var/lib/nova/d"),
    ],
)
def test_from_nova_conf(conf, value, found):
    """The last of several counts, with references to [DEFAULT] filled in."""
    text = NOVA_CONF.format(dump_dir=value)

    assert dump_dir_of(conf(text)) == found


@pytest.mark.parametrize(
    "factory",
    [
        "paste.filter_factory = nova_profiler.factory:filter_factory",
        "use = egg:nova-profiler",
    ],
)
def test_from_the_paste_file(conf, factory):
    """Our filter is known by its factory, whatever its name."""
    assert dump_dir_of(conf(PASTE.format(factory=factory))) == "/from/paste"


def test_the_paste_file_wins(conf, monkeypatch):
    """As it does in nova-api; a file that is not there is passed over."""
    files = (
        "/no/file",
        conf(PASTE.format(factory="use = egg:nova_profiler"), "paste.ini"),
        conf(NOVA_CONF.format(dump_dir="/from/conf")),
    )
    monkeypatch.setattr(dump_dir, "CONFIG_FILES", files)

    assert dump_dir_of(None) == "/from/paste"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[nova_profiler]\n",
            "no dump_dir in .*; give --dump-dir or set NOVA",
        ),
        ("[nova_profiler]\ndump_dir =\n", "no dump_dir in"),
        ("[nova_profiler]\ndump_dir\n", "no dump_dir in"),
        ("dump_dir = x\n", "cannot be read in line 1; .*; give --dump-dir"),
        ("[a]\nb\n  c\n", "nova.conf: cannot be read.*; give --dump-dir"),
        (
            "[nova_profiler]\ndump_dir = $pybasedir/x\n",
            "pybasedir is not set in .DEFAULT.; give --dump-dir",
        ),
    ],
)
def test_what_cannot_be_found_has_a_remedy(conf, text, message):
    """One line: the file, what is wrong, what to do instead."""
    with pytest.raises(NovaProfilerError, match=message):
        dump_dir_of(conf(text))


def test_files_that_cannot_be_read_are_named(conf, monkeypatch):
    """Beside those that have no dump_dir."""
    read = conf("[nova_profiler]\n")
    monkeypatch.setattr(
        dump_dir, "CONFIG_FILES", ("/no/a", "/no/b", f"{read}/c", read)
    )

    with pytest.raises(NovaProfilerError, match="no dump_dir") as raised:
        dump_dir_of(None)

    assert str(raised.value).startswith(
        f"no dump_dir in {read}; /no/a and /no/b are not there; "
        f"{read}/c: Not a directory; give "
    )


def test_a_file_that_cannot_be_read_has_a_remedy(tmp_path):
    """The same where the file is no file."""
    with pytest.raises(NovaProfilerError, match="directory; give --dump"):
        dump_dir_of(str(tmp_path))


def test_a_pipe_is_not_waited_for(tmp_path):
    """A service may have been given one."""
    os.mkfifo(tmp_path / "nova.conf")

    with pytest.raises(NovaProfilerError, match="not a regular file; give"):
        dump_dir_of(str(tmp_path / "nova.conf"))

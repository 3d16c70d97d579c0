# SPDX-License-Identifier: Apache-2.0
"""Which files a service reads, and what they say."""

from __future__ import annotations

import os

import pytest
from oslo_config import cfg

from nova_profiler.reading.setup.nova_conf import options_of
from nova_profiler.reading.setup.services.configuration import (
    files_read,
    paste_files,
    read,
)

DRIVERS = "[oslo_messaging_notifications]\n"


@pytest.fixture
def etc(tmp_path, monkeypatch):
    """Return a folder where oslo.config looks as it does in /etc."""
    monkeypatch.setattr(
        cfg,
        "_get_config_dirs",
        lambda project=None: [str(tmp_path / project), str(tmp_path)],
    )
    return tmp_path


def written(etc, *names, text=""):
    for name in names:
        path = etc / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text or f"[DEFAULT]\n{path.stem} = 1\n")


def read_by_oslo(program, *arguments) -> tuple[list[str], list[str]]:
    """Return the files that oslo.config reads, and the drivers in them."""
    seen: list[str] = []
    conf = cfg.ConfigOpts()
    conf.register_opts(
        [cfg.MultiStrOpt("driver", default=[])], "oslo_messaging_notifications"
    )
    whole = cfg.ConfigParser._parse_file.__func__
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            cfg.ConfigParser,
            "_parse_file",
            classmethod(
                lambda one, path, *rest: (
                    seen.append(path),
                    whole(one, path, *rest),
                )
            ),
        )
        conf(list(arguments), project="nova", prog=program)
    return seen, conf.oslo_messaging_notifications.driver


@pytest.mark.parametrize(
    "names",
    [
        ["nova/nova.conf"],
        ["nova.conf"],
        ["nova/nova.conf", "nova.conf", "nova/nova-compute.conf"],
        ["nova/nova.conf", "nova-compute.conf"],
        [
            "nova/nova.conf",
            "nova/nova.conf.d/b.conf",
            "nova/nova.conf.d/a.conf",
        ],
        ["nova/nova.conf", "nova.conf.d/a.conf", "nova/nova.conf.d/no.txt"],
        [
            "nova/nova-compute.conf.d/a.conf",
            "nova/nova-conductor.conf.d/b.conf",
        ],
        [],
    ],
)
def test_the_same_files_as_oslo_config_reads(etc, names):
    """In the project's folder first, then beside it; drop-ins by name."""
    written(etc, *names)

    found = files_read(str(etc), "nova", "nova-compute")

    assert found == read_by_oslo("nova-compute")[0]


def test_what_the_command_line_names_replaces_its_like(etc):
    """--config-file replaces files, not drop-ins, as devstack relies on."""
    written(etc, "nova/nova.conf", "nova/nova-cpu.conf")
    written(etc, "nova/nova.conf.d/a.conf", "elsewhere/b.conf")
    given = str(etc / "nova/nova-cpu.conf")
    folder = str(etc / "elsewhere")

    one = files_read(str(etc), "nova", "nova-compute", [given])
    two = files_read(str(etc), "nova", "nova-compute", [], [folder])

    assert [os.path.basename(path) for path in one] == [
        "nova-cpu.conf",
        "a.conf",
    ]
    assert [os.path.basename(path) for path in two] == ["nova.conf", "b.conf"]
    seen, _ = read_by_oslo("nova-compute", f"--config-file={given}")
    assert sorted(seen) == sorted(one)


def test_drivers_add_up_over_files(etc):
    """A drop-in beside messagingv2, as oslo.config has it."""
    written(etc, "nova/nova.conf", text=f"{DRIVERS}driver = messagingv2\n")
    written(
        etc,
        "nova/nova.conf.d/x.conf",
        text=f"{DRIVERS}driver = log\ndriver = nova_profiler\n",
    )
    files = files_read(str(etc), "nova", "nova-compute")

    found = read(files, options_of)

    assert found.named_in == (files[1],)
    assert "nova_profiler" in read_by_oslo("nova-compute")[1]


@pytest.mark.parametrize(
    "line",
    [
        "driver = messagingv2,nova_profiler",
        "driver = nova-profiler",
        "driver = messagingv2 nova_profiler",
    ],
)
def test_a_slip_is_no_driver(etc, line):
    """oslo.messaging knows no driver of that name."""
    written(etc, "nova/nova.conf", text=f"{DRIVERS}{line}\n")
    files = files_read(str(etc), "nova", "nova-compute")

    found = read(files, options_of)

    assert found.named_in == ()
    assert found.slips == (line,)
    assert "nova_profiler" not in read_by_oslo("nova-compute")[1]


def test_a_line_that_is_commented_out_is_none(etc):
    """Nor one in another section."""
    written(
        etc,
        "nova/nova.conf",
        text=f"{DRIVERS}#driver = nova_profiler\n"
        "[nova_profiler]\ndriver = nova_profiler\n",
    )

    found = read(files_read(str(etc), "nova", "x"), options_of)

    assert (found.named_in, found.slips) == ((), ())


def test_the_last_file_decides_of_one_value(etc):
    """enabled is no list."""
    group = "[nova_profiler]\nenabled = "
    written(etc, "nova/nova.conf", text=f"{group}false\n")
    assert not read(files_read(str(etc), "nova", "x"), options_of).enabled

    written(etc, "nova/nova.conf.d/x.conf", text=f"{group}true\n")
    assert read(files_read(str(etc), "nova", "x"), options_of).enabled


def test_what_cannot_be_read_is_named(etc):
    """A file that is none, a folder that is gone, a line that is no option."""
    written(etc, "nova/nova.conf", text="no option\n")
    gone = str(etc / "gone")
    files = files_read(str(etc), "nova", "x", [], [gone])

    found = read(files, options_of)

    assert found.unreadable == (str(etc / "nova/nova.conf"), gone)


def test_a_folder_with_letters_of_patterns(tmp_path):
    """The paste files in it, and not those of one that matches."""
    for name in ("e[1]", "e1"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "api-paste.ini").write_text("")

    assert paste_files(str(tmp_path / "e[1]")) == [
        str(tmp_path / "e[1]" / "api-paste.ini")
    ]

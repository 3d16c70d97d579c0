# SPDX-License-Identifier: Apache-2.0
"""A command is named by its program, whatever stands before it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.capture.hooks.processes.program_names import program_of

PRLIMIT = "/usr/bin/python3.11 -m oslo_concurrency.prlimit --as=1 --cpu=2 --"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("qemu-img info /var/lib/nova/secret", "qemu-img"),
        ("/usr/sbin/mkfs.ext4 -L x /dev/sdb", "mkfs.ext4"),
        ("sudo ip link set eth0 up", "ip"),
        ("sudo -n -u nova -- mount /dev/sdb /mnt", "mount"),
        ("sudo --user alice ls", "ls"),
        ("sudo -Eu alice ls", "ls"),
        ("sudo -uroot ls", "ls"),
        ("sudo --host s3cret --user=bob ls", "ls"),
        ("env -iu SECRETVAR ls", "ls"),
        ("env -S TOKENabc x", "env"),
        ("sudo -u nova PASSWORD=secret mount /dev/sdb", "mount"),
        ("sudo nova-rootwrap /etc/nova/rootwrap.conf mount x", "mount"),
        ("sudo -E /usr/bin/neutron-rootwrap conf env A=secret tee f", "tee"),
        ("env LC_ALL=C LANG=C rbd ls secret", "rbd"),
        ("env -i -u SECRET PATH=/bin ls", "ls"),
        (f"{PRLIMIT} env LC_ALL=C qemu-img info x", "qemu-img"),
        ("prlimit --as=100 qemu-img info", "qemu-img"),
        ("python3 -m oslo_concurrency.prlimit --as=1", "python3"),
        ("python3 -c secret", "python3"),
        ("sudo", "sudo"),
        ("sudo -u", "sudo"),
        ("env A=secret", "env"),
        ("sudo nova-rootwrap /etc/nova/rootwrap.conf", "nova-rootwrap"),
        ("/tmp/0b8ab9d5-5f7a-4c25-8ee1-4e3d8e7b3c4e", "{id}"),
        ("/opt/x/-secret", "other"),
        ("'quoted secret'", "other"),
    ],
)
def test_the_program_is_the_name(command, expected):
    assert program_of(command.split()) == expected


@pytest.mark.parametrize("command", [[], [""], ["pro gram"], [b"ls"]])
def test_what_is_no_program_is_other(command):
    assert program_of(command) == "other"


def test_numbers_and_paths_are_words_too(tmp_path):
    assert program_of([tmp_path / "convert", 5]) == "convert"


WORDS = st.text(max_size=20) | st.sampled_from(
    [
        "sudo",
        "env",
        "prlimit",
        "python3",
        "-m",
        "--",
        "-u",
        "A=b",
        "x-rootwrap",
    ]
)


@given(st.lists(WORDS, max_size=80))
def test_any_command_gives_one_plain_word(command):
    """Of bounded length, and never an argument behind the program."""
    name = program_of(command)

    assert len(name) <= 40
    assert not set(name) - set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-{}"
    )

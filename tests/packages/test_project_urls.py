# SPDX-License-Identifier: Apache-2.0
"""The addresses in a package's metadata are those that were given."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from email import message_from_string

import pytest
from places import ROOT

METADATA = """
import sys
from setuptools import build_meta
print(build_meta.prepare_metadata_for_build_wheel(sys.argv[1]))
"""


@pytest.fixture
def project(tmp_path):
    """Return a folder with what metadata is made of, and no code."""
    folder = tmp_path / "project"
    (folder / "nova_profiler").mkdir(parents=True)
    for name in ("setup.py", "setup.cfg", "README.rst", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    shutil.copy(
        ROOT / "nova_profiler" / "__init__.py", folder / "nova_profiler"
    )
    return folder


def made(project, urls: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", METADATA, str(project.parent)],
        cwd=project,
        env={**os.environ, "NOVA_PROFILER_URLS": urls},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", None),
        ("Source=https://a.example/b", ["Source, https://a.example/b"]),
        (
            "Source=https://a.example/b?c=d Bug_tracker=https://a.example/e",
            [
                "Source, https://a.example/b?c=d",
                "Bug tracker, https://a.example/e",
            ],
        ),
    ],
)
def test_the_metadata_has_the_addresses(project, given, expected):
    """And none where none was given: this copy may be anyone's."""
    done = made(project, given)

    folder = done.stdout.splitlines()[-1]
    metadata = message_from_string(
        (project.parent / folder / "METADATA").read_text()
    )
    assert metadata.get_all("Project-URL") == expected


@pytest.mark.parametrize("given", ["https://a.example", "Source", "=x", "a=b"])
def test_what_is_none_stops_the_build(project, given):
    """With what was read and what is expected."""
    done = made(project, given)

    assert done.returncode != 0
    assert f"{given!r}: expected Name=https://" in done.stderr

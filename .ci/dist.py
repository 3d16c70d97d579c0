# SPDX-License-Identifier: Apache-2.0
"""Builds the packages, a bill of materials, and audits what they need.

twine looks at the metadata, check-wheel-contents at the wheel's files. The
wheel is installed with every extra beside nothing else. What that environment
has is the bill; known vulnerabilities of it are looked for where an index of
them answers. ``make dist`` has made the .venv before.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from shared_files import (
    COMPLETIONS,
    MAN_PAGES,
    NOTES,
    ROOT,
    shared_files,
)

DIST = ROOT / "dist"
PLACE = ROOT / ".venvs" / "dist"
PYTHON = PLACE / "bin" / "python"
CONSTRAINTS = str(ROOT / "constraints.txt")
ENVIRONMENT = {
    **os.environ,
    "PIP_CONSTRAINT": CONSTRAINTS,
    "PIP_BUILD_CONSTRAINT": CONSTRAINTS,
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_ROOT_USER_ACTION": "ignore",
}
# What reno puts above the notes of one kind.
NOTE_HEAD = "New Features"
_SHARED = {
    *(f"share/man/{page}" for page in MAN_PAGES),
    *(f"share/{name}" for name in COMPLETIONS.values()),
}
IN_WHEEL = _SHARED | {
    "etc/nova-profiler/api-paste.ini.sample",
    "etc/nova-profiler/nova.conf.sample",
    "share/nova-profiler/containers/Containerfile",
    "share/nova-profiler/systemd/nova-profiler-ptrace.conf",
}
IN_SDIST = _SHARED | {
    *("Makefile", "constraints.txt", "devstack/plugin.sh"),
    *("devstack/settings", "doc/source/conf.py", str(NOTES)),
    *("etc/nova-profiler/nova.conf.sample", "tests/conftest.py"),
}
# What the bill and the audit need to know of the installed package.
METADATA = """
import json, site
from importlib.metadata import metadata, requires
about = metadata("nova-profiler")
print(json.dumps({
    "version": about["Version"], "summary": about["Summary"],
    "license": about["License-Expression"] or about["License"],
    "requires": requires("nova-profiler"), "site": site.getsitepackages()[0],
}))
"""


def ran(*words: str | Path) -> str:
    """Return what a program prints; raises CalledProcessError."""
    return subprocess.run(
        [str(word) for word in words],
        cwd=ROOT,
        env=ENVIRONMENT,
        check=True,
        text=True,
        stdout=subprocess.PIPE,
    ).stdout


def build() -> None:
    """Make the sdist, and the wheel from it."""
    shutil.rmtree(DIST, ignore_errors=True)
    with shared_files():
        ran(sys.executable, "-m", "build", "--outdir", DIST, ROOT)


def check_packages() -> None:
    """Raise where sdist or wheel lacks what it is to have.

    RuntimeError for our own list, CalledProcessError for what twine and
    check-wheel-contents find.
    """
    (sdist,) = DIST.glob("*.tar.gz")
    (wheel,) = DIST.glob("*.whl")
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    _check(sdist, IN_SDIST - inside)
    with zipfile.ZipFile(wheel) as archive:
        # Files below the prefix are in NAME-VERSION.data/data.
        inside = {name.partition("/data/")[2] for name in archive.namelist()}
    _check(wheel, IN_WHEEL - inside)
    ran(sys.executable, "-m", "twine", "check", "--strict", sdist, wheel)
    ran(sys.executable, "-m", "check_wheel_contents", wheel)


def check_manual() -> None:
    """Raise RuntimeError where the sdist's manual lacks release notes.

    CalledProcessError where it cannot be built: with what reno left in the
    sdist, and, as from an archive of a forge, without that and without git.
    """
    (sdist,) = DIST.glob("*.tar.gz")
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(sdist) as archive:
            archive.extractall(folder, filter="data")
        (root,) = Path(folder).iterdir()
        if NOTE_HEAD not in _release_notes(root):
            raise RuntimeError(f"{sdist.name}: its manual has no notes")
        (root / NOTES).unlink()
        # Only this page is read again.
        (root / "doc/source/release_notes.rst").touch()
        if "releasenotes/notes" not in _release_notes(root):
            raise RuntimeError(f"{sdist.name}: no word on missing notes")


def _release_notes(root: Path) -> str:
    subprocess.run(
        [
            *(sys.executable, "-m", "sphinx", "-q", "-W", "-b", "html"),
            *("doc/source", "doc/build/html"),
        ],
        cwd=root,
        env=ENVIRONMENT,
        check=True,
    )
    return (root / "doc/build/html/release_notes.html").read_text()


def _check(package: Path, missing: set[str]) -> None:
    if missing:
        raise RuntimeError(
            f"{package.name} lacks {', '.join(sorted(missing))}"
        )


def install() -> dict[str, Any]:
    """Install the wheel as a user would; return its metadata."""
    shutil.rmtree(PLACE, ignore_errors=True)
    # Without pip, which is no part of what users run.
    ran(sys.executable, "-m", "venv", "--without-pip", PLACE)
    (wheel,) = DIST.glob("*.whl")
    pip = sys.executable, "-m", "pip", "--python", PYTHON
    ran(*pip, "install", "-qq", "-c", CONSTRAINTS, f"{wheel}[all]")
    ran(PLACE / "bin" / "nova-profiler", "--version")
    ran(PYTHON, "-m", "nova_profiler", "--version")
    metadata: dict[str, Any] = json.loads(ran(PYTHON, "-c", METADATA))
    return metadata


def write_bill(metadata: dict[str, Any]) -> None:
    """Write the bill of materials beside the packages."""
    # The form in which cyclonedx-py takes the bill's subject. The markers of
    # extras are left out: all of them are installed.
    needed = sorted(
        {
            one.partition(";")[0].strip()
            for one in metadata["requires"]
            if not one.startswith("nova-profiler")
        }
    )
    subject = PLACE / "pyproject.toml"
    subject.write_text(
        "[project]\n"
        'name = "nova-profiler"\n'
        f'version = "{metadata["version"]}"\n'
        f"description = {json.dumps(metadata['summary'])}\n"
        f"license = {{text = {json.dumps(metadata['license'])}}}\n"
        f"dependencies = {json.dumps(needed)}\n"
    )
    bill = DIST / f"nova-profiler-{metadata['version']}.cdx.json"
    ran(
        *(sys.executable, "-m", "cyclonedx_py", "environment"),
        *("--pyproject", subject, "--mc-type", "library"),
        *("--output-reproducible", "--of", "JSON", "-o", bill, PYTHON),
    )


def audit(site: str) -> int:
    """Print what is known of the dependencies; return an exit code."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip_audit", "--path", site),
            *("--format", "json", "--progress-spinner", "off"),
            *("--timeout", "20"),
        ],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
    )
    try:
        found = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        found = []
    audited = [one for one in found if "vulns" in one]
    if not audited:
        print("pip-audit: not done, no index of vulnerabilities answers")
        return 0
    faults = [
        f"{one['name']} {one['version']}: {fault['id']}, mended in "
        f"{', '.join(fault['fix_versions']) or 'no version'}"
        for one in audited
        for fault in one["vulns"]
    ]
    print(
        f"pip-audit: {len(faults)} known vulnerabilities in {len(audited)} "
        f"packages; {len(found) - len(audited)} are not in its index"
    )
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


def main() -> int:
    """Make everything; return 1 for a known vulnerability."""
    build()
    check_packages()
    check_manual()
    metadata = install()
    write_bill(metadata)
    code = audit(metadata["site"])
    for path in sorted(DIST.iterdir()):
        print(f"dist/{path.name}")
    return code


if __name__ == "__main__":
    sys.exit(main())

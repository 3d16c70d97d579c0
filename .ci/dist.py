# SPDX-License-Identifier: Apache-2.0
"""Builds the packages, a bill of materials, and audits what they need.

The wheel is installed with every extra beside nothing else. What that
environment has is the bill; known vulnerabilities of it are looked for where
an index of them answers. ``make dist`` has made the .venv before.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
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
    ran(sys.executable, "-m", "build", "--outdir", DIST, ROOT)


def check_sdist() -> None:
    """Raise RuntimeError where the sdist lacks devstack's plugin."""
    (sdist,) = DIST.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    missing = {"devstack/settings", "devstack/plugin.sh"} - names
    if missing:
        raise RuntimeError(f"{sdist.name} lacks {', '.join(missing)}")


def install() -> dict[str, Any]:
    """Install the wheel as a user would; return its metadata."""
    shutil.rmtree(PLACE, ignore_errors=True)
    # Without pip, which is no part of what users run.
    ran(sys.executable, "-m", "venv", "--without-pip", PLACE)
    (wheel,) = DIST.glob("*.whl")
    pip = sys.executable, "-m", "pip", "--python", PYTHON
    ran(*pip, "install", "-qq", "-c", CONSTRAINTS, f"{wheel}[all]")
    ran(PLACE / "bin" / "nova-profiler", "--version")
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
    check_sdist()
    metadata = install()
    write_bill(metadata)
    code = audit(metadata["site"])
    for path in sorted(DIST.iterdir()):
        print(f"dist/{path.name}")
    return code


if __name__ == "__main__":
    sys.exit(main())

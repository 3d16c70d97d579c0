# SPDX-License-Identifier: Apache-2.0
"""An environment of its own for each service, from pinned versions."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from demo.places import ROOT
from nova_profiler.errors import NovaProfilerError
from tests.other_services.services import Service

CONSTRAINTS = (
    ROOT / "constraints.txt",
    Path(__file__).parent / "constraints.txt",
)
# Beside the service: what makes the package without asking for a build system.
_OURS = ("-e", str(ROOT))


class EnvironmentError(NovaProfilerError):
    """An environment cannot be made; the text has the reason."""


def python_of(service: Service) -> Path:
    """Return the Python of the environment of *service*, made if need be.

    Raises EnvironmentError.
    """
    folder = ROOT / ".venvs" / f"service-{service.name}"
    python = folder / "bin" / "python"
    made_from = folder / "made-from"
    wanted = _wanted(service)
    if made_from.exists() and made_from.read_text() == wanted:
        return python
    print(
        f"installing {service.requirement} into "
        f"{folder.relative_to(ROOT)}, once",
        flush=True,
    )
    _run(service, [sys.executable, "-m", "venv", "--clear", str(folder)])
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install"]
    pins = [part for path in CONSTRAINTS for part in ("-c", str(path))]
    _run(service, [*pip, "-q", *pins, service.requirement, *_OURS])
    made_from.write_text(wanted)
    return python


def _wanted(service: Service) -> str:
    """Return all that an environment of *service* is made from."""
    texts = [path.read_text() for path in (*CONSTRAINTS, ROOT / "setup.cfg")]
    return "\n".join([sys.version, service.requirement, *texts])


def _run(service: Service, command: list[str]) -> None:
    """Run *command*; raises EnvironmentError with its first error."""
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        # Builds happen in environments of their own; this pins these, too.
        env={**os.environ, "PIP_BUILD_CONSTRAINT": str(CONSTRAINTS[0])},
    )
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines()]
        errors = [line for line in lines if line.startswith("ERROR: ")]
        reason = (errors or lines or ["no reason given"])[0]
        raise EnvironmentError(
            f"{service.requirement} cannot be installed; is the package index "
            f"there? {reason.removeprefix('ERROR: ')}"
        )

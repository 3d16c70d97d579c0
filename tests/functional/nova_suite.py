# SPDX-License-Identifier: Apache-2.0
"""nova's own functional tests, with the filter in the pipeline and without.

    python -m tests.functional.nova_suite [--mode threads|eventlet] [REGEX]

Real requests with the real conductor, scheduler and compute (on a fake
hypervisor) in one process. Prints what differs; exit code 1 if anything does.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from demo import configuration, databases

# Servers created, rebuilt and acted upon, through the API samples and not.
REGEX = (
    r"functional\.api_sample_tests\.test_servers\."
    r"|functional\.test_servers\.(ServersTest|ServerRebuildTestCase)\."
)
MODES = {"threads": "true", "eventlet": "false"}


class Outcome(NamedTuple):
    """What came out of a run: the tests by how they ended."""

    passed: frozenset[str]
    failed: frozenset[str]
    skipped: frozenset[str]
    # Requests that the filter has seen.
    records: int

    def __str__(self) -> str:
        return (
            f"{len(self.passed)} passed, {len(self.failed)} failed, "
            f"{len(self.skipped)} skipped, {self.records} records"
        )


def run(mode: str, with_filter: bool, regex: str) -> Outcome:
    """Run the tests that *regex* finds, two at a time."""
    name = f"{mode}-{'with' if with_filter else 'without'}"
    work = databases.STATE / "nova-suite" / name
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    paste = configuration.nova_paste().read_text()
    log_file = work / "requests.jsonl"
    log_file.touch()
    if with_filter:
        options = {"log_file": str(log_file), "dump_dir": str(work / "dumps")}
        paste = configuration.with_profiler(paste, options)
    (work / "api-paste.ini").write_text(paste)
    with (work / "output.log").open("w") as output:
        subprocess.run(
            [*_stestr(), "run", "--concurrency", "2", regex],
            cwd=work,
            env=_environment(mode, work / "api-paste.ini"),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Tests that fail are in the outcome.
            check=False,
        )
    with log_file.open() as lines:
        records = sum(1 for _ in lines)
    return Outcome(*_results(work), records)


def _stestr() -> list[str]:
    tests = Path(_site(), "nova", "tests", "functional")
    return [
        *(sys.executable, "-m", "stestr"),
        *("--test-path", str(tests), "--top-dir", _site()),
    ]


def _site() -> str:
    import nova

    return str(Path(nova.__file__).parent.parent)


def _environment(mode: str, paste: Path) -> dict[str, str]:
    return {
        **os.environ,
        # nova's tests only set a default; the environment beats it.
        "OS_WSGI__API_PASTE_CONFIG": str(paste),
        "OS_NOVA_DISABLE_EVENTLET_PATCHING": MODES[mode],
        # A greenthread that the filter left behind would fail the test.
        "NOVA_RAISE_ON_GREENLET_LEAK": "1",
        "OS_STDOUT_CAPTURE": "1",
        "OS_STDERR_CAPTURE": "1",
        "OS_DEBUG": "0",
        "OS_TEST_TIMEOUT": "300",
        "PYTHON": sys.executable,
        "PYTHONWARNINGS": "ignore::DeprecationWarning",
    }


def _results(work: Path) -> tuple[frozenset[str], ...]:
    """Return the tests of the last run: passed, failed, skipped."""
    from subunit import ByteStreamToStreamResult
    from testtools import StreamToDict

    tests: dict[str, set[str]] = {}

    def ended(test: dict[str, str]) -> None:
        tests.setdefault(test["status"], set()).add(test["id"])

    result = StreamToDict(ended)
    result.startTestRun()
    stream = subprocess.run(
        [sys.executable, "-m", "stestr", "last", "--subunit"],
        cwd=work,
        stdout=subprocess.PIPE,
        # It repeats what the run's exit code was.
        check=False,
    ).stdout
    ByteStreamToStreamResult(io.BytesIO(stream), "output").run(result)
    result.stopTestRun()
    failed = tests.get("fail", set()) | tests.get("inprogress", set())
    return (
        frozenset(tests.get("success", ())),
        frozenset(failed),
        frozenset(tests.get("skip", ())),
    )


def fetch_samples() -> None:
    """Put doc/api_samples, which only nova's source has, where tests look."""
    target = Path(_site(), "doc", "api_samples")
    if target.exists():
        return
    release = f"nova-{version('nova')}"
    with tempfile.TemporaryDirectory() as aside:
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "-qq", "download"),
                *("--disable-pip-version-check", "--no-deps"),
                *("--no-binary", "nova", "--dest", aside),
                release.replace("-", "=="),
            ],
            check=True,
        )
        with tarfile.open(Path(aside, f"{release}.tar.gz")) as archive:
            samples = [
                member
                for member in archive
                if member.name.startswith(f"{release}/doc/api_samples/")
            ]
            archive.extractall(aside, samples, filter="data")
        shutil.copytree(Path(aside, release, "doc", "api_samples"), target)


def main() -> int:
    """Run all modes, with and without; returns 1 where they differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mode", choices=tuple(MODES), action="append")
    parser.add_argument("regex", nargs="?", default=REGEX)
    options = parser.parse_args()
    fetch_samples()
    differ = False
    for mode in options.mode or MODES:
        without = run(mode, False, options.regex)
        print(f"{mode}, without the filter: {without}", flush=True)
        with_filter = run(mode, True, options.regex)
        print(f"{mode}, with the filter: {with_filter}", flush=True)
        for test in sorted(without.passed ^ with_filter.passed):
            print(f"  passed only {_side(test in without.passed)}: {test}")
            differ = True
        if not without.passed or not with_filter.records:
            print("  nothing was run")
            differ = True
    return int(differ)


def _side(without: bool) -> str:
    return "without" if without else "with"


if __name__ == "__main__":
    sys.exit(main())

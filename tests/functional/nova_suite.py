# SPDX-License-Identifier: Apache-2.0
"""nova's own functional tests, with nova-profiler and without.

With it the filter is in the pipeline of nova-api, and all services have loaded
the notification driver.

    python -m tests.functional.nova_suite [--mode threads|eventlet]
        [--profiler none|stacks|pyinstrument|cprofile] [REGEX]

Real requests with the real conductor, scheduler and compute (on a fake
hypervisor) in one process. A profiler takes the stacks of every request.
Prints what differs; exit code 1 if anything does.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from demo.places import STATE
from demo.server import configuration
from nova_profiler.capture.settings.options import PROFILERS
from nova_profiler.dump_store import DumpStore
from nova_profiler.dump_store.names import COMPANION_SUFFIXES
from nova_profiler.record import REQUEST, RequestRecord

# Servers created, rebuilt and acted upon, through the API samples and not.
REGEX = (
    r"functional\.api_sample_tests\.test_servers\."
    r"|functional\.test_servers\.(ServersTest|ServerRebuildTestCase)\."
)
MODES = {"threads": "true", "eventlet": "false"}
_LOADS_DRIVER = Path(__file__).parent / "programs" / "driver_loaded"
# Without the filter and the driver.
BARE = "without"


class Outcome(NamedTuple):
    """What came out of a run: the tests by how they ended."""

    passed: frozenset[str]
    failed: frozenset[str]
    skipped: frozenset[str]
    # Of those that passed: not at the first try.
    again: int
    # Requests that the filter has seen, and those that stacks were kept of.
    records: int
    stacks: int
    # Messages and tasks of the services, each of which is dumped.
    messages: int
    tasks: int

    def __str__(self) -> str:
        return (
            f"{len(self.passed)} passed ({self.again} at the second try), "
            f"{len(self.failed)} failed, {len(self.skipped)} skipped, "
            f"{self.records} records, "
            f"{self.stacks} files of stacks, "
            f"{self.messages} messages, {self.tasks} tasks"
        )


def run(mode: str, profiler: str, regex: str) -> Outcome:
    """Run the tests that *regex* finds, two at a time.

    *profiler* is the filter's, or BARE for none of both. Those that fail are
    tried once more, whatever the profiler: nova's tests stop a service
    without any patience, and where a thread of it ends late, on a busy
    machine, all tests after that in the same process fail.
    """
    work = _work(mode, profiler)
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    paste = configuration.nova_paste().read_text()
    variables = environment(mode, work / "api-paste.ini")
    log_file = work / "requests.jsonl"
    log_file.touch()
    if profiler != BARE:
        paste = configuration.with_profiler(paste, options(work, profiler))
        variables |= _with_driver(work)
    (work / "api-paste.ini").write_text(paste)
    passed, failed, skipped = _tried(work, variables, regex)
    again: frozenset[str] = frozenset()
    if failed:
        # A test may run for several versions, named in brackets, and only
        # all of them can be asked for.
        names = {test.partition("(")[0] for test in failed}
        (work / "again.txt").write_text("\n".join(names))
        passed_now, _, _ = _tried(work, variables, "--load-list", "again.txt")
        again = passed_now & failed
    with log_file.open() as lines:
        records = sum(1 for _ in lines)
    stacks = sum(
        path.suffix in COMPANION_SUFFIXES
        for path in (work / "dumps").glob("*/*")
    )
    return Outcome(
        passed | again,
        failed - again,
        skipped,
        len(again),
        records,
        stacks,
        messages=_dumps_of(work, "rpc"),
        tasks=_dumps_of(work, "task"),
    )


def _tried(
    work: Path, variables: dict[str, str], *chosen: str
) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Return the tests that passed, failed and were skipped."""
    with (work / "output.log").open("a") as output:
        subprocess.run(
            [*stestr(), "run", "--concurrency", "2", *chosen],
            cwd=work,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Tests that fail are in the outcome.
            check=False,
        )
    return _results(work)


def options(work: Path, profiler: str) -> dict[str, str]:
    """Return the filter's options; *profiler* is on for every request."""
    return {
        "log_file": str(work / "requests.jsonl"),
        "dump_dir": str(work / "dumps"),
        "dump_max_files": "100000",
        "profiler": profiler,
        "profile_when": "always",
    }


def records(mode: str, profiler: str) -> Iterator[RequestRecord]:
    """Yield what the run of *mode* and *profiler* has left: all records."""
    work = _work(mode, profiler)
    with (work / "requests.jsonl").open() as lines:
        yield from (RequestRecord.from_dict(json.loads(one)) for one in lines)
    store = DumpStore(work / "dumps")
    for one in store.entries():
        record = store.read(one)
        # A request has its line, too.
        if record.kind != REQUEST.name:
            yield record


def _work(mode: str, profiler: str) -> Path:
    return STATE / "nova-suite" / f"{mode}-{profiler}"


def _with_driver(work: Path) -> dict[str, str]:
    """Return the variables by which all services load the driver.

    Every message and task is dumped, beside what the filter dumps.
    """
    path = [str(_LOADS_DRIVER), os.environ.get("PYTHONPATH", "")]
    prefix = "OS_NOVA_PROFILER__"
    return {
        "PYTHONPATH": os.pathsep.join(filter(None, path)),
        f"{prefix}DUMP_DIR": str(work / "dumps"),
        f"{prefix}DUMP_MAX_FILES": "100000",
        f"{prefix}DUMP_WHEN": "slow,failed,profiled,message:all,task:all",
    }


def _dumps_of(work: Path, word: str) -> int:
    """Return the dumps whose route begins with *word*."""
    return sum(1 for _ in (work / "dumps").glob(f"*/*-{word}_*.json"))


def stestr() -> list[str]:
    """Return the command that runs nova's functional tests."""
    tests = Path(_site(), "nova", "tests", "functional")
    return [
        *(sys.executable, "-m", "stestr"),
        *("--test-path", str(tests), "--top-dir", _site()),
    ]


def _site() -> str:
    import nova

    return str(Path(nova.__file__).parent.parent)


def environment(mode: str, paste: Path) -> dict[str, str]:
    """Return the variables for a run in *mode* with this api-paste.ini."""
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


def _results(
    work: Path,
) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
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
    parser.add_argument("--profiler", choices=PROFILERS, action="append")
    parser.add_argument("regex", nargs="?", default=REGEX)
    asked = parser.parse_args()
    fetch_samples()
    same = True
    for mode in asked.mode or MODES:
        without = run(mode, BARE, asked.regex)
        print(f"{mode}, without the filter: {without}", flush=True)
        for profiler in asked.profiler or ["none"]:
            with_filter = run(mode, profiler, asked.regex)
            print(f"{mode}, profiler = {profiler}: {with_filter}", flush=True)
            same &= _is_same(without, with_filter, profiler)
    return int(not same)


def _is_same(without: Outcome, with_filter: Outcome, profiler: str) -> bool:
    """Print what differs; return whether nothing does."""
    differ = sorted(without.passed ^ with_filter.passed)
    for test in differ:
        side = "without" if test in without.passed else "with"
        print(f"  passed only {side}: {test}")
    if not (without.passed and with_filter.records and with_filter.messages):
        print("  nothing was run")
        return False
    if profiler != "none" and not with_filter.stacks:
        print("  no stacks were taken")
        return False
    return not differ


if __name__ == "__main__":
    sys.exit(main())

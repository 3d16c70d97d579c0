# SPDX-License-Identifier: Apache-2.0
"""Measures every contender in turn, each in pinned processes of its own."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.application.workloads import WORKLOADS
from benchmarks.contenders import REFERENCES
from benchmarks.running import processes
from benchmarks.running.stack_padding import paddings
from demo.places import ROOT
from demo.statsd_listener import StatsdListener


class Plan(NamedTuple):
    """How much is measured: a generation is one process per contender."""

    generations: int = 8
    rounds: int = 6
    batch_ms: float = 30.0


QUICK = Plan(generations=1, rounds=2, batch_ms=3.0)


class Sample(NamedTuple):
    """Microseconds that one request took, mean of one batch."""

    contender: str
    workload: str
    generation: int
    round: int
    cpu_us: float
    wall_us: float


class Measured(NamedTuple):
    """All samples of a run, and what each contender recorded."""

    samples: list[Sample]
    seen: dict[str, dict[str, list[int]]]
    datagrams: int


class WorkerError(Exception):
    """A contender could not be measured."""


class _Worker:
    """One contender's process, asked over its pipes."""

    def __init__(
        self,
        name: str,
        core: int | None,
        port: int,
        directory: Path,
        words: int,
    ) -> None:
        self.name = name
        self._log = directory / "stderr"
        with open(self._log, "wb") as errors:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "benchmarks.price.worker",
                    name,
                    "" if core is None else str(core),
                    str(port),
                    str(directory),
                    str(words),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=ROOT,
                text=True,
                bufsize=1,
            )
        greeting = self._answer()
        if "error" in greeting:
            self.stop()
            raise WorkerError(f"{name}: {greeting['error']}")
        self.seen: dict[str, list[int]] = greeting["seen"]

    def batch(self, workload: str, n: int) -> tuple[float, float]:
        """Return microseconds of CPU and wall time a request."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([workload, n]) + "\n")
        cpu, wall = self._answer()
        return cpu / n / 1000, wall / n / 1000

    def stop(self) -> None:
        """Close the pipes, at which the process ends."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(20)

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            last = self._log.read_text(errors="replace").strip()[-500:]
            raise WorkerError(f"{self.name}: ended: {last}")
        return json.loads(line)


def measure(
    names: Sequence[str], plan: Plan, progress: Callable[[str], None]
) -> Measured:
    """Return the samples of *names*, taken in turn round by round.

    Other work of the machine hits all of them alike, because no two
    batches of one contender follow each other, and the order changes.
    """
    order = random.Random(2)
    samples: list[Sample] = []
    seen: dict[str, dict[str, list[int]]] = {}
    cores = processes.cores()
    with StatsdListener(core=cores.own) as listener:
        for generation, words in enumerate(paddings(plan.generations)):
            with _workers(
                names, cores.measured, listener.port, words
            ) as workers:
                seen.update((w.name, w.seen) for w in workers)
                sizes = _sizes(workers, plan)
                for turn in range(plan.rounds):
                    progress(
                        f"generation {generation + 1}/{plan.generations}, "
                        f"round {turn + 1}/{plan.rounds}"
                    )
                    for workload in WORKLOADS:
                        order.shuffle(workers)
                        for worker in workers:
                            n = sizes[worker.name, workload]
                            cpu, wall = worker.batch(workload, n)
                            samples.append(
                                Sample(
                                    worker.name,
                                    workload,
                                    generation,
                                    turn,
                                    cpu,
                                    wall,
                                )
                            )
    return Measured(samples, seen, listener.datagrams)


def with_references(names: Sequence[str]) -> list[str]:
    """Return *names* with the bare processes they are compared with."""
    return [*REFERENCES, *(n for n in names if n not in REFERENCES)]


@contextmanager
def _workers(
    names: Sequence[str], core: int | None, port: int, words: int
) -> Iterator[list[_Worker]]:
    with ExitStack() as stack:
        directory = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
        )
        workers = []
        for name in names:
            own = directory / name
            own.mkdir()
            worker = _Worker(name, core, port, own, words)
            stack.callback(worker.stop)
            workers.append(worker)
        yield workers


def _sizes(
    workers: Sequence[_Worker], plan: Plan
) -> dict[tuple[str, str], int]:
    """Return how many requests make up a batch of the planned length."""
    sizes = {}
    for worker in workers:
        for workload in WORKLOADS:
            _, wall_us = worker.batch(workload, 5)
            sizes[worker.name, workload] = max(
                3, int(plan.batch_ms * 1000 / wall_us)
            )
    return sizes

# SPDX-License-Identifier: Apache-2.0
"""Impossible stacks: looks at a process whose stack changes all the time.

python -m benchmarks.stacks.flutter DEPTH plain|generators LOOKS prints JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from typing import Any

from benchmarks.stacks.fluttering import PROCESSOR, fault_of
from nova_profiler.capture.profilers.stacks.layouts import layout_here
from nova_profiler.capture.profilers.stacks.reader.call_paths import (
    Calls,
    Path,
)
from nova_profiler.capture.profilers.stacks.reader.code.code_names import Names
from nova_profiler.capture.profilers.stacks.reader.memory import Memory
from nova_profiler.capture.profilers.stacks.reader.stack.known_stack import (
    Counts,
)
from nova_profiler.capture.profilers.stacks.reader.stack.looks import (
    ThreadLooks,
)
from nova_profiler.capture.profilers.stacks.reader.stack.walks import Torn

_BETWEEN_S = 0.0003


def looked(depth: int, how: str, looks: int) -> dict[str, Any]:
    """Return how many of *looks* were impossible, and how they went."""
    processors = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {processors[-1]})
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "benchmarks.stacks.fluttering"),
            *(str(depth), how),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        if process.stdout is None or process.stdin is None:
            raise OSError("no pipes")
        thread, mark, kind = map(int, process.stdout.readline().split())
        found = _looked(process.pid, thread, mark, kind, looks)
        process.stdin.close()
    paths, counts, spent_s = found
    faults: Counter[str] = Counter()
    for path, times in paths.items():
        names = [
            one.code.name.rpartition(".")[2]
            for one in path.frames()
            if one.code is not None
        ]
        names = [name for name in names if not name.startswith("<")]
        fault = fault_of(names, depth)
        if fault is not None:
            faults[fault] += times
    return {
        "python": sys.version.split()[0],
        "how": how,
        "depth": depth,
        "looks": looks,
        "lost": looks - sum(paths.values()),
        "impossible": sum(faults.values()),
        "faults": dict(faults.most_common(3)),
        "unsure": counts.unsure,
        "cut": counts.cut,
        "us": round(spent_s / looks * 1e6, 1),
        "same_processor": processors[-1] == PROCESSOR,
    }


def _looked(
    pid: int, thread: int, mark: int, kind: int, looks: int
) -> tuple[Counter[Path], Counts, float]:
    layout, memory, counts = layout_here(), Memory(pid), Counts()
    names = Names(memory, layout, kind)
    eye = ThreadLooks(
        memory, thread, layout, names, Calls(), counts, Path(None)
    )
    marks = frozenset((mark,))
    paths: Counter[Path] = Counter()
    spent_s = time.process_time()
    for _ in range(looks):
        with suppress(Torn):
            paths[eye.look(lambda: marks).path] += 1
        time.sleep(_BETWEEN_S)
    return paths, counts, time.process_time() - spent_s


if __name__ == "__main__":
    depth_, how_, looks_ = sys.argv[1:]
    print(json.dumps(looked(int(depth_), how_, int(looks_))))

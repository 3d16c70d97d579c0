# SPDX-License-Identifier: Apache-2.0
"""Process that ends the cloud's processes when the demo is gone.

    python -m demo.cloud.keeper

nova's services would go on serving if the demo were killed. The keeper reads
from the demo which process groups were started (``+4711``) and which have
ended (``-4711``). When its input is closed it ends the groups that are left.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable

_GRACE_S = 5.0
_STEP_S = 0.1


def left(lines: Iterable[str]) -> set[int]:
    """Return the process groups that were started and have not ended."""
    groups: set[int] = set()
    for line in lines:
        group = int(line[1:])
        if line.startswith("+"):
            groups.add(group)
        else:
            groups.discard(group)
    return groups


def end(
    groups: Iterable[int], reap: Callable[[], object] = lambda: None
) -> None:
    """End process groups: politely first, then at once.

    *reap* takes the ends of the caller's own children: until then an ended
    one counts as there.
    """
    remaining = [group for group in groups if _sent(group, signal.SIGTERM)]
    deadline = time.monotonic() + _GRACE_S
    while remaining and time.monotonic() < deadline:
        time.sleep(_STEP_S)
        reap()
        remaining = [group for group in remaining if _sent(group, 0)]
    for group in remaining:
        _sent(group, signal.SIGKILL)


def _sent(group: int, number: int) -> bool:
    """Send a signal; return whether the group was still there."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def main() -> None:
    """Wait for the end of standard input, then end what is left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Only the end of the demo ends the keeper.
        signal.signal(number, signal.SIG_IGN)
    end(left(sys.stdin))


if __name__ == "__main__":
    main()

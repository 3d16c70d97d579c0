# SPDX-License-Identifier: Apache-2.0
"""Engine that has pyinstrument sample the stacks of chosen requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nova_profiler.capture.captures import Capture
from nova_profiler.capture.greenthreads import thread_local
from nova_profiler.capture.profilers import EngineError, Note
from nova_profiler.capture.profilers.pyinstrument.watch import (
    PyinstrumentWatch,
)
from nova_profiler.profiles import PYINSTRUMENT

if TYPE_CHECKING:
    from nova_profiler.capture.profilers.pyinstrument.sampler import (
        ThreadSampler,
    )

_INSTALL = "pip install 'pyinstrument>=5,<6' in nova-api's environment"


def engine(note: Note) -> PyinstrumentEngine:
    """Return the engine; raises EngineError where pyinstrument is not."""
    try:
        import pyinstrument

        from nova_profiler.capture.profilers.pyinstrument.price import (
            price_of_call_s,
        )
        from nova_profiler.capture.profilers.pyinstrument.sampler import (
            Samplers,
        )
    except ImportError as exc:
        raise EngineError(f"pyinstrument is not there; {_INSTALL}") from exc
    version = pyinstrument.__version__
    if version.partition(".")[0] != "5":
        raise EngineError(f"pyinstrument {version} will not do; {_INSTALL}")
    return PyinstrumentEngine(
        note, Samplers(thread_local()).here, price_of_call_s
    )


class PyinstrumentEngine:
    """Samples of chosen requests, taken within their own threads."""

    name = PYINSTRUMENT
    watches_all = False

    def __init__(
        self,
        note: Note,
        sampler_here: Callable[[], ThreadSampler],
        price_of_call_s: Callable[[], float | None],
    ) -> None:
        self._note = note
        self._sampler_here = sampler_here
        # By how much a call takes longer here, as soon as that is known.
        self._call_s: float | None = None
        self._price_of_call_s = price_of_call_s
        self._is_closed = False

    def watch(
        self, capture: Capture, chosen: bool, interval_ms: float
    ) -> PyinstrumentWatch | None:
        """Return the watch of a chosen request."""
        if not chosen or self._is_closed:
            return None
        if self._call_s is None:
            self._call_s = self._price_of_call_s()
        return PyinstrumentWatch(
            self._note, self._sampler_here, interval_ms / 1000, self._call_s
        )

    def close(self) -> None:
        """Take no more requests; those under way end by themselves."""
        self._is_closed = True

# SPDX-License-Identifier: Apache-2.0
"""The owner of a thread's profile function."""

from __future__ import annotations

import sys

from nova_profiler.capture.profilers.pyinstrument import sampler


def test_a_stretch_that_ends_while_it_ends_has_ended_once():
    """A sample may be taken in the middle of end(), and end it first."""
    own = sampler.ThreadSampler(sampler.perf_counter)
    stretch = own.begin(lambda *sample: None, lambda: True, 0, 1.0)

    class SampledMeanwhile(list):
        ends = 1

        def remove(self, one):
            if self.ends:
                self.ends -= 1
                stretch.end()
            super().remove(one)

    own._stretches = SampledMeanwhile(own._stretches)

    stretch.end()

    assert own._stretches == []
    assert sys.getprofile() is None
    assert own.is_free()

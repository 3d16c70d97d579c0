# SPDX-License-Identifier: Apache-2.0
"""What it costs a call to be watched by pyinstrument."""

from __future__ import annotations

import sys

from nova_profiler.capture.profilers.pyinstrument.price import price_of_call_s


def test_a_watched_call_takes_longer():
    """By more than nothing, by less than a sample would; none is left on."""
    price_s = price_of_call_s()

    assert price_s is not None
    assert 0.0 < price_s < 1e-3
    assert sys.getprofile() is None


def test_another_profiler_is_left_alone():
    """It stays on, and nothing is measured."""

    def other(*_):
        """Do nothing."""

    sys.setprofile(other)
    try:
        price_s = price_of_call_s()
        stays = sys.getprofile()
    finally:
        sys.setprofile(None)

    assert price_s is None
    assert stays is other

# SPDX-License-Identifier: Apache-2.0
"""Lines that wait until the service has set its log up."""

from __future__ import annotations

import logging

from nova_profiler.capture.failures import LOG
from nova_profiler.services.held_lines import HeldLines


def test_lines_wait_for_their_release(caplog):
    """And are logged once."""
    held = HeldLines()
    with held.holding():
        LOG.warning("early")
    LOG.warning("later")
    before = caplog.messages[:]

    held.let_go()
    held.let_go()

    assert before == ["later"]
    assert caplog.messages == ["later", "early"]


def test_they_are_few(caplog):
    """A loop of faults fills no memory."""
    held = HeldLines()
    with held.holding():
        for number in range(1000):
            LOG.warning("%d", number)

    held.let_go()

    assert len(caplog.messages) == 100


def test_a_level_set_meanwhile_holds(caplog):
    """The service sets levels with the rest of its log."""
    held = HeldLines()
    with held.holding():
        LOG.warning("early")
    caplog.set_level(logging.ERROR, logger=LOG.name)

    held.let_go()

    assert caplog.messages == []

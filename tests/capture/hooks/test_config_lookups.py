# SPDX-License-Identifier: Apache-2.0
"""Look-ups of options are counted, and only those of a request."""

from __future__ import annotations

import pytest
from oslo_config import cfg
from serving import recorded

from nova_profiler.capture.hooks import HookError, config_lookups


@pytest.fixture
def conf():
    """Return options of a service."""
    conf = cfg.ConfigOpts()
    conf.register_opts([cfg.StrOpt("name", default="x")], group="service")
    conf([], default_config_files=[])
    return conf


@pytest.fixture
def hook():
    """Install the hook for one test."""
    undo = config_lookups.install()
    yield
    undo()


def test_lookups_are_counted(conf, hook):
    """Each option that is read is one more than its group."""
    one = recorded(lambda: conf.service.name).counts["config_lookups"]

    nine = recorded(lambda: [conf.service.name for _ in range(9)])

    assert one > 0
    assert nine.counts["config_lookups"] == 9 * one


def test_values_are_what_they_were(conf, hook):
    """Outside a request and inside, and for what is not there."""
    found = []

    def work():
        found.append(conf.service.name)
        with pytest.raises(cfg.NoSuchOptError, match="missing"):
            found.append(conf.service.missing)

    work()
    recorded(work)

    assert found == ["x", "x"]


def test_none_is_no_count(hook):
    """A request that read nothing says nothing."""
    assert "config_lookups" not in recorded(lambda: None).counts


def test_undo_puts_the_method_back():
    """Installed twice, undone twice: the very method."""
    before = vars(cfg.ConfigOpts)["_get"]

    undos = [config_lookups.install(), config_lookups.install()]
    during = vars(cfg.ConfigOpts)["_get"]
    for undo in undos:
        undo()

    assert during is not before
    assert vars(cfg.ConfigOpts)["_get"] is before


def test_an_oslo_config_without_the_method_is_told(monkeypatch):
    """A later release may have moved it: one line, no half hook."""
    monkeypatch.delattr(cfg.ConfigOpts, "_get")

    with pytest.raises(HookError, match="no ConfigOpts._get"):
        config_lookups.install()

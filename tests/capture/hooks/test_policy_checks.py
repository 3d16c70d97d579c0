# SPDX-License-Identifier: Apache-2.0
"""Checks of policy are counted, and only those of a request."""

from __future__ import annotations

import pytest
from imported import imported
from oslo_config import cfg
from serving import recorded

from nova_profiler.capture.hooks import policy_checks

policy = imported("oslo_policy.policy")


@pytest.fixture(autouse=True)
def hook():
    undo = policy_checks.install()
    yield
    undo()


@pytest.fixture
def enforcer():
    conf = cfg.ConfigOpts()
    conf([], default_config_files=[])
    made = policy.Enforcer(conf, use_conf=False)
    made.register_default(policy.RuleDefault("compute:show", "role:reader"))
    rules = {"compute:show": "role:reader"}
    made.set_rules(policy.Rules.from_dict(rules), use_conf=False)
    return made


def test_checks_are_counted_once_however_they_are_asked_for(enforcer):
    found = []

    def work():
        creds = {"roles": ["reader"]}
        found.append(enforcer.enforce("compute:show", {}, creds))
        found.append(enforcer.authorize("compute:show", {}, creds))
        with pytest.raises(policy.PolicyNotRegistered):
            enforcer.authorize("compute:none", {}, creds)

    record = recorded(work)

    assert found == [True, True]
    assert record.counts["policy_checks"] == 2


def test_outside_a_request_nothing_is_kept(enforcer):
    assert not enforcer.enforce("compute:show", {}, {"roles": ["other"]})
    assert "policy_checks" not in recorded(lambda: None).counts

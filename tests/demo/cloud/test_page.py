# SPDX-License-Identifier: Apache-2.0
"""What the cloud's demo prints at its end."""

from __future__ import annotations

from demo.cloud import page
from demo.cloud.clients import Done


def test_the_critical_path_is_one_sentence():
    """Largest part first, without what is hardly there."""
    picture = {
        "until_answer": {"ms": 1200.0},
        "until_done": {
            "ms": 10_000.0,
            "shares": [
                {"holder": "nova-api", "ms": 1200.0, "share": 0.12},
                {"holder": "nova-compute", "ms": 8700.0, "share": 0.87},
                {"holder": "broker", "ms": 100.0, "share": 0.01},
            ],
        },
    }

    assert page.sentence(picture) == (
        "The slowest create was answered after 1.20 s and done after 10.0 s; "
        "its critical path was held by nova-compute 8.70 s (87 %), "
        "nova-api 1.20 s (12 %)."
    )


def test_the_slowest_is_the_one_of_that_action():
    """As its client saw it."""
    done = [
        Done("create", "req-1", 2.0),
        Done("create", "req-2", 3.0),
        Done("delete", "req-3", 9.0),
    ]

    assert page.slowest(done, "create").request_id == "req-2"

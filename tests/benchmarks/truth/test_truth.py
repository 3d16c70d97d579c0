# SPDX-License-Identifier: Apache-2.0
"""The bench that asks profilers for the truth must not lie itself."""

from __future__ import annotations

import cProfile
import json
import marshal
import sys

import pytest

pytest.importorskip("sqlalchemy", minversion="2.0")

from benchmarks.truth import loads, marks, measuring, orm_queries, profiles
from benchmarks.truth.clocks import taken


def record_of(*functions, seconds=0.01):
    """Return a record of a pyinstrument session."""
    return [[f"{name}\x00app.py\x001" for name in functions], seconds]


def test_shares_are_of_the_whole_request():
    """What is outside of it, or another's, is in neither part."""
    found = profiles.of_records(
        [
            record_of("whole_request", "App.thirty", seconds=0.3),
            record_of("whole_request", "sixty", "sixty", seconds=0.6),
            record_of("whole_request", seconds=0.1),
            record_of("server", seconds=5.0),
            record_of("whole_request", "[out-of-context]", seconds=7.0),
        ],
        0.01,
    )

    shares = profiles.shares(
        [found, found], ("sixty", "thirty", "ten"), "whole_request"
    )

    assert shares == {
        "sixty": pytest.approx(60),
        "thirty": pytest.approx(30),
        "ten": 0,
    }


def test_a_file_of_either_kind_is_read(tmp_path):
    """As the engines write them."""

    def thirty():
        pass

    profile = cProfile.Profile()
    profile.runcall(thirty)
    profile.snapshot_stats()
    stats = tmp_path / "one.prof"
    stats.write_bytes(marshal.dumps(profile.stats))
    session = tmp_path / "one.pyisession"
    session.write_text(
        json.dumps(
            {
                "min_interval": 0.01,
                "frame_records": [record_of("thirty", seconds=0.05)],
            }
        )
    )

    assert profiles.of_file(stats).samples[0][1] == 1
    assert profiles.of_file(session).samples == [(frozenset({"thirty"}), 5)]


def test_foreign_samples_are_counted():
    """Those without any mark are neither."""
    found = profiles.of_records(
        [
            record_of("work_3", "between", "leaf_3", seconds=0.04),
            record_of("work_3", "between", "leaf_12", seconds=0.02),
            record_of("work_4", seconds=0.01),
            record_of("between", seconds=0.01),
        ],
        0.01,
    )

    assert profiles.counted(found, 3, marks.mark_of) == (7, 3)


@pytest.mark.parametrize(
    ("function", "number"),
    [("work_3", 3), ("small_12", 12), ("network_3", None), ("work_3x", None)],
)
def test_marks_are_found_in_names(function, number):
    """And in no others."""
    assert marks.mark_of(function) == number


def test_each_request_calls_functions_of_its_own(monkeypatch):
    """All sixteen, in the body too, and none of another's."""
    monkeypatch.setattr(marks.time, "sleep", lambda seconds: None)
    called = []
    monkeypatch.setattr(
        marks,
        "_FUNCTIONS",
        {f"work_{n}": lambda pause, n=n: called.append(n) for n in range(16)},
    )
    for number in range(marks.REQUESTS):
        environ = {"PATH_INFO": f"/marked/{number}"}
        for _ in marks.marked_app(environ, lambda *args: None):
            pass

    assert called == [number for number in range(16) for _ in range(2)]


@pytest.fixture
def closed_loads():
    """Have the loads' databases closed afterwards."""
    yield
    orm_queries.close()


@pytest.mark.usefixtures("closed_loads")
def test_the_clocks_cover_the_parts_of_a_request(monkeypatch):
    """Each part is on its clock, the whole on its own."""
    monkeypatch.setattr(loads, "_TURNS", 10)
    for load in loads.LOADS.values():
        app = loads.app_of(load.make())
        taken()
        list(app({}, lambda *args: None))

        clocks = taken()
        assert set(clocks) == {*load.parts, loads.WHOLE}
        parts_s = sum(clocks[part] for part in load.parts)
        assert 0 < parts_s <= clocks[loads.WHOLE]
        assert taken() == {}


def share(contender, found, *notes, load="small-calls"):
    """Return a share that should be 30."""
    return measuring.Share(contender, load, "thirty", 30.0, found, 99, notes)


def test_a_share_that_is_off_is_explained_or_missed():
    """A note that explains it is as good as the truth; another one is not."""
    rows = measuring.figures(
        [
            share("stacks", 32.0),
            share("pyinstrument", 20.0, "samples: 7"),
            share("cprofile", 50.0, f"what is {measuring.WHY} looks slow"),
            share("bare cProfile", 50.0),
        ],
        [],
    )

    assert [(row.value, row.met) for row in rows] == [
        (2.0, True),
        (10.0, False),
        (0.0, True),
    ]


def test_no_note_excuses_what_it_does_not_explain():
    """A function that is called once is not one that is called often."""
    (row,) = measuring.figures(
        [share("cprofile", 50.0, f"{measuring.WHY} looks slow", load="split")],
        [],
    )

    assert (row.value, row.met) == (20.0, False)


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({}, "right"),
        ({"foreign": 2, "noted": 2}, "wrong, noted"),
        ({"foreign": 2, "noted": 1}, "WRONG, no note"),
        ({"errors": 1}, "raises"),
        ({"foreign": 1, "errors": 1}, "WRONG, no note"),
    ],
)
def test_a_row_has_a_verdict(fields, verdict):
    """The table is long: its last words are enough."""
    row = measuring.Foreign("stacks", "3.13.0", "threads", **fields)

    assert row.verdict == verdict


def test_foreign_samples_are_noted_or_missed():
    """And so are samples that are too few to mean anything."""
    rows = measuring.figures(
        [],
        [
            measuring.Foreign("stacks", "3.13.0", "threads", samples=5000),
            measuring.Foreign("stacks", "3.13.0", "eventlet", samples=4999),
            measuring.Foreign(
                *("cprofile", "3.13.0", "threads"),
                samples=9000,
                foreign=7,
                noted=7,
            ),
            measuring.Foreign(
                *("pyinstrument", "3.13.0", "threads"),
                samples=9000,
                foreign=1,
            ),
        ],
    )

    assert [row.met for row in rows] == [
        True,
        False,
        False,
        True,
        True,
        True,
    ]


def test_a_python_that_cannot_be_used_is_named(tmp_path, monkeypatch):
    """With what to do, before anything is measured."""
    with pytest.raises(measuring.TruthError, match="No such file"):
        measuring.version_of(str(tmp_path / "python3.99"))
    monkeypatch.setattr(measuring, "NEEDED", ("json", "no_such_module"))
    with pytest.raises(
        measuring.TruthError, match="has no no_such_module; .*pip install"
    ):
        measuring.version_of(sys.executable)


def test_our_notes_of_inflation_hold_what_the_bench_looks_for():
    """Or else the bench would find no note that explains a share."""
    from nova_profiler.capture.profilers.cprofile.notes import INFLATES
    from nova_profiler.capture.profilers.pyinstrument.notes import inflation

    for call_s in (None, 1e-7):
        assert measuring.WHY in inflation(call_s)
    assert measuring.WHY in INFLATES

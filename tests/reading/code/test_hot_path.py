# SPDX-License-Identifier: Apache-2.0
"""The hot path in a few lines, for people and for programs."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from one_file_pages import parts_of
from profile_builders import (
    API,
    CONTROLLER,
    DISPATCH,
    ORM,
    WAITING,
    pyspy_session,
    rebuild_samples,
    rebuild_stats,
    session,
    stacks_session,
    write_session,
    write_stats,
)
from rich.console import Console

from nova_profiler.profiles.functions import Function
from nova_profiler.profiles.loading import load
from nova_profiler.profiles.session_files import read_session
from nova_profiler.profiles.stack_tree import StackTree
from nova_profiler.profiles.summaries import Step
from nova_profiler.reading.code import hot_path, top_page
from nova_profiler.reading.code.hot_path_page import hot_path_parts
from nova_profiler.reading.code.profile_page.page import page_of


def shown(*parts, width: int = 120) -> str:
    console = Console(
        file=io.StringIO(), width=width, markup=False, highlight=False
    )
    for part in parts:
        console.print(part)
    return console.file.getvalue()  # type: ignore[attr-defined]


def step(name: str, share: float, package: str = "nova") -> Step:
    return Step(Function(f"/a/nova/{package}/x.py", 1, name), 5, 1.0, share)


@pytest.fixture
def samples(tmp_path):
    return load(write_session(tmp_path / "a.pyisession", *rebuild_samples()))


@pytest.fixture
def calls(tmp_path):
    return load(write_stats(tmp_path / "a.prof", rebuild_stats()))


def test_the_page_names_function_file_and_line(samples):
    """The function with most of the time comes first, with its place."""
    lines = [
        line.strip() for line in shown(*hot_path_parts(samples)).split("\n")
    ]

    assert lines[:3] == [
        "100 samples: 800.0 ms at work, 200.0 ms waiting",
        "nova.compute.api:rebuild holds 100.0 % of the work",
        "nova/compute/api.py:3512, mostly in line 3540",
    ]
    assert any(
        line.split() == ["75.0", "%", "sqlalchemy.orm.loading:instances",
                         "loading.py:69"]
        for line in lines
    )  # fmt: skip
    assert any(
        line.split() == ["200.0", "lock.acquire",
                         "nova.api.openstack.compute.servers:_action",
                         "servers.py:990"]
        for line in lines
    )  # fmt: skip


def test_calls_are_called_calls(calls):
    """And a note says that counting slows small functions."""
    page = shown(*hot_path_parts(calls))

    assert "44 calls: 800.0 ms at work, 200.0 ms waiting" in page
    assert "nova.compute.api:rebuild holds 87.5 % of the work" in page
    assert "counting calls makes small functions look slower" in page


def test_only_steps_that_say_something_are_told():
    """Equal shares are one line, decorators and filters none."""
    steps = [
        step("filter", 1.0, "webob"),
        step("Resource", 1.0),
        step("schema.<locals>.wrapper", 0.99),
        step("detail", 0.99),
        step("get_all", 0.8),
        step("get_by_filters", 0.795),
        step("execute", 0.6, "sqlalchemy"),
    ]

    main = [one.function.name for one in hot_path.main_steps(steps)]

    assert main == ["detail", "get_by_filters", "execute"]
    hot = hot_path.hot_function(steps)
    assert hot is not None
    assert hot.function.name == "get_by_filters"


def test_a_path_without_nova_ends_at_its_last():
    """Another service's code has a hot path, too."""
    steps = [step("a", 1.0, "placement"), step("b", 0.7, "placement")]

    assert hot_path.hot_function(steps) == steps[-1]
    assert hot_path.main_steps(steps) == steps[-1:]
    assert hot_path.hot_function([]) is None
    assert hot_path.main_steps([]) == []


def test_the_figures_are_plain_json(samples):
    """Programs get files whole, seconds, and samples by their name."""
    figures = json.loads(json.dumps(hot_path.figures_of(samples)))

    assert (figures["engine"], figures["samples"]) == ("pyinstrument", 100)
    assert figures["hot_path"][2] == {
        "function": "nova.compute.api:rebuild",
        "file": "/usr/lib/python3/dist-packages/nova/compute/api.py",
        "line": 3512,
        "busiest_line": 3540,
        "seconds": 0.8,
        "share": 1.0,
    }
    assert figures["functions"][0]["samples"] == 60
    assert figures["waits"][0]["for"]["line"] == 990


def test_too_few_samples_have_no_shares():
    """One sample of work is not all of the work; its time is still there."""
    tree = StackTree("pyspy")
    content = pyspy_session(
        ([CONTROLLER, API], 0.146), ([API, WAITING], 3.97), number=2
    )
    tree.add(read_session(json.dumps(content).encode()))

    page = shown(*hot_path_parts(tree, 203.7), width=200)
    figures = hot_path.figures_of(tree, duration_ms=203.7)
    html, _ = parts_of(page_of(tree, "a"))
    console = Console(file=io.StringIO(), width=120, highlight=False)
    top_page.print_top(console, tree, "tottime", 5)
    table = console.file.getvalue()  # type: ignore[attr-defined]

    assert "2020.6 % of the request's 203.7 ms: each sample stands" in page
    assert "holds" not in page
    assert "holds" not in html
    assert "146.0  <1" in page.replace("       ", "  ")
    for text in (page, html, table):
        assert "too few for shares" in text
        assert "100.0 %" not in text
    assert figures["hot_path"] == []
    assert figures["sample_s"] == pytest.approx(2.058)
    (row,) = figures["functions"][:1]
    assert (row["share"], row["self_samples"]) == (None, 0.07)


def test_percall_is_sorted_by_what_is_shown(tmp_path):
    """By the primitive calls, as the second column of that name is."""
    key = ("/a.py", 1, "recursion")
    content = rebuild_stats()
    content[key] = (1, 1000, 0.0, 5.0, {})
    calls = load(write_stats(tmp_path / "a.prof", content))

    rows = top_page.sorted_rows(calls, "percall")
    console = Console(file=io.StringIO(), width=120, highlight=False)
    top_page.print_top(console, calls, "percall", 1)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]

    assert rows[0].function == key
    assert lines[4].split()[4] == "5.000000"


def test_samples_have_no_percall_to_sort_by(samples):
    """Then their table is sorted as if nothing was asked."""
    by_call = top_page.sorted_rows(samples, "percall")

    assert by_call == top_page.sorted_rows(samples, "tottime")


def test_top_has_the_columns_of_pstats(calls):
    """Calls, times, times a call; the wait below, in no share."""
    console = Console(file=io.StringIO(), width=120, highlight=False)
    top_page.print_top(console, calls, "tottime", 2)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]

    assert lines[:2] == [
        "where the time went: at work 80.0 %, waiting 20.0 %",
        "longest wait in one place: 200.0 ms in <built-in method "
        "time.sleep>, for "
        "nova.compute.api:rebuild",
    ]
    assert lines[2].startswith("cprofile: 1 profile, 44 calls: 800.0 ms at")
    assert lines[3].split() == [
        *("ncalls", "tottime", "percall", "cumtime", "percall", "tot", "%"),
        "filename:lineno(function)",
    ]
    assert lines[4].split() == [
        *("40", "0.600", "0.015000", "0.600", "0.015000", "75.0", "%"),
        "sqlalchemy/orm/loading.py:69(instances)",
    ]
    assert lines[6] == "and 1 more, 100.0 ms"
    assert lines[8] == "Waiting, left out above"
    assert lines[10].split()[-1] == "nova/compute/api.py:3512(rebuild)"
    assert "{built-in method time.sleep}" in lines[10]


def test_top_of_samples_has_no_calls(samples):
    """A column without a count is not there."""
    console = Console(file=io.StringIO(), width=120, highlight=False)
    top_page.print_top(console, samples, "cumtime", 10)
    page = console.file.getvalue()  # type: ignore[attr-defined]

    assert "ncalls" not in page
    assert "percall" not in page
    assert page.splitlines()[4].split()[:3] == ["80", "0.000", "0.800"]


HOSTILE = "</script><script>alert(1)</script>\x1b[31m<b>&\"'"


def test_generated_code_leaves_the_figures_their_room(tmp_path):
    """Its name is longer than that of any file."""
    made = "<attrs generated methods jsonschema.validators.Validator.make>"
    frames = [DISPATCH, CONTROLLER, f"__init__\x00{made}\x005"]
    tree = load(write_session(tmp_path / "a.pyisession", (frames, 1.0)))

    text = shown(*hot_path_parts(tree), width=80)

    assert "samples" in text.rpartition("own time")[2].splitlines()[0]
    assert "me…rs.Validator.make>:5" in text


def test_hostile_names_are_shown_as_text(tmp_path):
    """A terminal takes them for nothing else."""
    frame = f"{HOSTILE}\x00/x/{HOSTILE}.py\x001"
    tree = load(write_session(tmp_path / "a.pyisession", ([frame], 1.0)))

    assert "\x1b" not in shown(*hot_path_parts(tree))


TEXT = st.text(st.characters(exclude_characters="\x00\x01"), max_size=20)
FRAMES = st.lists(
    st.builds(lambda *parts: "\x00".join(parts), TEXT, TEXT, TEXT), max_size=4
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(FRAMES, st.floats(0, 1e6)), max_size=4),
    st.integers(30, 150),
)
def test_no_profile_makes_a_report_fail(samples, width):
    """Odd frames look odd, and none of their characters steer."""
    content = session(*([*samples, ([DISPATCH, CONTROLLER, ORM], 0.5)]))
    tree = StackTree("pyspy")
    tree.add(read_session(json.dumps(content).encode()))
    console = Console(
        file=io.StringIO(), width=width, markup=False, highlight=False
    )
    for part in hot_path_parts(tree):
        console.print(part)
    top_page.print_top(console, tree, "tottime", 5)
    json.dumps(hot_path.figures_of(tree))

    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    parts_of(page_of(tree, "a"))


def tree_of_looks(in_line_s: float) -> StackTree:
    """Return a request of the engine stacks, seen in 25 looks."""
    one = stacks_session(
        ([f"{API}\x01l7"], 0.3),
        ([f"{API}\x01l9", WAITING], 0.4),
        ([f"{API}\x01l9", "[waiting for the GIL]"], 0.1),
        (["[in line for a processor]"], in_line_s),
        number=25,
    )
    tree = StackTree("stacks")
    tree.add(read_session(json.dumps(one).encode()))
    return tree


def test_looks_are_named_with_what_they_stand_for():
    """How often, for how long each, for how much of the request."""
    page = shown(*hot_path_parts(tree_of_looks(0.2), 1250.0), width=200)

    assert (
        "25 looks, one each 40.0 ms, seen 80.0 % of the request: 300.0 ms at "
        "work, 400.0 ms waiting, 100.0 ms waiting for the GIL, 200.0 ms in "
        "line for a processor"
    ) in page
    assert "api.py:3512, line 9" in page
    assert "holds 100.0 % of the work" in page


def test_shares_are_not_shown_where_a_thread_mostly_stood_in_line():
    """Where the processor was used is not known, then."""
    tree = tree_of_looks(0.31)
    page = shown(*hot_path_parts(tree, 1250.0), width=200)
    figures = hot_path.figures_of(tree)

    assert "holds" not in page
    assert "shares of the work are not known" in page
    assert figures["hot_path"] == []
    assert figures["in_line_s"] == 0.31
    assert figures["gil_s"] == 0.1
    assert all(one["share"] is None for one in figures["functions"])


def test_top_begins_with_where_the_time_went():
    """Of stacks each state of a thread, the largest first."""
    shares, waited = hot_path.where_lines(tree_of_looks(0.2))

    assert shares == (
        "where the time went: waiting 40.0 %, at work 30.0 %, in line for a "
        "processor 20.0 %, waiting for the GIL 10.0 %"
    )
    assert waited.startswith("longest wait in one place: 400.0 ms in ")


def test_the_longest_wait_is_one_that_has_a_place():
    """Time in line for a processor stands among the shares already."""
    _, waited = hot_path.where_lines(tree_of_looks(5.0))

    assert waited.startswith("longest wait in one place: 400.0 ms in ")


def test_without_a_wait_top_begins_with_the_work(tmp_path):
    """A share of all would be no news."""
    tree = load(write_session(tmp_path / "a.pyisession", ([CONTROLLER], 1.0)))

    assert hot_path.where_lines(tree) == []


@pytest.mark.parametrize("places", [2, 3, 4, 7])
def test_waits_that_are_not_shown_are_counted(tmp_path, places):
    """With their time, so that those that are shown are not all."""
    path = write_session(
        tmp_path / "a.pyisession",
        *[
            ([f"wait_in\x00/a/nova/p{n}.py\x00{n + 1}", WAITING], 0.5)
            for n in range(places)
        ],
    )

    page = shown(*hot_path_parts(load(path)), width=200)

    assert page.count(":wait_in") == min(places, 3)
    assert (f"and {places - 3} more" in page) is (places > 3)
    assert ("2000.0  and 4 more" in page) is (places == 7)

# SPDX-License-Identifier: Apache-2.0
"""The cProfile engine where requests are greenlets; a process of its own."""

from __future__ import annotations

from programs import answer_of

from nova_profiler.capture.profilers.cprofile.notes import (
    ADDED,
    INFLATES,
    PARTIAL,
)

COMMON = """
    import eventlet
    eventlet.monkey_patch()
    import json, marshal, sys
    import greenlet
    from nova_profiler.capture.hooks.spawns import thread_spawns
    from nova_profiler.capture.profilers.cprofile import engine
    from serving import PLAIN, Profiled

    functions = {}
    for n in range(16):
        exec(f"def work_{n}():\\n    pass", functions)

    def filter_over(app):
        return Profiled(
            app,
            load=lambda name, note: engine.engine(note),
            profiler="cprofile",
            profile_when=("always",),
        )

    def shown(record):
        kept = []
        if record.profiled is not None:
            record.profiled.attach(lambda *args: kept.append(args[1]))
        table = marshal.loads(kept[0]) if kept else {}
        return {
            "profile": record.profile,
            "calls": {
                key[2]: row[1] for key, row in table.items()
                if key[2].startswith("work_")
            },
            "own": [
                key for key in table
                if "nova_profiler/capture/profilers" in key[0]
                or "_lsprof" in key[2] or "monitoring" in key[2]
                or "settrace" in key[2] or "builtins.id" in key[2]
            ],
        }

    def nothing_left():
        monitoring = getattr(sys, "monitoring", None)
        return [
            sys.getprofile(), greenlet.gettrace(),
            monitoring and monitoring.get_tool(monitoring.PROFILER_ID),
        ] == [None] * 3
"""

AT_ONCE = """
    def app(environ, start_response):
        start_response("200 OK", PLAIN)
        number = int(environ["PATH_INFO"][1:])
        def work():
            for _ in range(20):
                functions[f"work_{number}"]()
                eventlet.sleep(0)
        def body():
            work()
            yield b"one"
            work()
            yield b"two"
        work()
        return body()

    profiled = filter_over(app)
    pool = eventlet.GreenPool()
    for n in range(16):
        pool.spawn(profiled.get, f"/{n}")
    pool.waitall()
    print(json.dumps({
        "records": {r.path: shown(r) for r in profiled.records},
        "nothing_left": nothing_left(),
        "failures": profiled.failures.counts(),
    }))
"""

SPAWNED = """
    undo = thread_spawns.install()

    def app(environ, start_response):
        threads = [
            eventlet.spawn(functions[f"work_{n}"]) for n in range(3)
        ]
        for thread in threads:
            thread.wait()
        start_response("200 OK", PLAIN)
        return [b"ok"]

    profiled = filter_over(app)
    eventlet.spawn(profiled.get).wait()
    undo()
    print(json.dumps(shown(profiled.record)))
"""

KILLED = """
    def app(environ, start_response):
        functions["work_0"]()
        eventlet.sleep(600)

    profiled = filter_over(app)
    thread = eventlet.spawn(profiled.get)
    eventlet.sleep(0)
    on = greenlet.gettrace() is not None
    thread.kill()
    print(json.dumps([on, nothing_left(), shown(profiled.record)["calls"]]))
"""

FORKED = """
    import os

    def app(environ, start_response):
        pid = os.fork()
        if pid == 0:
            os._exit(0 if nothing_left() else 1)
        status.append(os.waitpid(pid, 0)[1])
        functions["work_0"]()
        start_response("200 OK", PLAIN)
        return [b"ok"]

    status = []
    profiled = filter_over(app)
    eventlet.spawn(profiled.get).wait()
    print(json.dumps([
        status, nothing_left(), shown(profiled.record)["calls"],
    ]))
"""


def test_sixteen_requests_at_once_have_a_profile_each() -> None:
    """All their calls, bodies included, and none of others or of ours."""
    answer = answer_of(COMMON, AT_ONCE)

    assert len(answer["records"]) == 16
    for path, shown in answer["records"].items():
        assert shown["calls"] == {f"work_{path[1:]}": 60}
        assert shown["own"] == []
        assert shown["profile"]["notes"] == [PARTIAL, INFLATES]
    assert answer["nothing_left"]
    assert answer["failures"] == {}


def test_greenthreads_that_work_for_the_request_are_added_up() -> None:
    """On every Python: each greenlet has a profile of its own."""
    shown = answer_of(COMMON, SPAWNED)

    assert shown["calls"] == {"work_0": 1, "work_1": 1, "work_2": 1}
    assert ADDED.format(3) in shown["profile"]["notes"]


def test_a_killed_request_leaves_nothing_on() -> None:
    """Neither a profile nor greenlet's trace function."""
    on, nothing_left, calls = answer_of(COMMON, KILLED)

    assert on
    assert nothing_left
    assert calls == {"work_0": 1}


def test_a_process_forked_in_a_request_is_not_profiled() -> None:
    """The request itself is, to its end."""
    assert answer_of(COMMON, FORKED) == [[0], True, {"work_0": 1}]

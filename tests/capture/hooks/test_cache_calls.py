# SPDX-License-Identifier: Apache-2.0
"""Calls of caches outside the process are timed, those in memory counted."""

from __future__ import annotations

import json

import pytest
from dogpile.cache import api, make_region, register_backend
from dogpile.cache.proxy import ProxyBackend
from serving import calls_of, recorded, set_clock

from nova_profiler.capture.hooks import cache_calls, late_patches

CANARY = "canary-5e1c"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class FarBackend(api.CacheBackend):
    """A backend that takes a second for everything."""

    clock = Clock()

    def __init__(self, arguments):
        self.kept = {}

    def get(self, key):
        self.clock.now += 1.0
        return self.kept.get(key, api.NO_VALUE)

    def set(self, key, value):
        self.clock.now += 1.0
        self.kept[key] = value

    def delete(self, key):
        self.clock.now += 1.0
        self.kept.pop(key, None)

    def get_multi(self, keys):
        self.clock.now += 1.0
        return [self.kept.get(key, api.NO_VALUE) for key in keys]

    def set_multi(self, mapping):
        self.clock.now += 1.0
        self.kept.update(mapping)

    def delete_multi(self, keys):
        self.clock.now += 1.0


register_backend("nova_profiler.test.far", __name__, "FarBackend")


@pytest.fixture(autouse=True)
def hook(monkeypatch):
    monkeypatch.setattr(cache_calls, "_keys", {})
    undo = cache_calls.install()
    yield
    undo()


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(FarBackend, "clock", made)
    set_clock(monkeypatch, made)
    return made


def region(backend="nova_profiler.test.far", wrap=()):
    return make_region().configure(backend, wrap=wrap)


def counts_of(record):
    return {
        name: call.count - call.nested
        for name, call in calls_of(record, "cache").items()
    }


def test_each_operation_of_a_region_is_a_call(clock):
    far = region()

    def work():
        far.get(CANARY)
        far.get_multi([CANARY])
        far.set(CANARY, CANARY)
        far.set_multi({CANARY: CANARY})
        far.delete(CANARY)
        far.delete_multi([CANARY])

    record = recorded(work)

    assert counts_of(record) == {
        "Far get": 1,
        "Far get_multi": 1,
        "Far set": 1,
        "Far set_multi": 1,
        "Far delete": 1,
        "Far delete_multi": 1,
    }
    assert record.breakdown_ms["cache"] == pytest.approx(6000)
    assert CANARY not in json.dumps(record.to_dict())


def test_the_creator_of_a_value_is_no_part_of_it(clock):
    """Only the backend's get and set are."""
    far = region()

    def create():
        clock.now += 30.0
        return 1

    record = recorded(lambda: far.get_or_create(CANARY, create))

    # Some releases look once more after they have the lock.
    calls = record.groups["cache"].calls
    assert calls in (2, 3)
    assert record.breakdown_ms["cache"] == pytest.approx(calls * 1000)
    rest_ms = record.duration_ms - record.breakdown_ms["cache"]
    assert rest_ms == pytest.approx(30000)


def test_a_proxy_is_looked_through(clock):
    class Proxy(ProxyBackend):
        pass

    far = region(wrap=[Proxy, Proxy])

    assert counts_of(recorded(lambda: far.get("k"))) == {"Far get": 1}


@pytest.mark.parametrize(
    "backend", ["memory", "memory_pickle", "null"], ids=str
)
def test_a_cache_in_memory_is_counted(backend):
    near = region(f"dogpile.cache.{backend}")

    def work():
        near.get("k")
        near.set("k", 1)

    record = recorded(work)

    assert record.counts["memory_cache_calls"] == 2
    assert "cache" not in record.groups


def test_a_region_without_a_backend_raises_as_before(clock):
    from dogpile.cache.exception import RegionNotConfigured

    def work():
        with pytest.raises(RegionNotConfigured):
            make_region().get("k")

    recorded(work)


def test_names_are_bounded():
    """Whatever classes there are."""
    kinds = [type(f"Own{n}Backend", (), {}) for n in range(1000)]

    names = {cache_calls._new_keys(kind)["get"].name for kind in kinds}

    assert len(names) == cache_calls.MOST_BACKENDS + 1
    assert "other get" in names


def test_outside_a_request_it_works_as_ever(clock):
    far = region()

    far.set("k", 1)

    assert far.get("k") == 1


def test_all_of_it_is_in_the_library_here():
    assert late_patches.missing_points() == []


class Memcached:
    """A client of memcached that takes a second."""

    def __init__(self, clock):
        self.clock = clock
        self.kept = {}

    def get(self, key):
        self.clock.now += 1.0
        return self.kept.get(key)

    def set(self, key, value, time):
        self.clock.now += 1.0
        self.kept[key] = value


def tokens(**options):
    cache = pytest.importorskip("keystonemiddleware.auth_token._cache")
    late_patches.look_again()
    import logging

    return cache.TokenCache(logging.getLogger("none"), **options)


def test_the_cache_of_tokens_is_timed(clock):
    """keystonemiddleware talks to memcached without dogpile."""
    cache = tokens(env_cache_name="swift.cache", cache_time=9)
    cache.initialize({"swift.cache": Memcached(clock)})
    found = []

    def work():
        found.append(cache.get(CANARY))
        cache.set(CANARY, {"token": CANARY})
        found.append(cache.get(CANARY))

    record = recorded(work)

    assert found == [None, {"token": CANARY}]
    assert counts_of(record) == {"tokens get": 2, "tokens set": 1}
    assert record.breakdown_ms["cache"] == pytest.approx(3000)
    assert CANARY not in json.dumps(record.to_dict())


def test_tokens_kept_in_the_process_are_counted(clock):
    cache = tokens()
    cache.initialize({})

    record = recorded(lambda: cache.get(CANARY))

    assert record.counts["memory_cache_calls"] == 1
    assert "cache" not in record.groups

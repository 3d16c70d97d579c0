# SPDX-License-Identifier: Apache-2.0
"""No client drives the dumps of all others out."""

from __future__ import annotations

from collections import Counter

import pytest
from builders import dump_files, numbered

from nova_profiler.dump_store import DumpStore
from nova_profiler.dump_store.names import (
    is_stem,
    name_of_dump,
    sharer_of,
    user_of,
)
from nova_profiler.dump_store.shares import SHARE, Shares, StoredDump


def sent(number, user, route="/v2.1/servers", project=None):
    """Return the record of a request of *user*, each later than the last."""
    one = numbered(number)
    one.user_id, one.project_id, one.route = user, project, route
    return one


def users_in(directory):
    """Return how many dumps each user has there."""
    names = [name.rpartition("/")[2] for name in dump_files(directory)]
    return Counter(sharer_of(name.removesuffix(".json"))[0] for name in names)


def digest_of(user):
    return user_of(sent(0, user))


@pytest.mark.parametrize("limits", [{"max_files": 40}, {"max_mb": 0.05}])
def test_one_user_drives_out_only_its_own(tmp_path, limits):
    """However many slow or failed requests it sends after the others'."""
    store = DumpStore(tmp_path, **limits)
    for number in range(9):
        store.write(sent(number, f"user-{number % 3}"))
    for number in range(9, 300):
        store.write(sent(number, "flood", f"/v2.1/route{number % 7}"))

    left = users_in(tmp_path)

    assert [left[digest_of(f"user-{n}")] for n in range(3)] == [3, 3, 3]
    assert left[digest_of("flood")] > 9


def test_one_route_of_a_user_drives_out_only_its_own(tmp_path):
    """Where all requests are of one service's user."""
    store = DumpStore(tmp_path, max_files=40)
    for number in range(5):
        store.write(sent(number, "neutron", "/v2.1/os-server-groups"))
    for number in range(5, 200):
        store.write(sent(number, "neutron", "/v2.1/servers/detail"))

    names = dump_files(tmp_path)

    assert sum("os-server-groups" in name for name in names) == 5
    assert len(names) > 30


def test_who_gives_no_name_is_one_client(tmp_path):
    """Whatever addresses and ids such requests have."""
    store = DumpStore(tmp_path, max_files=20)
    store.write(sent(0, "user"))
    for number in range(1, 100):
        one = sent(number, None)
        one.remote_address = f"192.0.2.{number}"
        store.write(one)

    assert users_in(tmp_path)[digest_of("user")] == 1


def test_within_their_shares_the_oldest_goes(tmp_path):
    """As many as have no more than a share each."""
    users = int(1 / SHARE)
    store = DumpStore(tmp_path, max_files=4 * users)
    for number in range(40 * users):
        store.write(sent(number, f"user-{number % users}"))

    left = users_in(tmp_path)

    assert max(left.values()) - min(left.values()) <= 1
    newest = next(store.entries())
    assert newest.id_prefix == f"{40 * users - 1:08x}"


def test_shares_come_to_an_end():
    """Each dump is taken once."""
    dumps = [
        StoredDump("2026-11-21", name_of_dump(one)[1], ("a",), number, 0.0)
        for number in range(6)
        for one in [sent(number, f"user-{number % 2}")]
    ]
    shares = Shares(dumps)

    taken = [shares.take(by_bytes=number > 3) for number in range(7)]

    assert taken[-1] is None
    assert sorted(taken[:-1]) == dumps


def test_a_name_has_the_user_and_stems_of_before_have_none():
    """A user's digits say nothing to a person."""
    _, stem = name_of_dump(sent(7, "0f" * 16, "/v2.1/os-keypairs"))
    user, route = sharer_of(stem)

    assert user == user_of(sent(1, "0f" * 16)) == user_of(sent(1, "0f" * 16))
    assert stem.endswith(f"-00000007-u{user}")
    assert route == "GET-v2_1_os-keypairs"
    for before in ("", "--0a1b2c3d"):
        stem = f"103501.123-42ms-GET-v2_1_os-keypairs-6ec84648{before}"
        assert is_stem(stem)
        assert sharer_of(stem) == ("", "GET-v2_1_os-keypairs")
        stem = f"103501.123-42ms-GET-v2_1_os-keypairs-6ec84648-u0a1b2c{before}"
        assert sharer_of(stem) == ("0a1b2c", "GET-v2_1_os-keypairs")


def test_without_a_user_it_is_the_project():
    """Some services know no more."""
    assert user_of(sent(1, None, project="demo")) == digest_of("demo")
    assert user_of(sent(1, None)) == ""
    assert sharer_of("foreign") == ("", "")

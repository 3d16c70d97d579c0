# SPDX-License-Identifier: Apache-2.0
"""Profiles come from files of any kind; what is none is named."""

from __future__ import annotations

import json
import os

import pytest
from profile_builders import (
    API,
    pyspy_session,
    rebuild_samples,
    rebuild_stats,
    write_session,
    write_stats,
)

from nova_profiler.profiles import ProfileError
from nova_profiler.profiles.loading import Profiles, beside, load
from nova_profiler.trust import files


def test_engines_stay_apart(tmp_path):
    """Their times do not add up, so each has its own sum."""
    profiles = Profiles()
    for number in range(3):
        path = tmp_path / f"{number}.pyisession"
        profiles.add(write_session(path, *rebuild_samples()))
    profiles.add(write_stats(tmp_path / "a.prof", rebuild_stats()))
    pyspy = tmp_path / "b.pyisession"
    pyspy.write_text(json.dumps(pyspy_session(([API], 0.1), number=5)))
    profiles.add(pyspy)

    assert [(one.engine, one.profiles) for one in profiles.engines] == [
        ("pyinstrument", 3),
        ("cprofile", 1),
        ("pyspy", 1),
    ]


@pytest.mark.parametrize(
    ("dump", "engine"),
    [
        ({"schema": 1, "profile": {"engine": "pyspy"}}, "pyspy"),
        ({"schema": 1, "profile": {"engine": ["x"]}}, "pyinstrument"),
        ({"schema": 1}, "pyinstrument"),
        ([], "pyinstrument"),
        (None, "pyinstrument"),
    ],
)
def test_a_session_without_engine_asks_its_dump(tmp_path, dump, engine):
    """And is pyinstrument's if that names none either."""
    path = write_session(tmp_path / "a.pyisession", *rebuild_samples())
    if dump is not None:
        path.with_suffix(".json").write_text(json.dumps(dump))

    assert load(path).engine == engine


def test_a_damaged_file_adds_nothing(tmp_path):
    """Not even what stands before the damage."""
    profiles = Profiles()
    profiles.add(write_stats(tmp_path / "a.prof", rebuild_stats()))
    half = tmp_path / "b.prof"
    half.write_bytes((tmp_path / "a.prof").read_bytes()[:-20])

    with pytest.raises(ProfileError, match=r"^b\.prof: "):
        profiles.add(half)

    (graph,) = profiles.engines
    assert (graph.profiles, graph.number) == (1, 44)


def test_other_files_are_named(tmp_path):
    """What does not end as profiles do, or is not there."""
    (tmp_path / "a.json").write_text("{}")

    with pytest.raises(ProfileError, match=r"a\.json: not a profile; "):
        load(tmp_path / "a.json")
    with pytest.raises(ProfileError, match=r"b\.prof: No such file"):
        load(tmp_path / "b.prof")


def test_a_pipe_does_not_hold_us_up(tmp_path):
    """Somebody may have put anything under such a name."""
    os.mkfifo(tmp_path / "a.prof")

    with pytest.raises(ProfileError, match="not a regular file"):
        load(tmp_path / "a.prof")


def test_a_file_too_large_is_not_read(tmp_path, monkeypatch):
    """Memory is bounded by what a profile can be."""
    monkeypatch.setattr(files, "LARGEST_BYTES", 10)
    write_stats(tmp_path / "a.prof", rebuild_stats())

    with pytest.raises(ProfileError, match="more than is read of one file"):
        load(tmp_path / "a.prof")


def test_the_profile_beside_a_dump(tmp_path):
    """The same stem; an empty file and a directory are none."""
    dump = tmp_path / "103501.123-5ms-GET-root-6ec84648.json"
    assert beside(dump) is None

    dump.with_suffix(".prof").mkdir()
    dump.with_suffix(".pyisession").touch()
    assert beside(dump) is None

    write_session(dump.with_suffix(".pyisession"), *rebuild_samples())
    assert beside(dump) == dump.with_suffix(".pyisession")


def test_no_link_beside_a_file_is_followed(tmp_path):
    """Only what a person named may be one."""
    outside, given = tmp_path / "outside", tmp_path / "given"
    outside.mkdir()
    given.mkdir()
    write_session(outside / "a.pyisession", *rebuild_samples())
    (outside / "b.json").write_text(
        json.dumps({"schema": 1, "profile": {"engine": "pyspy"}})
    )
    (given / "a.pyisession").symlink_to(outside / "a.pyisession")
    write_session(given / "b.pyisession", *rebuild_samples())
    (given / "b.json").symlink_to(outside / "b.json")

    assert beside(given / "a.json") is None
    with pytest.raises(ProfileError, match="a link, which is not followed"):
        load(given / "a.pyisession")
    assert load(given / "b.pyisession").engine == "pyinstrument"

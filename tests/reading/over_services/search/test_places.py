# SPDX-License-Identifier: Apache-2.0
"""Dump directories in a folder of those of many hosts."""

from __future__ import annotations

from nova_profiler.reading.over_services.search import places
from nova_profiler.reading.over_services.search.places import dump_directories

_DAY = "2026-11-21"


def made(tmp_path, *paths: str) -> None:
    for path in paths:
        (tmp_path / path).mkdir(parents=True)


def test_a_folder_of_folders(tmp_path):
    """One a host, each as deep as it was there."""
    made(
        tmp_path, f"one/var/dumps/{_DAY}", f"two/{_DAY}", "three/log",
        f"two/.running/{_DAY}",
    )  # fmt: skip

    found = dump_directories([str(tmp_path)], [])

    assert found == [str(tmp_path / "one/var/dumps"), str(tmp_path / "two")]


def test_one_that_was_named_counts_without_dumps(tmp_path):
    """Nothing was dumped yet: that is said later."""
    assert dump_directories([str(tmp_path)], []) == [str(tmp_path)]


def test_each_counts_once(tmp_path):
    """Named itself, and by the folder that it is in."""
    made(tmp_path, f"one/{_DAY}")
    one = str(tmp_path / "one")

    assert dump_directories([one, one], [])[0] == one
    assert one in dump_directories([one, str(tmp_path)], [])
    assert dump_directories([str(tmp_path), one], []).count(one) == 1


def test_links_lead_nowhere(tmp_path):
    """But one that was named itself is followed, as any folder."""
    made(tmp_path, f"one/{_DAY}", "tree")
    (tmp_path / "tree" / "link").symlink_to(tmp_path / "one")
    (tmp_path / "tree" / "round").symlink_to(tmp_path / "tree")
    tree, link = str(tmp_path / "tree"), str(tmp_path / "tree" / "link")

    assert dump_directories([tree], []) == [tree]
    assert dump_directories([link], []) == [link]


def test_there_is_an_end(tmp_path, monkeypatch):
    """To how deep and to how many folders are looked into."""
    made(tmp_path, "/".join("abcdefghijk") + f"/{_DAY}", f"z/{_DAY}")
    left_out: list[str] = []

    assert dump_directories([str(tmp_path)], left_out) == [str(tmp_path / "z")]
    assert left_out == []
    monkeypatch.setattr(places, "_MOST_FOLDERS", 2)
    dump_directories([str(tmp_path)], left_out)
    assert left_out[0].endswith("more than 2 folders")

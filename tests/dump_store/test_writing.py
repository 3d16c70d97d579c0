# SPDX-License-Identifier: Apache-2.0
"""Files are whole or absent, and no name is taken twice."""

from __future__ import annotations

from nova_profiler.dump_store import writing
from nova_profiler.dump_store.writing import claim

DAY, STEM = "2026-11-21", "103501.123-42ms-GET-root-6ec84648"


def test_a_name_published_between_two_looks_is_left_alone(
    tmp_path, monkeypatch
):
    """Its writer had the name aside before, and has just moved it."""
    published = tmp_path / DAY / f"{STEM}.json"
    genuine = writing.write_new

    def write_as_another_publishes(path, content):
        monkeypatch.setattr(writing, "write_new", genuine)
        genuine(path, content)
        published.parent.mkdir()
        published.write_text("another's")

    monkeypatch.setattr(writing, "write_new", write_as_another_publishes)

    aside, path = claim(tmp_path, DAY, STEM)

    assert path != published
    assert path.name.startswith(f"{STEM}--")
    assert published.read_text() == "another's"
    assert [*aside.parent.iterdir()] == [aside]

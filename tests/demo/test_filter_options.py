# SPDX-License-Identifier: Apache-2.0
"""What the demo's filter may keep is more than the load writes."""

from __future__ import annotations

import pytest
from builders import numbered

from demo import filter_options
from nova_profiler.capture.settings.options import Settings, parsed_all
from nova_profiler.dump_store import DumpStore
from nova_profiler.profiles import SAMPLES_SUFFIX

# As `make demo` sends them: two paths, three clients, 100 each.
USUAL = 600


def _settings(directory, requests):
    texts = filter_options.writing(directory, 8125, requests)
    return Settings().changed(parsed_all(texts, "the demo"))


def test_each_dump_of_the_load_is_kept_with_its_stacks(tmp_path):
    """And one that is asked for afterwards drives out none."""
    settings = _settings(tmp_path, USUAL)
    unlimited = DumpStore(settings.dump_dir)
    for number in range(USUAL):
        path = unlimited.write(numbered(number))
        path.with_suffix(SAMPLES_SUFFIX).write_bytes(b"stacks")

    store = DumpStore(
        settings.dump_dir, settings.dump_max_files, settings.dump_max_mb
    )
    store.write(numbered(USUAL))

    assert store.prune().dumps == []
    assert len(list(store.entries())) == USUAL + 1


@pytest.mark.parametrize("requests", [2, USUAL, 2 * 10_000 * 10_000])
def test_no_load_is_too_large_for_the_options(tmp_path, requests):
    """Of the smallest and the largest that the command takes."""
    settings = _settings(tmp_path, requests)

    assert settings.dump_when == ("all",)
    assert settings.dump_max_files >= 2 * requests
    assert settings.dump_max_mb >= max(512, requests)

# SPDX-License-Identifier: Apache-2.0
"""Each way in which paste cannot load the filter has its own remedy."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError

import pytest

from nova_profiler.reading.setup.folded_paste_factory import load_remedy
from nova_profiler.reading.setup.pipelines import MAKER


@pytest.mark.parametrize(
    "exc",
    [
        AttributeError("module has no attribute 'filterfactory'"),
        ModuleNotFoundError("No module named 'nova_profilr'"),
        LookupError("No loader given in section 'filter:timing'"),
        PackageNotFoundError("nova-profilr"),
    ],
)
def test_a_slip_is_mended_by_the_right_line(exc):
    """In a section of the name that the file has."""
    assert load_remedy("timing", exc) == ("[filter:timing]", MAKER)


def test_a_package_that_pip_does_not_know_is_installed():
    """Or named by its module, for which a path is enough."""
    remedy = load_remedy("timing", PackageNotFoundError("nova-profiler"))

    assert remedy[0] == "pip install nova-profiler, in nova-api's environment"
    assert remedy[-1] == MAKER

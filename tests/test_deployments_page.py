# SPDX-License-Identifier: Apache-2.0
"""The lines of the manual's page on deployment tools do what they are for."""

from __future__ import annotations

import re
import textwrap

import pytest
import yaml
from places import ROOT

from nova_profiler.capture.settings.files import oslo_sections_of
from nova_profiler.capture.settings.options import GROUP, OPTION_OF, parsed
from nova_profiler.paste_file import own_filters
from nova_profiler.reading.setup.services.configuration import read

PAGE = ROOT / "doc" / "source" / "deployments.rst"


def blocks(kind: str) -> list[str]:
    """Return the page's code blocks in the language *kind*."""
    found = re.findall(
        rf"^\.\. code-block:: {kind}\n\n((?:   .*\n|\n)+)",
        PAGE.read_text(),
        re.MULTILINE,
    )
    return [textwrap.dedent(one) for one in found]


CONFIGURATIONS = [one for one in blocks("ini") if "localrc" not in one]
VALUES = [yaml.safe_load(one) for one in blocks("yaml")]


def keys_of(value, name: str) -> list:
    """Return what stands under the key *name* anywhere in *value*."""
    if not isinstance(value, dict):
        return []
    found = [value[name]] if name in value else []
    return found + [k for one in value.values() for k in keys_of(one, name)]


@pytest.mark.parametrize("text", CONFIGURATIONS)
def test_the_drop_ins_name_the_driver(text, tmp_path):
    """As oslo.config reads them, and no slip is among them."""
    path = tmp_path / "x.conf"
    path.write_text(text)

    found = read([str(path)], oslo_sections_of)

    assert found.named_in == (str(path),)
    assert found.slips == ()
    for name, values in oslo_sections_of(str(path))[GROUP].items():
        parsed(name, values[-1], "the page")


def test_there_is_one_of_each():
    """The page has not lost what is looked at here."""
    assert len(CONFIGURATIONS) == 2
    assert len(VALUES) == 5


def test_options_in_values_exist():
    """Those of group nova_profiler, in each tool's values."""
    groups = [
        one
        for value in VALUES
        for one in keys_of(value, GROUP)
        # It is one of ansible's drivers as well.
        if one is not None
    ]

    names = [name for group in groups for name in group]

    assert len(groups) == 3
    assert set(names) <= set(OPTION_OF)


def test_drivers_in_values_are_lists_of_two():
    """In the form for several lines, as each tool has it."""
    drivers = [one for value in VALUES for one in keys_of(value, "driver")]

    ansible, helm = drivers
    assert list(ansible) == ["messagingv2", "nova_profiler"]
    assert set(ansible.values()) == {None}
    assert helm == {
        "type": "multistring",
        "values": ["messagingv2", "nova_profiler"],
    }


def test_filters_in_values_are_ours_and_first():
    """A section that our factory makes, and each pipeline begins with it."""
    for value in VALUES:
        for key, options in [
            *value.get("nova_api_paste_ini_overrides", {}).items(),
            *value.get("conf", {}).get("paste", {}).items(),
        ]:
            if key.startswith("filter:"):
                assert list(own_filters({key: options})) == [key]
            else:
                (line,) = options.values()
                assert line.split()[0] == "nova_profiler"


def test_variables_of_local_conf_are_options():
    """What the page sets in devstack's local.conf."""
    given = re.findall(
        r"^ *NOVA_PROFILER_(\w+)=(\w+)$", PAGE.read_text(), re.M
    )

    assert given
    for name, value in given:
        parsed(name.lower(), value, "the page")

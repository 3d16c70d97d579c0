# SPDX-License-Identifier: Apache-2.0
"""Writes the sample files beside it from the options' definitions.

python etc/generate_samples.py
"""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

from oslo_config import cfg

from nova_profiler.capture.settings.options import GROUP, OPTIONS, expected
from nova_profiler.record.json_schema import FORMS, schema_of

FOLDER = Path(__file__).parent / "nova-profiler"

_PASTE = """\
# What nova's api-paste.ini needs for nova-profiler: the section below, and
# the filter as the first word of each pipeline of the API. Keep what is
# there and put it in front:
#
#   [composite:openstack_compute_api_v21]
#   keystone = nova_profiler cors http_proxy_to_wsgi ...
#
#   [composite:openstack_compute_api_v21_legacy_v2_compatible]
#   keystone = nova_profiler cors http_proxy_to_wsgi ...
#
# Then restart nova-api and run: nova-profiler check
#
# Any option may stand here or in nova.conf; here it wins.

[filter:nova_profiler]
paste.filter_factory = nova_profiler.factory:filter_factory
"""
_NOVA = f"""\
# Options of nova-profiler in nova.conf. Each option is shown with its
# default. To change one, remove the # in front of it.

[{GROUP}]
"""
_SERVICES = f"""\
# Switches nova-profiler on in services without a paste file: nova-conductor,
# nova-scheduler, nova-compute. Put a copy, without .sample, where the service
# reads further files: /etc/nova/nova.conf.d for all of nova's services,
# /etc/nova/nova-compute.conf.d for that one. Then restart them.
#
# The line adds to the drivers that other files name, and sends nothing.

[oslo_messaging_notifications]
driver = nova_profiler

# All options of nova.conf.sample may stand here. Two of the services must not
# share a folder of dumps unless they run as the same user.

[{GROUP}]
#dump_dir = /var/log/nova/profiler
#statsd_host = 127.0.0.1
#log_requests = true,message:slow
"""


def samples() -> dict[str, str]:
    """Return the text of each sample file by its name."""
    options = "".join(f"\n{_described(option)}" for option in OPTIONS)
    return {
        "api-paste.ini.sample": _PASTE + options,
        "nova.conf.sample": _NOVA + options,
        "services.conf.sample": _SERVICES,
        **{
            f"{form}.schema.json": json.dumps(schema_of(form), indent=2) + "\n"
            for form in FORMS
        },
    }


def _described(option: cfg.Opt) -> str:
    notes = [str(option.help), f"Expected: {expected(option)}."]
    if option.mutable:
        notes.append("A change counts within seconds, while nova-api runs.")
    lines = [f"# {line}" for note in notes for line in textwrap.wrap(note, 75)]
    written = f"#{option.name} = {_written(option.default)}".rstrip()
    return "\n".join([*lines, written, ""])


def _written(default: object) -> str:
    if default is None:
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, list):
        return ",".join(default)
    return str(default)


if __name__ == "__main__":
    for name, text in samples().items():
        (FOLDER / name).write_text(text, encoding="utf-8")

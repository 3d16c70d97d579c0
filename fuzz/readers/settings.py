# SPDX-License-Identifier: Apache-2.0
"""What an operator, or a deployment tool, wrote: options, routes, places."""

from __future__ import annotations

from pathlib import Path

from oslo_config import cfg

from fuzz.inputs.seeds import ROOT, contents
from fuzz.readers.contracts import Reader
from nova_profiler.capture.settings.files import written_in
from nova_profiler.capture.settings.live import LiveSettings
from nova_profiler.capture.settings.options import OPTIONS, ConfigError
from nova_profiler.capture.settings.paste_options import (
    UNREADABLE,
    own_sections,
)
from nova_profiler.capture.settings.route_files import read_routes
from nova_profiler.capture.sinks.statsd_address import address_of
from nova_profiler.paste_file import PasteFileError, sections_of
from nova_profiler.reading.setup.paste_edits import with_filter, without_filter
from nova_profiler.reading.setup.pipelines import filters_of, pipeline_points

_PASTE = b"""[DEFAULT]
name = x
[composite:osapi_compute]
use = call:nova.api.openstack.urlmap:urlmap_factory
/v2.1: openstack_compute_api_v21
/ = pipe
[composite:openstack_compute_api_v21]
use = call:nova.api.auth:pipeline_factory_v21
keystone = cors nova_profiler keystonecontext osapi_compute_app_v21
noauth2 = cors noauth2 %(name)s
[pipeline:pipe]
pipeline = nova_profiler app
[filter:nova_profiler]
paste.filter_factory = nova_profiler.factory:filter_factory
statsd_host = 127.0.0.1
set name = y
[filter:second]
use = nova_profiler
get log_file = name
dump_dir = %(here)s/dumps
[filter-app:third]
use = config:other.ini#nova_profiler
next = app
[app:app]
paste.app_factory = nova.api.openstack.compute:APIRouterV21.factory
"""
_PASTE_PIECES = (
    b"[filter:a]\n", b"use = ", b"config:", b"egg:nova-profiler#main",
    b"%(here)s", b"%(name)s", b"%", b"set ", b"get ", b"next = ",
    b"pipeline = ", b"\n ", b"\n\n", b"composite:", b"[DEFAULT]\n",
)  # fmt: skip
_NOVA_CONF = (
    "[DEFAULT]\nlog_dir = /var/log/nova\n[nova_profiler]\n"
    + "".join(
        f"{option.name} = {option.default}\n"
        for option in OPTIONS
        if option.default is not None
    )
    + "profile_keys = ${long_key},another-key-of-enough-letters\n"
).encode()
_SAMPLES = ROOT / "etc" / "nova-profiler"
_CONF_PIECES = (
    b"[nova_profiler]\n", b" = ", b"$", b"${", b"}", b"$$", b"\n ", b"true",
    b"nan", b"inf", b"1e400", b"127.0.0.1:8125", b"profile_when = rate\n",
    *(option.name.encode() for option in OPTIONS),
)  # fmt: skip
_ROUTES = (
    b"# routes\n/v2.0/networks/{id}\n/v2.0/networks/{id}/*\n/healthcheck\n"
    b"/v1/{project}/jobs/{job_id}.json\n/\n/*\n"
)
_PATHS = ("/", "/v2.0/networks/4/ports", "/v2.0/networks/4.json", "/a" * 300)
_ADDRESSES = (
    b"127.0.0.1", b"statsd:8125", b"[::1]:8125", b"::1", b"udp://a.b:1",
    b"unix:///run/statsd.sock", b"@abstract", b"xn--bcher-kva.example",
)  # fmt: skip


def read_paste_file(data: bytes, folder: Path) -> None:
    """Read *data* as api-paste.ini, as the filter and ``check`` do."""
    path = folder / "api-paste.ini"
    path.write_bytes(data)
    # The file that it includes is the same.
    other = folder / "other.ini"
    other.write_bytes(data)
    try:
        own_sections(str(path), {})
    except UNREADABLE:
        pass
    try:
        sections = sections_of(str(path))
    except PasteFileError:
        return
    pipeline_points(sections, filters_of(sections))
    # As it is put in, so it is taken out.
    text = data.decode("utf-8", "replace")
    edited = with_filter(text, str(path))
    assert with_filter(edited, str(path)) == edited
    assert without_filter(edited).startswith(without_filter(text))


def read_nova_conf(data: bytes, folder: Path) -> None:
    """Read *data* as nova.conf, and take our options from it."""
    path = folder / "nova.conf"
    path.write_bytes(data)
    try:
        written_in([str(path)])
    except ConfigError:
        return
    conf = cfg.ConfigOpts()
    try:
        conf([], default_config_files=[str(path)], default_config_dirs=[])
    except (cfg.Error, UnicodeError):
        # The service does not start, either.
        return
    try:
        LiveSettings(conf, {}, {})
    except ConfigError:
        return


def read_routes_file(data: bytes, folder: Path) -> None:
    """Read *data* as a routes_file, and find the routes of some paths."""
    path = folder / "routes"
    path.write_bytes(data)
    try:
        table = read_routes(str(path))
    except ConfigError:
        return
    for one in _PATHS if table else ():
        table.route_of(one)  # type: ignore[union-attr]  # it is there


def read_statsd_address(data: bytes, folder: Path) -> None:
    """Read *data* as the address of a statsd."""
    try:
        address_of(data.decode("utf-8", "surrogateescape"))
    except ValueError:
        return


PASTE_FILE = Reader(
    read_paste_file,
    (_PASTE, *contents("api-paste.ini.sample", _SAMPLES)),
    _PASTE_PIECES,
)
NOVA_CONF = Reader(
    read_nova_conf,
    (_NOVA_CONF, *contents("nova.conf.sample", _SAMPLES)),
    _CONF_PIECES,
)
ROUTES_FILE = Reader(
    read_routes_file, (_ROUTES,), (b"{id}", b"/*", b"/", b"#", b"\n")
)
STATSD_ADDRESS = Reader(
    read_statsd_address, _ADDRESSES, (b"unix://", b"udp://", b":", b"[", b"]")
)

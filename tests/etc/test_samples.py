# SPDX-License-Identifier: Apache-2.0
"""The sample files: up to date, and read by those who will read them."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest
from oslo_config import cfg
from paste.deploy import loadapp
from places import ROOT
from serving import Answer

from nova_profiler import factory
from nova_profiler.capture.served.named_application import (
    OURS,
    VARIABLE,
    named_in,
)
from nova_profiler.capture.served.wsgi_middleware import ProfilerMiddleware
from nova_profiler.capture.settings.live import LiveSettings
from nova_profiler.capture.settings.options import OPTIONS, Settings
from nova_profiler.capture.settings.project_conf import FILES_VARIABLE

ETC = ROOT / "etc"
PASTE = ETC / "nova-profiler" / "api-paste.ini.sample"
NOVA = ETC / "nova-profiler" / "nova.conf.sample"
SERVICES = ETC / "nova-profiler" / "services.conf.sample"
SCHEMAS = tuple((ETC / "nova-profiler").glob("*.schema.json"))

APP = f"""
[pipeline:main]
pipeline = nova_profiler app

[app:app]
paste.app_factory = {__name__}:app_factory
"""


def app_factory(global_conf):
    """Return an application as paste asks for it."""

    def app(environ, start_response):
        start_response("200 OK", [])
        return [b"ok"]

    return app


def _all_on(sample: Path) -> str:
    """Return *sample* with each option as it would be without its #."""
    return re.sub(r"^#(?=\w+ =)", "", sample.read_text(), flags=re.M)


def _read(*paths: Path) -> cfg.ConfigOpts:
    conf = cfg.ConfigOpts()
    conf([], project="nova", default_config_files=[str(p) for p in paths])
    return conf


def test_they_are_what_the_generator_writes():
    """After a change of an option: python etc/generate_samples.py."""
    samples = runpy.run_path(str(ETC / "generate_samples.py"))["samples"]()

    assert samples == {
        path.name: path.read_text(encoding="utf-8")
        for path in (PASTE, NOVA, SERVICES, *SCHEMAS)
    }


@pytest.mark.parametrize("sample", [PASTE, NOVA])
def test_every_option_is_there_with_its_help(sample):
    """And whether it may be changed while the service runs."""
    text = sample.read_text()

    for option in OPTIONS:
        [found] = re.findall(
            rf"((?:^# .*\n)+)^#{option.name} =", text, flags=re.M
        )
        words = " ".join(found.replace("#", "").split())
        assert str(option.help) in words
        assert ("while nova-api runs" in words) == bool(option.mutable)


def test_oslo_config_reads_both():
    """As nova does: the paste file is one of its files."""
    conf = _read(PASTE, NOVA)

    assert LiveSettings(conf, {}, {}).current == Settings()


def test_nova_conf_with_everything_on_is_the_defaults(tmp_path):
    """Each line can be used as it stands."""
    path = tmp_path / "nova.conf"
    path.write_text(_all_on(NOVA))

    assert LiveSettings(_read(path), {}, {}).current == Settings()


def test_the_drop_in_adds_our_driver(tmp_path):
    """To those of other files; each of its options can be used as it is."""
    path = tmp_path / "services.conf"
    path.write_text(_all_on(SERVICES))
    other = tmp_path / "nova.conf"
    other.write_text("[oslo_messaging_notifications]\ndriver = messagingv2\n")
    conf = _read(other, path)
    drivers = cfg.MultiStrOpt("driver", default=[])
    conf.register_opt(drivers, group="oslo_messaging_notifications")

    assert conf.oslo_messaging_notifications.driver == [
        "messagingv2",
        "nova_profiler",
    ]
    current = LiveSettings(conf, {}, {}).current
    assert current.log_requests == ("request:all", "message:slow")
    assert current.dump_dir == "/var/log/nova/profiler"


@pytest.mark.parametrize("everything", [False, True])
def test_paste_loads_the_filter(tmp_path, monkeypatch, everything):
    """As it stands, and with each option on; oslo.config reads it, too."""
    workers: dict = {}
    monkeypatch.setattr(factory, "_workers", workers)
    monkeypatch.setattr(factory, "install_hooks", lambda settings: int)
    path = tmp_path / "api-paste.ini"
    path.write_text(
        (_all_on(PASTE) if everything else PASTE.read_text()) + APP
    )

    app = loadapp(f"config:{path}")

    assert isinstance(app, ProfilerMiddleware)
    [(made, _)] = workers.values()
    assert made.live.current == Settings()
    assert list(app({}, Answer().start_response)) == [b"ok"]
    assert LiveSettings(_read(path), {}, {}).current == Settings()


def test_the_sample_for_uwsgi_leads_to_our_module():
    """Its variables are those that we read, its name one that we take."""
    text = (ETC / "nova-profiler" / "placement-uwsgi.ini.sample").read_text()
    environ = dict(re.findall(r"^#?env = (\w+)=(.+)$", text, re.M))
    modules = re.findall(r"^module = (.+)$", text, re.M)

    assert modules == [f"{OURS}:application"]
    assert environ.keys() == {VARIABLE, FILES_VARIABLE}
    assert named_in(environ).project == "placement"
    assert (ROOT / "nova_profiler" / "wsgi.py").exists()

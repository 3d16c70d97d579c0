# SPDX-License-Identifier: Apache-2.0
"""The plugin, run by stand-ins of devstack's scripts and functions."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess

import pytest
from devstacks import ROOT, Devstack
from oslo_config import cfg, types

from nova_profiler.capture.served.named_application import VARIABLE, named_in
from nova_profiler.capture.settings.options import GROUP, OPTION_OF, OPTIONS
from nova_profiler.cli import main
from nova_profiler.reading.setup.nova_conf import options_of
from nova_profiler.reading.setup.services.finding import services_of

PASTE = """\
[composite:metadata]
use = egg:Paste#urlmap
/: meta

[pipeline:meta]
pipeline = cors metaapp

[composite:osapi_compute]
use = call:nova.api.openstack.urlmap:urlmap_factory
/: oscomputeversions
/v2.1/+: openstack_compute_api_v21

[composite:openstack_compute_api_v21]
use = call:nova.api.auth:pipeline_factory_v21
keystone = cors compute_req_id osapi_compute_app_v21

[pipeline:oscomputeversions]
pipeline = cors oscomputeversionapp
"""
# Values that no type gives away.
VALUES = {
    "otlp_endpoint": "http://10.0.0.7:4318",
    "otlp_headers": "x-tenant=nova",
    "otlp_trace_rate": "0.5",
    "profile_keys": "a-key-of-enough-characters",
    "profile_rate": "0.5",
    "statsd_host": "10.0.0.7",
}


def made(folder) -> Devstack:
    paste = folder / "api-paste.ini"
    paste.write_text(PASTE)
    return Devstack(folder, paste)


@pytest.fixture
def devstack(tmp_path):
    """Return a devstack that nothing was done in yet."""
    return made(tmp_path)


@pytest.fixture(scope="module")
def stacked(tmp_path_factory):
    """Return one after stack.sh, to look at only."""
    devstack = made(tmp_path_factory.mktemp("stacked"))
    devstack.localrc.write_text("NOVA_PROFILER_HOOKS=sqlalchemy\n")
    devstack.ran("stack")
    return devstack


def value_of(option: cfg.Opt) -> str:
    """Return a valid value of *option*, other than its default."""
    kind = option.type
    if option.name in VALUES:
        return VALUES[option.name]
    if isinstance(option.default, bool):
        return str(not option.default).lower()
    if isinstance(kind, types.Number):
        return "7"
    item = getattr(kind, "item_type", kind)
    for choice in getattr(item, "choices", None) or ():
        if choice != option.default and [choice] != option.default:
            return choice
    return "/a_word"


def nova_configuration(devstack, program, *arguments) -> cfg.ConfigOpts:
    """Return the configuration as *program* of nova reads it."""
    conf = cfg.ConfigOpts()
    conf(list(arguments), project="nova", prog=program)
    conf.register_opts(
        [cfg.MultiStrOpt("driver", default=[])], "oslo_messaging_notifications"
    )
    conf.register_opts(OPTIONS, GROUP)
    return conf


def test_stack_installs_and_switches_on(stacked):
    """The package is installed; filter, drop-ins, uwsgi.ini, dump_dir."""
    assert f"setup_develop {ROOT}" in stacked.calls.read_text()
    paste = stacked.paste.read_text()
    assert "pipeline = nova_profiler cors metaapp\n" in paste
    assert "keystone = nova_profiler cors compute_req_id osapi" in paste
    assert "pipeline = cors oscomputeversionapp\n" in paste
    dumps = stacked.data / "nova-profiler"
    assert dumps.stat().st_mode & 0o7777 == 0o700
    assert dumps.stat().st_uid == os.geteuid()
    assert stacked.drop_in.stat().st_mode & 0o7777 == 0o640


def test_each_service_reads_the_drop_in(stacked, monkeypatch):
    """Whatever --config-file it has; the drivers there stay."""
    monkeypatch.setenv("HOME", str(stacked.home))

    for program, name, others in (
        ("nova-compute", "nova-cpu.conf", ["messagingv2"]),
        ("nova-conductor", "nova_cell1.conf", []),
        ("nova-scheduler", "nova.conf", ["messagingv2"]),
        ("uwsgi", None, ["messagingv2"]),
    ):
        given = [f"--config-file={stacked.nova / name}"] if name else []
        conf = nova_configuration(stacked, program, *given)
        drivers = conf.oslo_messaging_notifications.driver
        assert sorted(drivers) == [*others, "nova_profiler"]
        assert conf[GROUP].dump_dir == str(stacked.data / "nova-profiler")


def test_placement_is_wrapped(stacked):
    """Its application is named to ours; what else is in env stays."""
    lines = stacked.uwsgi.read_text().splitlines()
    assert "module = nova_profiler.wsgi:application" in lines
    (value,) = (
        line.removeprefix(f"env = {VARIABLE}=")
        for line in lines
        if VARIABLE in line
    )
    assert named_in({VARIABLE: value}).project == "placement"
    assert "env = OF_ANOTHER=1" in lines
    assert "service_name = placement" in stacked.placement_drop_in.read_text()
    assert "driver" not in stacked.placement_drop_in.read_text()


def test_check_finds_nothing_wrong(stacked, capsys):
    """`check` is happy with what the plugin wrote."""
    code = main(
        [
            "check",
            "--json",
            f"--paste={stacked.paste}",
            f"--config-file={stacked.nova / 'nova.conf'}",
            f"--config-file={stacked.drop_in}",
        ]
    )

    points = json.loads(capsys.readouterr().out)["points"]
    assert [one for one in points if one["state"] != "ok"] == []
    assert code == 0


def test_check_finds_all_services_on(stacked, tmp_path):
    """By the filter, by the driver, by the wrapped application."""
    for name in ("nova", "placement"):
        shutil.copytree(stacked.home / f".{name}", tmp_path / name)

    services = services_of(str(tmp_path), [], options_of)

    assert {one.kind.service: one.by for one in services} == {
        "nova-api": ("filter", "driver"),
        "nova-metadata": ("filter", "driver"),
        "nova-conductor": ("driver",),
        "nova-scheduler": ("driver",),
        "nova-compute": ("driver",),
        "placement": ("wsgi",),
    }
    assert {one.on for one in services} == {True}


def test_a_second_stack_changes_nothing(devstack):
    """stack.sh may run again, with unstack.sh before it or without."""
    devstack.ran("stack")
    first = devstack.files()

    devstack.ran("stack")
    assert devstack.files() == first

    devstack.ran("unstack")
    devstack.ran("stack")
    assert devstack.files() == first


def test_configuring_twice_changes_nothing(devstack):
    """Not even where devstack does not write its files anew in between."""
    devstack.ran("stack")
    first = devstack.files()

    subprocess.run(
        [
            "bash",
            "-ec",
            'source "$0/tests/programs/devstack_functions.sh"\n'
            "NOVA_API_PASTE_INI=$NOVA_CONF_DIR/api-paste.ini\n"
            "PLACEMENT_UWSGI_CONF=$PLACEMENT_CONF_DIR/placement-uwsgi.ini\n"
            'source "$0/devstack/settings"\n'
            'source "$0/devstack/plugin.sh" stack post-config\n'
            "_nova_profiler_wrap $PLACEMENT_UWSGI_CONF\n"
            "_nova_profiler_files add-filter $NOVA_API_PASTE_INI\n",
            str(ROOT),
        ],
        env=devstack.environment,
        check=True,
    )

    assert devstack.files() == first


def test_unstack_leaves_each_file_as_it_was(devstack, tmp_path):
    """To the byte; the dumps stay until clean.sh."""
    devstack.ran("stack")
    dumps = devstack.data / "nova-profiler"

    devstack.ran("unstack")

    assert devstack.paste.read_text() == PASTE
    assert not devstack.drop_in.parent.exists()
    assert not devstack.placement_drop_in.parent.exists()
    assert sorted(devstack.uwsgi.read_text().split()) == sorted(
        "[uwsgi] env = OF_ANOTHER=1 processes = 2 "
        "module = placement.wsgi.api:application".split()
    )
    assert dumps.is_dir()

    devstack.ran("clean")
    assert not dumps.exists()


def test_unstack_before_any_stack(devstack):
    """Nothing is there to undo: nothing fails."""
    devstack.nova.mkdir(parents=True)

    devstack.ran("clean")


def test_drop_ins_of_others_stay(devstack):
    """A folder that holds more than our file is kept."""
    devstack.ran("stack")
    other = devstack.drop_in.with_name("other.conf")
    other.write_text("[DEFAULT]\n")

    devstack.ran("unstack")

    assert other.exists()
    assert not devstack.drop_in.exists()


def test_dumps_elsewhere_are_not_removed(devstack, tmp_path):
    """clean.sh removes only what is below DATA_DIR."""
    elsewhere = tmp_path / "elsewhere"
    devstack.localrc.write_text(f"NOVA_PROFILER_DUMP_DIR={elsewhere}\n")
    devstack.ran("stack")

    devstack.ran("clean")

    assert elsewhere.is_dir()


def cleaned(devstack, dump_dir) -> None:
    """Run the part of clean.sh that removes dumps, for this *dump_dir*."""
    subprocess.run(
        [
            "bash",
            "-ec",
            'source "$0/tests/programs/devstack_functions.sh"\n'
            'source "$0/devstack/plugin.sh" none\n'
            "cleanup_nova_profiler\n",
            str(ROOT),
        ],
        env={**devstack.environment, "NOVA_PROFILER_DUMP_DIR": str(dump_dir)},
        check=True,
    )


@pytest.mark.parametrize(
    "below", ["", "/", "/.", "/../home", "/nova/..", "/link", "/../data2"]
)
def test_a_path_that_only_begins_with_data_dir(devstack, below):
    """DATA_DIR itself, a folder beside it, and a link out of it stay."""
    devstack.home.mkdir()
    (devstack.data / "nova").mkdir(parents=True)
    (devstack.folder / "data2").mkdir()
    (devstack.data / "link").symlink_to(devstack.home)
    for folder in (devstack.data, devstack.home, devstack.folder / "data2"):
        (folder / "2026-11-29").mkdir()
    before = sorted(devstack.folder.rglob("*"))

    cleaned(devstack, f"{devstack.data}{below}")

    assert sorted(devstack.folder.rglob("*")) == before


def test_clean_leaves_what_is_not_ours(devstack):
    """Nova's own folder as dump_dir keeps the instances."""
    shared = devstack.data / "nova"
    for name in ("instances/disk", "2026-11-29/a.json", ".running/7.json"):
        (shared / name).parent.mkdir(parents=True)
        (shared / name).write_text("")
    for name in (".usage", ".prune", ".armed", ".other"):
        (shared / name).write_text("")

    cleaned(devstack, shared)

    left = sorted(path.name for path in shared.iterdir())
    assert left == [".other", "instances"]
    assert (shared / "instances" / "disk").exists()


def test_a_compute_node(devstack):
    """Without nova-api and placement there is the drop-in alone."""
    devstack.ran("stack", enabled="n-cpu")

    assert devstack.drop_in.exists()
    assert not devstack.paste.exists()
    assert not devstack.placement_drop_in.exists()
    devstack.ran("unstack", enabled="n-cpu")
    assert not devstack.drop_in.exists()


def test_what_is_disabled_meanwhile_is_taken_away(devstack):
    """A stack.sh without placement leaves none of its files changed."""
    devstack.ran("stack")

    devstack.ran("stack", enabled="n-api,n-cpu")

    assert not devstack.placement_drop_in.exists()
    assert devstack.drop_in.exists()


def test_each_option_can_be_given(devstack, monkeypatch, tmp_path):
    """A variable for each option of the table, in nova's and placement's."""
    monkeypatch.setenv("HOME", str(devstack.home))
    given = {option.name: value_of(option) for option in OPTIONS}
    given["dump_dir"] = str(tmp_path / "dumps")
    devstack.localrc.write_text(
        "".join(
            f"NOVA_PROFILER_{name.upper()}='{value}'\n"
            for name, value in given.items()
        )
    )
    devstack.ran("stack")

    conf = nova_configuration(devstack, "nova-compute")
    read = {option.name: conf[GROUP][option.name] for option in OPTIONS}

    assert read == {
        name: OPTION_OF[name].type(text) for name, text in given.items()
    }
    # No value here is its option's default: each came from the file.
    assert not [o.name for o in OPTIONS if o.default == read[o.name]]
    placement = devstack.placement_drop_in.read_text().splitlines()
    for name, text in given.items():
        assert f"{name} = {text}" in placement


@pytest.mark.parametrize(
    "line, said",
    [
        ("NOVA_PROFILER_SLOW_MSS=1", "did you mean 'slow_ms'?"),
        ("NOVA_PROFILER_SLOW_MS=soon", "'soon': expected a number"),
        ("NOVA_PROFILER_PROFILE_KEYS=secret", "(hidden)"),
    ],
)
def test_a_wrong_option_stops_stack(devstack, line, said):
    """One line names the variable; no service is started with a typo."""
    devstack.localrc.write_text(f"{line}\n")

    done = devstack.run("stack")

    assert done.returncode == 1
    assert "local.conf, NOVA_PROFILER_" in done.stderr
    assert said in done.stderr
    assert "=secret" not in done.stderr
    assert not devstack.drop_in.exists()


@pytest.mark.parametrize(
    "value",
    [
        "0123456789abcdef$$word",
        "0123456789abcdef$slow_ms",
        "0123456789abcdef${slow_ms}$",
        "0123456789abcdef\\x",
        "0123456789abcdef%(x)s#y; z'",
        "'0123456789abcdef\"",
    ],
)
def test_a_value_is_read_as_it_was_given(devstack, monkeypatch, value):
    """oslo.config puts another option's value in the place of $name."""
    monkeypatch.setenv("HOME", str(devstack.home))
    quoted = shlex.quote(value)
    devstack.localrc.write_text(f"NOVA_PROFILER_PROFILE_KEYS={quoted}\n")
    devstack.ran("stack")

    conf = nova_configuration(devstack, "nova-compute")

    assert list(conf[GROUP].profile_keys) == [value]


@pytest.mark.parametrize(
    "value, said",
    [
        ('"0123456789abcdefghij"', "is in quotes"),
        ("'0123456789abcdefghij'", "is in quotes"),
        (" 0123456789abcdefghij", "begins or ends with a blank"),
        ("0123456789abcdefghij\t", "begins or ends with a blank"),
        ("0123456789abcdefghij\nenabled=false", "has a line end"),
        ("0123456789abcdefghij\nNOVA_PROFILER_ENABLED=0", "has a line end"),
        ("0123456789abcdefghij\rx", "has a line end"),
        ("0123456789abcdefghij\n", "has a line end"),
        ("0123456789abcdef\\$hij", "has \\$"),
    ],
)
def test_a_value_that_would_be_read_otherwise(devstack, value, said):
    """One line names the variable, and not the key in it."""
    quoted = shlex.quote(value)
    devstack.localrc.write_text(f"NOVA_PROFILER_PROFILE_KEYS={quoted}\n")

    done = devstack.run("stack")

    assert done.returncode == 1
    line = f"nova-profiler: local.conf, NOVA_PROFILER_PROFILE_KEYS: {said}"
    assert line in done.stderr
    assert "456789" not in done.stderr
    assert not devstack.drop_in.exists()


def test_other_variables_of_that_name_are_no_options(devstack):
    """A repository for enable_plugin is often named so."""
    devstack.localrc.write_text("NOVA_PROFILER_REPO=https://git.example/x\n")

    devstack.ran("stack")

    assert "repo" not in devstack.drop_in.read_text()


def test_keys_are_not_traced(devstack):
    """devstack's log has its trace of commands, and no key of ours."""
    devstack.localrc.write_text(
        "NOVA_PROFILER_PROFILE_KEYS=a-key-of-enough-characters\nset -x\n"
    )

    done = devstack.run("stack")

    assert "stack post-config" in done.stderr
    # The line that set it is local.conf's own.
    traced = done.stderr.split("stack post-config", 1)[1]
    assert "a-key-of-enough-characters" not in traced
    assert "key-of-enough" in devstack.drop_in.read_text()

# SPDX-License-Identifier: Apache-2.0
"""`nova-profiler check`: the services of a host come first."""

from __future__ import annotations

import json
import socket
import sys
import types

import pytest
from oslo_config import cfg
from service_hosts import DRIVER, Host

from nova_profiler.cli import main
from nova_profiler.reading.setup import check_command

OPTIONS = "[nova_profiler]\nhooks =\n"


@pytest.fixture
def host(tmp_path, monkeypatch):
    """Return a host whose Python has nova and nothing of ours."""
    made = Host(tmp_path)
    monkeypatch.setattr(
        check_command, "sys", types.SimpleNamespace(prefix=str(made.python()))
    )
    return made


def check(host, capsys, *arguments):
    """Return the exit code and the lines that are printed."""
    code = main(["check", "--etc", str(host.etc), *arguments])
    return code, capsys.readouterr().out


def test_a_line_near_the_top_has_how_many_are_on(host, capsys):
    """Those of which the same was found share a line."""
    host.paste(api="nova_profiler ", meta="nova_profiler ")
    host.write("nova/nova.conf", OPTIONS)
    host.write("nova/nova.conf.d/nova-profiler.conf", DRIVER)
    host.write("placement/placement.conf", "")

    code, out = check(host, capsys)

    lines = out.splitlines()
    assert lines[1] == "warning  services: 5 of 6 are on; not placement"
    assert "ok       services nova-api, nova-metadata: on by filter" in out
    assert "warning  service placement: off" in lines
    assert code == 0


def test_lines_have_80_columns(host, capsys):
    """A path stays whole, and so does what is to be pasted."""
    host.paste()
    host.write("nova/nova.conf", OPTIONS)
    host.write("placement/placement.conf", "")

    _, out = check(host, capsys)

    long = [line for line in out.splitlines() if len(line) > 80]
    assert [line for line in long if str(host.folder) not in line] == []


def test_json_has_points_and_services(host, capsys):
    """An object; facts of each service beside the points."""
    host.write("nova/nova.conf", OPTIONS + DRIVER)

    _, out = check(host, capsys, "--json")

    found = json.loads(out)
    assert found["schema"] == 1
    assert found["points"][0]["name"] == "services"
    compute = found["services"][-1]
    assert compute["service"] == "nova-compute"
    assert (compute["on"], compute["by"]) == (True, ["driver"])
    assert compute["where"] == [str(host.etc / "nova" / "nova.conf")]
    assert compute["python"]["packages"]["nova"] == "34.0.0"


def test_a_compute_host_has_no_paste_file(host, capsys):
    """The options are checked all the same, and a wrong one is wrong."""
    host.write("nova/nova.conf", "[nova_profiler]\nslow_ms = soon\n" + DRIVER)
    # nova's package brings one that no service of this host has.
    own = host.folder / "venv" / "etc" / "nova" / "api-paste.ini"
    own.parent.mkdir(parents=True)
    own.write_text("[pipeline:meta]\npipeline = cors metaapp\n")

    code, out = check(host, capsys)

    assert "api-paste.ini" not in out
    assert "slow_ms = 'soon': expected a number" in " ".join(out.split())
    assert code == 1


def test_drop_ins_of_the_folder_hold_options(host, capsys):
    """Those of --etc, and not of this host."""
    host.write("nova/nova.conf", OPTIONS)
    host.write(
        "nova/nova.conf.d/nova-profiler.conf", "[nova_profiler]\nslow = 1\n"
    )

    code, out = check(host, capsys)

    assert "unknown option 'slow'" in out
    assert code == 1


def test_a_host_of_another_service(host, capsys):
    """Where only keystone is, nothing is said of nova's files."""
    host.write("keystone/keystone.conf", "")

    code, out = check(host, capsys)

    assert out.splitlines() == [
        "2 points: 0 wrong, 0 warnings",
        "ok       services: none of Nova's is on this host",
        "ok       service keystone: off",
    ]
    assert code == 0


def test_a_paste_file_alone_is_checked_alone(host, capsys):
    """Without a word about this host's services."""
    path = host.paste(api="nova_profiler ")
    conf = host.write("nova/nova.conf", OPTIONS)

    main(["check", f"--paste={path}", f"--config-file={conf}"])

    assert "service" not in capsys.readouterr().out


def test_processes_are_looked_at_without_a_folder(host, capsys, monkeypatch):
    """Those of this host, with the files in /etc."""
    conf = host.write("nova/nova.conf", OPTIONS + DRIVER)
    host.process(
        7, "/v/bin/python3", "/v/bin/nova-compute", f"--config-file={conf}"
    )
    monkeypatch.setattr(check_command, "ETC", str(host.etc))
    whole = check_command.processes
    monkeypatch.setattr(
        check_command, "processes", lambda: whole(str(host.proc))
    )

    main(["check"])

    out = capsys.readouterr().out
    assert "service nova-compute: on by driver, 1 process" in out


@pytest.fixture
def trap(tmp_path, monkeypatch):
    """Return the name of a module that must not be imported."""
    (tmp_path / "a_trap_of_check.py").write_text("def spring(): pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield "a_trap_of_check"
    sys.modules.pop("a_trap_of_check", None)


@pytest.mark.parametrize("section", ["DEFAULT", "default"])
@pytest.mark.parametrize("has_api", [True, False])
def test_another_hosts_source_is_not_asked(
    host, capsys, monkeypatch, section, has_api
):
    """The file of a folder has no host of its choice asked for options."""
    asked = []
    monkeypatch.setattr(
        cfg.ConfigOpts,
        "_open_source_from_opt_group",
        lambda conf, name: asked.append(name),
    )
    if has_api:
        host.paste(api="nova_profiler ", meta="nova_profiler ")
    host.write("nova/nova.conf", OPTIONS + DRIVER)
    path = host.write(
        "nova/nova.conf.d/a.conf",
        f"[{section}]\nconfig_source = far\n[far]\ndriver = remote_file\n"
        "uri = http://192.0.2.1/\n",
    )

    _, out = check(host, capsys)

    assert asked == []
    assert f"config_source: {path} names another source" in " ".join(
        out.split()
    )


@pytest.mark.parametrize("has_api", [True, False])
def test_another_hosts_modules_are_not_imported(
    host, capsys, trap, monkeypatch, has_api
):
    """Names of functions and modules are looked at by their form."""
    monkeypatch.setattr(socket, "getaddrinfo", None)
    if has_api:
        host.paste(
            api="nova_profiler ",
            rest=f"[filter:nova_profiler]\nuse = call:{trap}:spring\n",
        )
    host.write(
        "nova/nova.conf",
        f"[nova_profiler]\nhooks = db_api\ntimed_callables = {trap}:spring\n"
        f"db_api_modules = {trap}\nstatsd_host = far.example\n{DRIVER}",
    )

    _, out = check(host, capsys)

    assert trap not in sys.modules
    said = " ".join(out.split())
    for option, name in (
        ("timed_callables", f"{trap}:spring"),
        ("db_api_modules", trap),
    ):
        assert f"{option}: not tried: another host's or user's: {name}" in said
    assert (
        "statsd_host: far.example: not tried: another host's or user's" in said
    )


@pytest.mark.parametrize(
    "line", ["timed_callables = no_colon", "db_api_modules = a.b:c:d"]
)
def test_another_hosts_names_have_to_be_names(host, capsys, line):
    """What no module is called is wrong on any host."""
    host.write("nova/nova.conf", f"[nova_profiler]\n{line}\n{DRIVER}")

    code, out = check(host, capsys)

    assert f"{line.split(' = ')[1]!r}: expected module" in out
    assert code == 1


def test_what_any_user_wrote_is_not_tried(host, capsys, monkeypatch, trap):
    """A process may call itself nova-compute, and name a file of its own."""
    asked = []
    monkeypatch.setattr(
        cfg.ConfigOpts,
        "_open_source_from_opt_group",
        lambda conf, name: asked.append(name),
    )
    conf = host.write(
        "nova/nova.conf",
        f"[nova_profiler]\nhooks =\ntimed_callables = {trap}:spring\n{DRIVER}",
    )
    more = host.write("nova/more.conf", "[DEFAULT]\nconfig_source = far\n")
    conf.chmod(0o666)
    host.process(
        *(7, "/v/bin/nova-compute"),
        *(f"--config-file={conf}", f"--config-file={more}"),
    )
    whole = check_command.processes
    monkeypatch.setattr(check_command, "ETC", str(host.etc))
    monkeypatch.setattr(
        check_command, "processes", lambda: whole(str(host.proc))
    )

    main(["check"])

    said = " ".join(capsys.readouterr().out.split())
    assert (trap in sys.modules, asked) == (False, [])
    assert "timed_callables: not tried" in said
    assert "more.conf names another source" in said

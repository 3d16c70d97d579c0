# SPDX-License-Identifier: Apache-2.0
"""`nova-profiler check`: each point, and what to do about it."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import types

import pytest

from nova_profiler.cli import main
from nova_profiler.reading.setup import (
    OK,
    WARNING,
    WRONG,
    check_command,
    destinations,
)
from nova_profiler.reading.setup.destinations import (
    dump_dir_point,
    log_file_point,
    statsd_point,
)
from nova_profiler.reading.setup.pipelines import nova_paste_file

FILTERS = "cors compute_req_id faultwrap osapi_compute_app_v21"
PASTE = """
[composite:osapi_compute]
use = call:nova.api.openstack.urlmap:urlmap_factory
/: oscomputeversions
/v2/+: openstack_compute_api_v21_legacy_v2_compatible
/v2.1/+: openstack_compute_api_v21

[composite:openstack_compute_api_v21]
use = call:nova.api.auth:pipeline_factory_v21
keystone = {v21}

[composite:openstack_compute_api_v21_legacy_v2_compatible]
use = call:nova.api.auth:pipeline_factory_v21
keystone = {legacy}

[pipeline:oscomputeversions]
pipeline = cors oscomputeversionapp

[pipeline:meta]
pipeline = cors metaapp
"""
SECTION = """
[filter:nova_profiler]
paste.filter_factory = nova_profiler.factory:filter_factory
"""
BOTH = PASTE.format(
    v21=f"nova_profiler {FILTERS}", legacy=f"nova_profiler {FILTERS}"
)


@pytest.fixture(autouse=True)
def a_db_api(monkeypatch):
    """Stand in for nova's database functions."""
    module = types.ModuleType("a_db_api")
    monkeypatch.setitem(sys.modules, "a_db_api", module)
    return module


class Files:
    """The two files, and the command that reads them."""

    def __init__(self, folder, capsys) -> None:
        self.paste = folder / "api-paste.ini"
        self.conf = folder / "nova.conf"
        self._capsys = capsys
        self.write_conf("")
        self.paste.write_text(BOTH + SECTION)

    def write_conf(self, options: str, rest: str = "") -> None:
        hooks = "hooks = db_api\ndb_api_modules = a_db_api"
        if "hooks" in options:
            hooks = ""
        self.conf.write_text(f"{rest}\n[nova_profiler]\n{hooks}\n{options}\n")

    def args(self) -> list[str]:
        files = ["--paste", str(self.paste), "--config-file", str(self.conf)]
        return ["check", *files]

    def check(self) -> tuple[int, dict[str, dict]]:
        """Return the exit code and the points by their names."""
        code = main([*self.args(), "--json"])
        points = json.loads(self._capsys.readouterr().out)
        return code, {point["name"]: point for point in points}


@pytest.fixture
def files(tmp_path, capsys):
    """Return a set-up that is right."""
    return Files(tmp_path, capsys)


def test_a_set_up_that_is_right(files):
    """Nothing is wrong, nothing to be done."""
    code, points = files.check()

    assert code == 0
    assert {point["state"] for point in points.values()} == {OK}
    assert not any(point["remedy"] for point in points.values())


def test_points_are_lines(files, capsys):
    """A state, a name, what was found; remedies below; a sum."""
    files.write_conf("enabled = false")

    assert main(files.args()) == 0

    lines = capsys.readouterr().out.splitlines()
    at = lines.index("warning  enabled: false: no request is timed")
    assert lines[at + 1].split() == ["enabled", "=", "true"]
    assert lines[-1] == f"{len(lines) - 2} points, 0 wrong, 1 warning"


def test_a_missing_section_is_wrong(files):
    """The remedy is the section, ready to paste."""
    files.paste.write_text(PASTE.format(v21=FILTERS, legacy=FILTERS))

    code, points = files.check()

    assert code == 1
    assert points["filter section"]["remedy"] == SECTION.strip().split("\n")
    assert points["options"]["state"] == OK


def test_a_pipeline_without_it_is_wrong(files):
    """The remedy has its section and its whole line."""
    files.paste.write_text(
        PASTE.format(v21=f"nova_profiler {FILTERS}", legacy=FILTERS) + SECTION
    )

    code, points = files.check()

    section = "[composite:openstack_compute_api_v21_legacy_v2_compatible]"
    assert code == 1
    assert points[f"{section} keystone"]["state"] == WRONG
    assert points[f"{section} keystone"]["remedy"] == [
        section,
        f"keystone = nova_profiler {FILTERS}",
    ]
    v21 = "[composite:openstack_compute_api_v21] keystone"
    assert points[v21]["found"] == "in it, outermost"


def test_what_stands_before_it_is_named(files):
    """It works, and does not see those."""
    files.paste.write_text(
        PASTE.format(
            v21="cors compute_req_id nova_profiler app",
            legacy=f"nova_profiler {FILTERS}",
        )
        + SECTION
    )

    code, points = files.check()

    point = points["[composite:openstack_compute_api_v21] keystone"]
    assert code == 0
    assert point["state"] == WARNING
    assert "cors, compute_req_id stand before it" in point["found"]
    assert point["remedy"][1] == (
        "keystone = nova_profiler cors compute_req_id app"
    )


def test_around_the_whole_map_is_good(files):
    """Everything below is timed, without being in it."""
    text = PASTE.format(v21=FILTERS, legacy=f"nova_profiler {FILTERS}")
    text = text.replace(":osapi_compute]", ":osapi_compute_urlmap]")
    files.paste.write_text(
        text
        + SECTION
        + "[pipeline:osapi_compute]\n"
        + "pipeline = nova_profiler osapi_compute_urlmap\n"
    )

    code, points = files.check()

    assert code == 0
    assert points["[pipeline:osapi_compute] pipeline"]["state"] == OK
    v21 = points["[composite:openstack_compute_api_v21] keystone"]
    assert v21["found"] == "timed by the filter around it"


def test_another_application_is_looked_at_as_a_whole(files):
    """A paste file without osapi_compute; a map that leads to itself."""
    files.paste.write_text(
        SECTION
        + "[pipeline:main]\npipeline = cors app\n"
        + "[composite:a]\n/: b\n[composite:b]\n/: a\nnoauth2 = x y\n"
    )

    code, points = files.check()

    assert code == 1
    assert points["[pipeline:main] pipeline"]["state"] == WRONG
    assert points["[composite:b] noauth2"]["state"] == WARNING


def test_a_file_without_pipelines_is_wrong(files):
    """Perhaps it is another program's."""
    files.paste.write_text(SECTION)

    code, points = files.check()

    assert code == 1
    assert points["pipelines"]["state"] == WRONG


@pytest.mark.parametrize(
    "maker",
    [
        "paste.filter_factory = nova_profiler.factory:no_such_factory",
        "paste.filter_factory = nova_profiler_not_there:factory",
        "use = egg:nova-profiler#no_such_entry",
    ],
)
def test_a_factory_that_is_not_there_is_wrong(files, maker):
    """Whatever its name is; in one line."""
    files.paste.write_text(f"{BOTH}[filter:nova_profiler]\n{maker}\n")

    code, points = files.check()

    assert code == 1
    assert points["factory"]["state"] == WRONG
    assert "\n" not in points["factory"]["found"]
    assert points["factory"]["remedy"] == SECTION.strip().split("\n")


@pytest.mark.parametrize(
    ("more", "found", "remedy"),
    [
        (SECTION, "DuplicateSectionError", "one of the two [filter:nova_pro"),
        ("slow_ms = 1\nslow_ms = 2", "DuplicateOption", "the two slow_ms out"),
        ("log_file = %x", "InterpolationSyntaxError", "is written %%"),
    ],
)
def test_what_paste_cannot_read_has_its_own_remedy(files, more, found, remedy):
    """Nothing is wanting that pip could install."""
    files.paste.write_text(f"{BOTH}{SECTION}{more}\n")

    code, points = files.check()

    assert code == 1
    assert found in points["factory"]["found"]
    assert remedy in points["factory"]["remedy"][0]


def test_another_filter_under_our_name_is_wrong(files):
    """It can be imported, and times nothing."""
    files.paste.write_text(
        f"{BOTH}[filter:nova_profiler]\n"
        "paste.filter_factory = json:loads\nits_own = option\n"
    )

    code, points = files.check()

    assert code == 1
    assert points["factory"]["state"] == WRONG
    assert "is another filter's" in points["factory"]["found"]
    assert points["factory"]["remedy"] == SECTION.strip().split("\n")
    assert "options" not in points


def test_a_section_may_use_another_one_of_ours(files):
    """As paste allows, with options of its own."""
    files.paste.write_text(
        f"{BOTH}[filter:nova_profiler]\nuse = timing\n"
        "[filter:timing]\n"
        "paste.filter_factory = nova_profiler.factory:filter_factory\n"
    )

    code, points = files.check()

    assert code == 0
    assert points["factory"]["state"] == OK


@pytest.mark.parametrize(
    ("paste", "conf", "found"),
    [
        (
            "",
            "slow_ms = x",
            "nova.conf, [nova_profiler]: slow_ms = 'x': expected a number, "
            "0 or more",
        ),
        (
            "enabledd = 1",
            "",
            "api-paste.ini, nova_profiler filter: unknown option 'enabledd'",
        ),
    ],
)
def test_a_wrong_option_is_told_as_in_novas_log(files, paste, conf, found):
    """File, option, what was read, what is expected."""
    files.paste.write_text(f"{BOTH}{SECTION}{paste}\n")
    files.write_conf(conf)

    code, points = files.check()

    assert code == 1
    assert points["options"]["found"].startswith(found)


def test_references_are_resolved(files, tmp_path):
    """To what [DEFAULT] has; paste's %(here)s as well."""
    files.write_conf(
        "dump_dir = $state_path/dumps", f"[DEFAULT]\nstate_path = {tmp_path}"
    )
    files.paste.write_text(f"{BOTH}{SECTION}log_file = %(here)s/log.json\n")

    _, points = files.check()

    assert f"{tmp_path}/dumps" in points["dump_dir"]["found"]
    assert str(tmp_path) in points["log_file"]["found"]


def test_a_line_that_oslo_config_cannot_read_is_wrong(files):
    """nova would not start."""
    files.paste.write_text(f"{BOTH}\n[app:x]\nonly_a_word\n{SECTION}")

    code, points = files.check()

    assert code == 1
    assert points["oslo.config"]["state"] == WRONG


def test_hooks_that_cannot_be_installed_are_wrong(files):
    """With the reason."""
    files.write_conf("timed_callables = no.such:thing")

    code, points = files.check()

    assert code == 1
    assert "no.such" in points["hooks"]["found"]
    assert "timed_callables = no.such:thing" in points["hooks"]["remedy"][0]


def test_what_a_hook_does_not_find_in_a_library_is_named(
    files, monkeypatch, tmp_path
):
    """The library is imported for that, as nova-api does."""
    late_patches = check_command.late_patches
    (tmp_path / "a_late_library.py").write_text("def send(url): pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    wanted = [
        late_patches.Point("http", module, "send", lambda send: send, takes)
        for module, takes in (
            ("a_late_library", ("url",)),
            ("a_late_library", ("method",)),
            ("not_installed_here", ("url",)),
        )
    ]
    monkeypatch.setattr(
        check_command,
        "install_hooks",
        lambda settings: late_patches.patch_when_loaded(wanted),
    )

    code, points = files.check()

    del sys.modules["a_late_library"]
    assert code == 0
    assert points["hooks"]["state"] == WARNING
    assert "a_late_library:send(method)" in points["hooks"]["found"]


@pytest.mark.parametrize("problem", [None, "give it CAP_SYS_PTRACE"])
def test_pyspy_is_tried_out(files, monkeypatch, problem):
    """That it is installed does not mean that it may look."""
    files.write_conf("profiler = pyspy")
    monkeypatch.setattr(check_command, "check_engine", lambda name: None)
    tried = []

    def tried_out(program):
        tried.append(program)
        return problem

    monkeypatch.setattr(check_command.self_test, "problem_with", tried_out)

    code, points = files.check()

    assert len(tried) == 1
    assert code == (problem is not None)
    if problem is not None:
        assert points["profiler"]["found"] == problem


def test_no_hook_is_left_installed(files, a_db_api):
    """The check only tries them."""
    exec("def get(context): pass", vars(a_db_api))
    original = a_db_api.get

    files.check()

    assert a_db_api.get is original


def test_an_environment_without_the_db_api_is_told(files):
    """Mostly it is the wrong one."""
    files.write_conf("hooks = db_api\ndb_api_modules = not_here")

    code, points = files.check()

    assert code == 0
    assert points["db_api_modules"]["state"] == WARNING
    assert "not_here" in points["db_api_modules"]["found"]


@pytest.mark.parametrize(
    ("which", "text", "message"),
    [
        ("paste", "no section\n", "cannot be read in line 1; expected"),
        ("paste", "[a\n", "cannot be read in line 1; expected"),
        ("paste", "\0\xff\n", "cannot be read in line 1; expected"),
        ("conf", "no option\n", "cannot be read in line 1; expected"),
        ("conf", "[DEFAULT\n", "cannot be read in line 1; expected"),
    ],
)
def test_a_damaged_file_is_one_line(files, capsys, which, text, message):
    """And exit code 2."""
    path = getattr(files, which)
    path.write_text(text, encoding="latin-1")

    assert main(files.args()) == 2

    assert capsys.readouterr().err.startswith(
        f"nova-profiler: {path}: {message}"
    )


def test_a_path_may_be_relative(files, monkeypatch):
    """To where the command runs, as any command's."""
    monkeypatch.chdir(files.paste.parent)
    files.paste = files.paste.relative_to(files.paste.parent)

    code, points = files.check()

    assert code == 0
    assert points["factory"]["state"] == OK


def test_the_usual_nova_conf_may_be_absent(files, capsys, monkeypatch):
    """A paste file alone can be checked; a point has what was not read."""
    monkeypatch.setattr(check_command, "NOVA_CONF", str(files.conf) + ".not")
    options = "hooks = db_api\ndb_api_modules = a_db_api\n"
    files.paste.write_text(BOTH + SECTION + options)

    main(["check", "--paste", str(files.paste), "--json"])

    points = json.loads(capsys.readouterr().out)
    assert points[0]["name"] == "nova.conf"
    assert points[0]["state"] == WARNING


@pytest.mark.parametrize("which", ["paste", "conf"])
def test_a_missing_file_is_one_line(files, capsys, which):
    """And exit code 2."""
    getattr(files, which).unlink()

    assert main(files.args()) == 2

    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_paste_file_is_found(tmp_path):
    """That of nova's environment, where /etc/nova has none."""
    folder = tmp_path / "etc" / "nova"
    folder.mkdir(parents=True)
    (folder / "my-paste.ini").write_text("")

    assert nova_paste_file("my-paste.ini", str(tmp_path)) == str(
        folder / "my-paste.ini"
    )


def test_the_paste_file_of_nova_conf_is_read(files, capsys):
    """Option api_paste_config of group [wsgi]."""
    files.write_conf("", f"[wsgi]\napi_paste_config = {files.paste}")

    code = main(["check", "--config-file", str(files.conf)])

    assert code == 0
    assert f"in {files.paste}" in capsys.readouterr().out


def test_no_paste_file_is_one_line(files, capsys):
    """What to do is in it."""
    files.write_conf("", "[wsgi]\napi_paste_config = not-there.ini")

    assert main(["check", "--config-file", str(files.conf)]) == 2

    assert capsys.readouterr().err == (
        "nova-profiler: /etc/nova/not-there.ini: No such file or directory; "
        "give --paste FILE\n"
    )


def test_a_statsd_host_with_an_address():
    """The point has the address."""
    point = statsd_point("127.0.0.1", 8125)

    assert point.state == OK
    assert point.found == "127.0.0.1 is 127.0.0.1, port 8125"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (socket.gaierror(-2, "Name or service not known"), "Name or service"),
        (UnicodeError("label too long"), "it is not a host's name"),
    ],
)
def test_a_statsd_host_without_one_is_wrong(monkeypatch, error, reason):
    """With the reason."""

    def unknown(*args, **more):
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    point = statsd_point("nosuch", 8125)

    assert point.state == WRONG
    assert reason in point.found


def test_a_name_server_that_does_not_answer_is_not_waited_for(monkeypatch):
    """Longer than a moment."""
    answer = threading.Event()

    def slow(*args, **more):
        answer.wait()
        raise socket.gaierror(-3, "Temporary failure")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    monkeypatch.setattr(destinations, "LOOK_UP_S", 0.01)

    point = statsd_point("slow", 8125)
    answer.set()

    assert point.state == WRONG
    assert "no answer within" in point.found


def test_unset_destinations_are_good():
    """Nothing is asked of them."""
    points = [statsd_point("", 1), dump_dir_point(None), log_file_point(None)]

    assert [point.state for point in points] == [OK] * 3


@pytest.fixture
def operator(monkeypatch):
    """Be a user without access to files of others."""
    monkeypatch.setattr(destinations, "_user_name", lambda uid: "stack")
    monkeypatch.setattr(os, "access", lambda path, mode: False)


def test_a_directory_that_is_anothers_is_wrong(tmp_path, operator):
    """Whose it is, and how to give it away."""
    point = dump_dir_point(str(tmp_path))

    assert point.state == WRONG
    assert point.found == (
        f"stack may not write to {tmp_path}, which is stack's"
    )
    assert point.remedy[0] == f"install -d -m 0700 -o nova -g nova {tmp_path}"


def test_a_file_in_the_place_of_a_directory_is_wrong(tmp_path):
    """And the other way round."""
    path = tmp_path / "file"
    path.write_text("")

    assert dump_dir_point(str(path)).state == WRONG
    assert log_file_point(str(tmp_path)).state == WRONG


@pytest.mark.parametrize(
    "point",
    [dump_dir_point, log_file_point],
)
def test_what_is_not_there_yet_is_made(tmp_path, monkeypatch, point):
    """If the first folder above it that exists allows it."""
    monkeypatch.setattr(destinations, "_is_user", lambda name: False)
    found = point(str(tmp_path / "a" / "b"))

    assert found.state == OK
    assert not (tmp_path / "a").exists()


def test_roots_own_directory_is_doubtful(tmp_path, monkeypatch):
    """root may write, the user nova may not."""
    monkeypatch.setattr(destinations, "_user_name", lambda uid: "root")
    monkeypatch.setattr(destinations, "_is_user", lambda name: True)

    assert dump_dir_point(str(tmp_path)).state == WARNING
    assert log_file_point(str(tmp_path / "x.json")).state == WARNING


def test_a_paste_file_that_is_not_utf_8_is_wrong(tmp_path, capsys):
    """One byte in a comment is enough for oslo.config, and so for nova."""
    paste = tmp_path / "latin1.ini"
    paste.write_bytes(b"# \xe9\n[filter:x]\n")

    code = main(["check", "--paste", str(paste), "--json"])

    points = json.loads(capsys.readouterr().out)
    assert code == 1
    (point,) = [one for one in points if one["name"] == "oslo.config"]
    assert point["state"] == "wrong"
    assert "not UTF-8" in point["found"]

# SPDX-License-Identifier: Apache-2.0
"""`nova-profiler check`: each point, and what to do about it."""

from __future__ import annotations

import json
import os
import shlex
import socket
import sys
import threading
import types

import pytest

from nova_profiler.cli import main
from nova_profiler.errors import NovaProfilerError
from nova_profiler.reading.setup import (
    OK,
    WARNING,
    WRONG,
    check_command,
    destinations,
    settings_points,
)
from nova_profiler.reading.setup.destinations import (
    dump_dir_point,
    log_file_point,
    otlp_point,
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
        self.dumps = folder / "dumps"
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
        points = json.loads(self._capsys.readouterr().out)["points"]
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
    """A sum; a state, a name, what was found; remedies below."""
    files.write_conf("enabled = false")

    assert main(files.args()) == 0

    lines = capsys.readouterr().out.splitlines()
    at = lines.index("warning  enabled: false: no request is timed")
    assert lines[at + 1].split() == ["enabled", "=", "true"]
    begun = [line for line in lines[1:] if not line.startswith(" ")]
    assert lines[0] == f"{len(begun)} points: 0 wrong, 1 warning"
    assert all(len(line) <= 80 or "/" in line for line in lines)


def test_what_is_wrong_comes_first(files, capsys):
    """Then what is doubtful; a screen of points that are right may follow."""
    files.write_conf("enabled = false\nslow_ms = soon")

    assert main(files.args()) == 1

    first, *lines = capsys.readouterr().out.splitlines()
    states = [line.split()[0] for line in lines if not line.startswith(" ")]
    assert " 1 wrong, " in first
    assert states == sorted(states, key=[WRONG, WARNING, OK].index)
    assert states[0] == WRONG


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


def test_all_wrong_options_are_named(files):
    """One after the other, from both files."""
    files.paste.write_text(f"{BOTH}{SECTION}enabledd = 1\nslow_ms = x\n")
    files.write_conf("max_calls = -1\nprofiler = perf")

    main([*files.args(), "--json"])

    points = json.loads(files._capsys.readouterr().out)["points"]
    wrong = [one["found"] for one in points if one["name"] == "options"]
    assert [found.split(":")[1].split()[0:3] for found in wrong] == [
        ["unknown", "option", "'enabledd';"],
        ["slow_ms", "=", "'x'"],
        ["max_calls", "=", "'-1'"],
        ["profiler", "=", "'perf'"],
    ]


@pytest.mark.parametrize(
    "more",
    [
        "[DEFAULT]\npassword = s3c%ret\n",
        "[DEFAULT]\npassword = %(s3cret)s\n",
        "dump_dir = %s3cret\n",
    ],
)
def test_a_value_that_paste_cannot_read_is_not_shown(files, capsys, more):
    """It may be a password."""
    files.paste.write_text(f"{BOTH}{SECTION}{more}")

    assert main(files.args()) == 1

    out = capsys.readouterr().out
    assert "s3c" not in out.replace("s3cret)s", "")
    assert "Interpolation" in out


def test_no_file_steers_the_terminal(files, capsys):
    """Names of sections, filters and options may come from anywhere."""
    files.paste.write_text(
        f"{SECTION}x\x1b[2J = 1\n[app:\x1b]\n[filter:\x9b1m]\n"
        "[pipeline:\x1b[31m]\npipeline = \x9b1m\u202e \x1b\n"
    )

    assert main(files.args()) == 1

    shown = capsys.readouterr().out.replace("\n", "")
    assert shown.isprintable()


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("slow_ms = 5\n", OK),
        ("slow_ms = x\n", WRONG),
    ],
)
def test_options_of_filter_app_are_looked_at(files, text, state):
    """There is no [filter:] for them."""
    maker = SECTION.strip().split("\n")[1]
    files.paste.write_text(
        f"[filter-app:main]\n{maker}\nnext = a\n{text}[app:a]\n"
    )

    _, points = files.check()

    assert points["options"]["state"] == state
    assert points["[filter-app:main] next"]["found"] == "in it, outermost"
    assert points["filter section"]["found"].startswith("[filter-app:main] in")


def test_what_paste_keeps_from_the_filter_is_a_warning(files):
    """As the service logs it when it starts."""
    files.paste.write_text(f"[DEFAULT]\nslow_ms = 5\n{BOTH}{SECTION}")

    code, points = files.check()

    assert code == 0
    assert points["options"]["state"] == WARNING
    assert "slow_ms in [DEFAULT]" in points["options"]["found"]


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
    late_patches = settings_points.late_patches
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
        settings_points,
        "install_hooks",
        lambda settings: late_patches.patch_when_loaded(wanted),
    )

    code, points = files.check()

    del sys.modules["a_late_library"]
    assert code == 0
    assert points["hooks"]["state"] == WARNING
    assert "a_late_library:send(method)" in points["hooks"]["found"]


class Trials:
    """Stands for the trials; *problems* by how the process is."""

    def __init__(self, monkeypatch):
        self.problems = {}
        self.tried = []
        self.changed = ()
        module = settings_points
        monkeypatch.setattr(module, "check_engine", lambda name: None)
        monkeypatch.setattr(module.self_test, "problem_with", self.trial)
        monkeypatch.setattr(module, "user_of_workers", lambda path: NOVA)
        monkeypatch.setattr(module, "pids_of_workers", lambda path: self.pids)
        monkeypatch.setattr(
            module, "has_changed_user", lambda pid: pid in self.changed
        )
        self.pids = ()

    def trial(self, user=None, changed=False, dumpable=False):
        way = user.name, changed, dumpable
        self.tried.append(way)
        return self.problems.get(way)


NOVA = "nova", 64060, 64060
STARTED_AS_NOVA = "nova", False, False
BECAME_NOVA = "nova", True, True


@pytest.fixture
def trials(files, monkeypatch):
    """Have stacks for the profiler, and no trial made."""
    dumps = f"dump_dir = {files.dumps}"
    files.write_conf(f"profiler = stacks\n{dumps}")
    return Trials(monkeypatch)


def test_a_reader_that_may_not_look_is_wrong(files, trials):
    """Containers, units and kernels may each forbid it."""
    trials.problems[STARTED_AS_NOVA] = "give it CAP_SYS_PTRACE"

    code, points = files.check()

    assert trials.tried == [STARTED_AS_NOVA]
    assert code == 1
    assert points["profiler"]["found"] == "give it CAP_SYS_PTRACE"


def test_stacks_are_not_ok_where_it_depends_on_the_server(files, trials):
    """No worker is there to look at: root may start them, or nova."""
    code, points = files.check()

    assert code == 0
    point = points["profiler"]
    assert point["state"] == WARNING
    assert point["found"] == (
        "stacks can look into a server that starts as nova, and not into one "
        "that root starts and that becomes nova"
    )
    assert "profiler_dumpable = true" in point["remedy"][1]


def test_stacks_that_cannot_be_read_are_wrong(files, trials):
    """With the reason, and with what needs no reader."""
    trials.problems[STARTED_AS_NOVA] = (
        "stacks cannot be read; profiler = pyinstrument"
    )

    code, points = files.check()

    assert trials.tried == [STARTED_AS_NOVA]
    assert code == 1
    assert "pyinstrument" in points["profiler"]["found"]


def test_a_worker_that_changed_its_user_is_wrong(files, trials):
    """The reason is the true one, and the remedy works."""
    trials.pids = (5, 6)
    trials.changed = (6,)

    code, points = files.check()

    assert code == 1
    assert points["profiler"]["found"].startswith(
        "the worker with pid 6 changed its user after it had started"
    )
    assert "profiler_dumpable = true" in points["profiler"]["found"]


def test_workers_that_are_their_users_from_the_start_are_fine(files, trials):
    """They are there, and can be looked into."""
    trials.pids = (5, 6)

    assert files.check()[1]["profiler"]["state"] == OK


@pytest.mark.parametrize("problem", [None, "it may not look"])
def test_the_option_is_tried_out_as_a_worker_that_changed(
    files, trials, problem
):
    """Whichever way the server starts, a trial shows what comes of it."""
    files.write_conf(
        "profiler = stacks\nprofiler_dumpable = true\n"
        f"dump_dir = {files.dumps}"
    )
    trials.problems[BECAME_NOVA] = problem

    code, points = files.check()

    assert trials.tried == [STARTED_AS_NOVA, BECAME_NOVA]
    assert points["profiler"]["state"] == (WRONG if problem else OK)
    assert code == (problem is not None)


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
    usual = str(files.conf) + ".not"
    monkeypatch.setattr(check_command, "conf_file_of", lambda *names: usual)
    options = "hooks = db_api\ndb_api_modules = a_db_api\n"
    files.paste.write_text(BOTH + SECTION + options)

    main(["check", "--paste", str(files.paste), "--json"])

    points = json.loads(capsys.readouterr().out)["points"]
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


@pytest.mark.parametrize("etc", ["/etc", "/etc/"])
def test_the_paste_file_of_another_host_is_its_own(tmp_path, etc):
    """That of this environment says nothing about it."""
    folder = tmp_path / "etc" / "nova"
    folder.mkdir(parents=True)
    (folder / "my-paste.ini").write_text("")
    asked = ("my-paste.ini", str(tmp_path))

    assert nova_paste_file(*asked, etc) == str(folder / "my-paste.ini")
    with pytest.raises(NovaProfilerError, match="other/nova/my-paste.ini"):
        nova_paste_file(*asked, "/other")


def test_the_paste_file_of_nova_conf_is_read(files, capsys):
    """Option api_paste_config of group [wsgi]."""
    files.write_conf("", f"[wsgi]\napi_paste_config = {files.paste}")

    code = main(["check", "--config-file", str(files.conf)])

    assert code == 0
    words = capsys.readouterr().out.split()
    assert words[words.index("section:") :][1:4] == [
        "[filter:nova_profiler]",
        "in",
        str(files.paste),
    ]


def test_no_paste_file_is_one_line(files, capsys):
    """What to do is in it."""
    files.write_conf("", "[wsgi]\napi_paste_config = not-there.ini")

    assert main(["check", "--config-file", str(files.conf)]) == 2

    assert capsys.readouterr().err == (
        "nova-profiler: /etc/nova/not-there.ini: No such file or directory; "
        "give --paste FILE\n"
    )


def test_a_paste_file_is_no_nova_conf(files, capsys):
    """Which option it belongs to is in the line."""
    assert main(["check", "--config-file", str(files.paste)]) == 2

    assert capsys.readouterr().err == (
        f"nova-profiler: {files.paste} is a paste file: give it as --paste, "
        "and nova.conf as --config-file\n"
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


@pytest.mark.parametrize(
    ("kind", "state", "found"),
    [
        (socket.SOCK_DGRAM, OK, "statsd listens at "),
        (socket.SOCK_STREAM, WRONG, "a socket for streams, and not one"),
        ("closed", WRONG, "nothing listens at this socket; metrics are lost"),
        (None, WRONG, "no such socket; metrics are lost"),
    ],
)
def test_a_socket_of_statsd_is_tried(files, tmp_path, kind, state, found):
    """As the filter would send to it."""
    path = tmp_path / "statsd"
    files.write_conf(f"statsd_host = unix://{path}")
    if kind is not None:
        closed = kind == "closed"
        bound = socket.socket(
            socket.AF_UNIX, socket.SOCK_DGRAM if closed else kind
        )
        bound.bind(str(path))
        if closed:
            bound.close()

    code, points = files.check()

    if kind is not None:
        bound.close()
    point = points["statsd_host"]
    assert point["state"] == state
    assert found in point["found"]
    assert str(path) in point["found"]
    assert code == (state == WRONG)


@pytest.mark.parametrize(
    ("path", "state", "found"),
    [
        ("/dev/stdout", OK, "the service's own standard output"),
        ("/dev/stderr", OK, "the service's own standard error"),
        ("/proc/self/fd/2", OK, "the service's own standard error"),
        ("/dev/fd/9", WARNING, "descriptor 9 of the service"),
    ],
)
def test_a_descriptor_is_the_services_own(files, path, state, found):
    """Whatever it is here, where it leads to another place."""
    files.write_conf(f"log_file = {path}")

    _, points = files.check()

    assert points["log_file"]["state"] == state
    assert f"{path} is {found}" in points["log_file"]["found"]


@pytest.mark.parametrize("is_pipe", [True, False])
def test_a_pipe_and_a_device_take_lines(files, tmp_path, monkeypatch, is_pipe):
    """They cannot be executed, and need not be."""
    monkeypatch.setattr(destinations, "_is_user", lambda name: not is_pipe)
    path = "/dev/null"
    if is_pipe:
        path = str(tmp_path / "pipe")
        os.mkfifo(path)
    files.write_conf(f"log_file = {path}")

    code, points = files.check()

    assert code == 0
    assert points["log_file"]["state"] == OK


def test_a_socket_takes_no_lines(files, tmp_path):
    """A file of that name was meant, or standard output."""
    files.write_conf(f"log_file = {tmp_path}/s")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "s"))

        code, points = files.check()

    assert code == 1
    assert "is a socket" in points["log_file"]["found"]


def test_the_port_beside_the_host_is_the_one(files):
    """It wins over statsd_port."""
    files.write_conf("statsd_host = [::1]:9125\nstatsd_port = 8126")

    _, points = files.check()

    assert points["statsd_host"]["found"] == "::1 is ::1, port 9125"


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


@pytest.mark.parametrize(
    ("is_listening", "state", "found"),
    [
        (True, OK, "127.0.0.1 port {port} takes connections"),
        (False, WRONG, "127.0.0.1 port {port}: Connection refused"),
    ],
)
def test_a_collector_is_tried(files, is_listening, state, found):
    """It gets no message."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    if not is_listening:
        listener.close()
    files.write_conf(f"otlp_endpoint = http://127.0.0.1:{port}/otlp")

    _, points = files.check()

    listener.close()
    assert points["otlp_endpoint"]["state"] == state
    assert found.format(port=port) in points["otlp_endpoint"]["found"]


@pytest.mark.parametrize(
    ("scheme", "name", "state"),
    [("https", "otlp_ca_file", WRONG), ("http", "otlp_endpoint", OK)],
)
def test_certificates_of_a_collector_are_read(files, scheme, name, state):
    """The service does not start without them; http needs none."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        files.write_conf(
            f"otlp_endpoint = {scheme}://127.0.0.1:{port}\n"
            "otlp_ca_file = /nowhere/ca.pem"
        )

        _, points = files.check()

    assert points[name]["state"] == state
    if state == WRONG:
        assert points[name]["found"] == (
            "/nowhere/ca.pem: No such file or directory: the service does "
            "not start"
        )


def test_a_collector_whose_name_is_none_is_wrong():
    """No name server is asked."""
    assert otlp_point("a" * 300, 4318).state == WRONG


def test_a_collector_without_the_extra_is_wrong(monkeypatch):
    """The service would not start."""

    def missing(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(destinations.importlib.util, "find_spec", missing)

    point = otlp_point("127.0.0.1", 4318)

    assert point.state == WRONG
    assert point.remedy == ("pip install 'nova-profiler[otlp]'",)


def test_unset_destinations_are_good():
    """Nothing is asked of them."""
    points = [
        statsd_point("", 1),
        otlp_point(None, 1),
        dump_dir_point(None),
        log_file_point(None),
    ]

    assert [point.state for point in points] == [OK] * 4


@pytest.fixture
def operator(monkeypatch):
    """Be a user without access to files of others."""
    monkeypatch.setattr(destinations, "user_name", lambda uid: "stack")
    monkeypatch.setattr(os, "access", lambda path, mode: False)


def test_a_directory_that_is_anothers_is_wrong(tmp_path, operator):
    """Whose it is, and how to give it away."""
    point = dump_dir_point(str(tmp_path))

    assert point.state == WRONG
    assert point.found == (
        f"stack may not write to {tmp_path}, which is stack's"
    )
    assert point.remedy[0] == f"install -d -m 0700 -o nova -g nova {tmp_path}"


def test_a_directory_that_others_may_write_to_is_wrong(tmp_path):
    """The filter refuses it; the remedy is one command."""
    path = tmp_path / "dumps"
    path.mkdir()
    path.chmod(0o1777)

    point = dump_dir_point(str(path))

    assert point.state == WRONG
    assert point.found == (
        f"no dumps: others may write to {path}: chmod go-w {path}"
    )


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
    monkeypatch.setattr(destinations, "user_name", lambda uid: "root")
    monkeypatch.setattr(destinations, "_is_user", lambda name: True)

    assert dump_dir_point(str(tmp_path)).state == WARNING
    assert log_file_point(str(tmp_path / "x.json")).state == WARNING


def test_a_paste_file_that_is_not_utf_8_is_wrong(tmp_path, capsys):
    """One byte in a comment is enough for oslo.config, and so for nova."""
    paste = tmp_path / "latin1.ini"
    paste.write_bytes(b"# \xe9\n[filter:x]\n")

    code = main(["check", "--paste", str(paste), "--json"])

    points = json.loads(capsys.readouterr().out)["points"]
    assert code == 1
    (point,) = [one for one in points if one["name"] == "oslo.config"]
    assert point["state"] == "wrong"
    assert "not UTF-8" in point["found"]


@pytest.mark.parametrize("option", ["--paste", "--config-file"])
def test_a_pipe_is_not_waited_for(tmp_path, capsys, option):
    """It is named."""
    os.mkfifo(tmp_path / "pipe")
    paste = tmp_path / "p.ini"
    paste.write_text("[app:x]\n")
    words = ["check", "--paste", str(paste), option, str(tmp_path / "pipe")]

    code = main(words)

    assert code == 2
    assert "pipe: not a regular file" in capsys.readouterr().err


def test_no_point_has_a_part_of_a_key(tmp_path, capsys):
    """Neither paste's error about a %, nor oslo.config's about a $."""
    paste = tmp_path / "p.ini"
    conf = tmp_path / "nova.conf"
    for in_paste, in_conf in (
        ("s3cret%key12345", ""),
        ("", "s3$cretkey12345"),
    ):
        paste.write_text(
            "[filter:nova_profiler]\n"
            "paste.filter_factory = nova_profiler.factory:filter_factory\n"
            + (f"profile_keys = {in_paste}\n" if in_paste else "")
        )
        conf.write_text(f"[nova_profiler]\nprofile_keys = {in_conf}\n")

        main(["check", "--paste", str(paste), "--config-file", str(conf)])

        shown = "".join(capsys.readouterr())
        assert "profile_keys" in shown
        assert "cret" not in shown
        assert "12345" not in shown


class Wrapped:
    """A service without a paste file, and the command that looks at it."""

    def __init__(self, folder, capsys) -> None:
        self.conf = folder / "a_service.conf"
        self.conf.write_text("[nova_profiler]\nhooks = sqlalchemy\n")
        (folder / "a_service.py").write_text("raise SystemExit('started')\n")
        self._capsys = capsys

    def check(self, name: str, *more: str) -> tuple[int, dict[str, dict]]:
        """Return the exit code and the points by their names."""
        code = main(["check", "--application", name, *more, "--json"])
        points = json.loads(self._capsys.readouterr().out)["points"]
        return code, {point["name"]: point for point in points}


@pytest.fixture
def wrapped(tmp_path, capsys, monkeypatch):
    """Return a service that can be imported."""
    monkeypatch.syspath_prepend(tmp_path)
    return Wrapped(tmp_path, capsys)


def test_a_wrapped_application_is_found_and_not_started(wrapped):
    """Its options are looked at as those of a paste file are."""
    name = "a_service:application"

    code, points = wrapped.check(name, "--config-file", str(wrapped.conf))

    assert code == 0
    assert points["application"]["state"] == OK
    assert "a_service is not known" in points["project"]["found"]
    assert points["hooks"]["found"] == "sqlalchemy can be installed"
    assert "factory" not in points


def test_the_environment_names_it_as_well(wrapped, monkeypatch):
    """As the server has it; its options, too."""
    monkeypatch.setenv("NOVA_PROFILER_CONFIG", str(wrapped.conf))
    monkeypatch.setenv("NOVA_PROFILER_APPLICATION", "a_service:application")

    assert main(["check"]) == 0

    out = wrapped._capsys.readouterr().out
    assert "\nok       application: a_service:application is" in out
    assert "sqlalchemy can be installed" in out


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a_service", "expected module:callable"),
        ("no_service:application", "there is no module no_service here"),
        ("a_service.wsgi:application", "no module a_service.wsgi here"),
    ],
)
def test_a_name_that_leads_nowhere_is_wrong(wrapped, name, found):
    """Whatever the module or its package does."""
    code, points = wrapped.check(name, "--config-file", str(wrapped.conf))

    assert code == 1
    assert points["application"]["state"] == WRONG
    assert found in points["application"]["found"]


def test_a_package_that_starts_the_service_is_not_imported(wrapped, tmp_path):
    """As that of ironic does."""
    (tmp_path / "starting").mkdir()
    for name in "__init__.py", "api.py":
        (tmp_path / "starting" / name).write_text("raise SystemExit(3)\n")
    name = "starting.api:application"

    code, points = wrapped.check(name, "--config-file", str(wrapped.conf))

    assert code == 0
    assert points["application"]["state"] == OK


def test_a_wrong_option_of_a_wrapped_application_is_wrong(wrapped):
    """The service would run without the filter."""
    wrapped.conf.write_text("[nova_profiler]\nslow_ms = soon\n")
    name = "a_service:application"

    code, points = wrapped.check(name, "--config-file", str(wrapped.conf))

    assert code == 1
    assert "slow_ms = 'soon'" in points["options"]["found"]


def test_a_paste_file_of_another_project_is_that_projects(
    tmp_path, capsys, monkeypatch
):
    """Its configuration, its DB API and its release."""
    conf = tmp_path / "heat.conf"
    conf.write_text("[nova_profiler]\nslow_ms = 5\n")
    monkeypatch.setattr(
        check_command, "conf_file_of", lambda *names: str(conf)
    )
    paste = tmp_path / "api-paste.ini"
    paste.write_text(
        "[composite:api]\npaste.composite_factory = heat.api:factory\n"
        "default = nova_profiler cors app\n"
        "[filter:cors]\n[app:app]\npaste.app_factory = heat.api:App\n"
        + SECTION
    )

    main(["check", "--paste", str(paste), "--json"])

    found = json.loads(capsys.readouterr().out)["points"]
    points = {point["name"]: point for point in found}
    assert points["project"]["found"] == "heat is not installed here"
    assert points["[composite:api] default"]["state"] == OK
    assert points["options"]["state"] == OK
    assert points["db_api_modules"]["remedy"] == [
        "run this with the Python of heat-api, or name the module:",
        "db_api_modules = heat.db.api",
    ]


@pytest.mark.parametrize("name", ["a b", "x; id", "it's"])
def test_a_path_is_quoted_in_a_remedy(tmp_path, name):
    """It is to be pasted into root's shell."""
    path = tmp_path / name
    path.mkdir()
    path.chmod(0o777)

    dumps = dump_dir_point(str(path)).remedy[0]

    assert shlex.split(dumps)[-1] == str(path)
    assert shlex.split(dumps)[:2] == ["install", "-d"]

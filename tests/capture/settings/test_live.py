# SPDX-License-Identifier: Apache-2.0
"""nova.conf, the paste file and the environment; what changes in them."""

from __future__ import annotations

import logging
import os

import pytest
from oslo_config import cfg
from paste.deploy import loadfilter

from nova_profiler.capture.settings.live import LiveSettings
from nova_profiler.capture.settings.options import ConfigError, Settings

FILTER = """
[DEFAULT]
some_key = of the host

[filter:nova_profiler]
paste.filter_factory = nova_profiler.factory:filter_factory
"""


class Host:
    """An application with a nova.conf and an api-paste.ini."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self.conf_file = folder / "nova.conf"
        self.paste_file = folder / "api-paste.ini"
        self.conf = cfg.ConfigOpts()
        self.conf.register_opt(cfg.StrOpt("state_path", default="/var"))
        self.local_conf: dict[str, str] = {}
        self._writes = 0

    def write_conf(self, options: str, rest: str = "") -> None:
        self._write(self.conf_file, f"{rest}\n[nova_profiler]\n{options}\n")

    def write_paste(self, **options: str) -> None:
        self.local_conf = options
        lines = [f"{name} = {text}" for name, text in options.items()]
        self._write(self.paste_file, FILTER + "\n".join(lines) + "\n")

    def _write(self, path, text: str) -> None:
        path.write_text(text)
        # Whatever the file system's clock, each write is a change.
        self._writes += 1
        os.utime(path, ns=(self._writes, self._writes))

    def start(self) -> LiveSettings:
        files = [self.paste_file, self.conf_file]
        self.conf(
            [],
            project="nova",
            default_config_files=[str(f) for f in files if f.exists()],
            default_config_dirs=[str(self.folder)],
        )
        global_conf = {}
        if self.paste_file.exists():
            global_conf["__file__"] = str(self.paste_file)
        return LiveSettings(self.conf, global_conf, self.local_conf)


@pytest.fixture
def host(tmp_path):
    """An application whose files are not written yet."""
    return Host(tmp_path)


@pytest.fixture
def warnings(caplog):
    """Return what was warned about so far."""
    caplog.set_level(logging.WARNING)
    return lambda: [record.getMessage() for record in caplog.records]


def test_nothing_written_is_all_defaults(host):
    """An application without any file of oslo.config."""
    assert host.start().current == Settings()


def test_a_host_that_never_called_oslo_config():
    """Its ConfigOpts has not even the option config_file."""
    live = LiveSettings(cfg.ConfigOpts(), {}, {"slow_ms": "5"})
    live.check(0)

    assert live.current == Settings(slow_ms=5.0)


def test_nova_conf_is_read(host):
    """Each kind of value, with a reference to another option."""
    host.write_conf(
        "slow_ms = 250\nhooks = sqlalchemy\nlog_calls = yes\n"
        "dump_dir = $state_path/dumps",
        "[DEFAULT]\nstate_path = /srv/nova",
    )

    assert host.start().current == Settings(
        slow_ms=250.0,
        hooks=("sqlalchemy",),
        log_calls=True,
        dump_dir="/srv/nova/dumps",
    )


def test_an_empty_text_is_unset_where_that_is_the_default(host):
    """An empty prefix is one, an empty directory is none."""
    host.write_conf("dump_dir =\nstatsd_prefix =")

    assert host.start().current == Settings(statsd_prefix="")


def test_the_paste_section_wins(host):
    """What both say is decided by the section of the filter."""
    host.write_conf("slow_ms = 250\nmax_calls = 7")
    host.write_paste(slow_ms="300")

    assert host.start().current == Settings(slow_ms=300.0, max_calls=7)


def test_the_environment_wins_over_nova_conf(host, monkeypatch):
    """As oslo.config has it: OS_<GROUP>__<OPTION>."""
    monkeypatch.setenv("OS_NOVA_PROFILER__SLOW_MS", "111")
    host.write_conf("slow_ms = 250")

    live = host.start()
    host.write_conf("slow_ms = 500\nlog_calls = true")
    live.check(0)

    assert live.current == Settings(slow_ms=111.0, log_calls=True)


def test_the_section_survives_both_readers(host):
    """nova hands api-paste.ini to oslo.config, too."""
    host.write_paste(timed_callables="a:b, c:d", dump_when="slow")
    live = host.start()

    live.check(0)

    assert host.conf.config_file[0] == str(host.paste_file)
    assert live.current.timed_callables == ("a:b", "c:d")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            "slow_ms = abc",
            "slow_ms = 'abc': expected a number, 0 or more",
        ),
        (
            "slow = 1",
            "unknown option 'slow'; did you mean 'slow_ms'?",
        ),
        (
            # oslo.config would pass over it.
            "slow-ms = 1",
            "unknown option 'slow-ms'; did you mean 'slow_ms'?",
        ),
        (
            "dump_dirr = $state_path",
            "unknown option 'dump_dirr'; did you mean 'dump_dir'?",
        ),
        (
            "dump_dir = $nosuch/x",
            "dump_dir = '$nosuch/x': expected a text; no such option nosuch "
            "in group [DEFAULT]",
        ),
        (
            "max_calls = $state_path",
            "max_calls = '$state_path': expected a whole number from 0 to "
            "1000000",
        ),
    ],
)
def test_what_is_wrong_in_nova_conf_is_one_line(host, options, message):
    """File, group, option, what was read, what is expected."""
    host.write_conf(options)

    with pytest.raises(ConfigError, match="nova.conf") as raised:
        host.start()

    assert str(raised.value) == f"nova.conf, [nova_profiler]: {message}"


def test_what_is_wrong_in_the_paste_file_is_one_line(host):
    """File, filter, option, what was read, what is expected."""
    host.write_paste(profile_rate="12")

    with pytest.raises(ConfigError, match="profile_rate") as raised:
        host.start()

    assert str(raised.value) == (
        "api-paste.ini, nova_profiler filter: profile_rate = '12': expected "
        "a number from 0 to 1"
    )


def test_an_unknown_name_in_the_paste_file(host):
    """paste itself takes any name."""
    host.write_paste(sloww_ms="12")

    with pytest.raises(
        ConfigError,
        match=r"^api-paste.ini, nova_profiler filter: unknown option "
        r"'sloww_ms'; did you mean 'slow_ms'\?$",
    ):
        host.start()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("SLOW_MS", "x", "slow_ms = 'x': expected a number, 0 or more"),
        ("SLOWMS", "1", "unknown option 'slowms'; did you mean 'slow_ms'?"),
    ],
)
def test_what_is_wrong_in_the_environment(
    host, monkeypatch, name, text, message
):
    """The place is the variable's name."""
    variable = f"OS_NOVA_PROFILER__{name}"
    monkeypatch.setenv(variable, text)

    with pytest.raises(ConfigError, match="environment") as raised:
        host.start()

    assert str(raised.value) == f"environment, {variable}: {message}"


def test_a_change_of_nova_conf_is_taken_over(host):
    """Of the options that may change, and of our group only."""
    host.write_conf("slow_ms = 250\nmax_calls = 7")
    live = host.start()
    before = live.current

    host.write_conf(
        "slow_ms = 500\nmax_calls = 8\ndump_when = all",
        "[DEFAULT]\nstate_path = /elsewhere",
    )
    live.check(0)

    assert before == Settings(slow_ms=250.0, max_calls=7)
    assert live.current == Settings(
        slow_ms=500.0, max_calls=7, dump_when=("all",)
    )
    assert host.conf.state_path == "/var"


def test_a_change_of_the_paste_file_is_taken_over(host):
    """It still wins over nova.conf."""
    host.write_conf("slow_ms = 250")
    host.write_paste(slow_ms="300", max_calls="5")
    live = host.start()

    host.write_paste(slow_ms="400", max_calls="6", enabled="false")
    live.check(0)

    assert live.current == Settings(slow_ms=400.0, max_calls=5, enabled=False)


def test_a_change_that_waits_for_a_restart_is_told(host, warnings):
    """By name, since one of them may be a key; once for each change."""
    host.write_conf("slow_ms = 250\nmax_calls = 7\nhooks = threads")
    live = host.start()

    host.write_conf("slow_ms = 500\nmax_calls = 8\nhooks = threads")
    live.check(0)
    live.check(0)
    host.write_conf("slow_ms = 500\nmax_calls = 7\nhooks = threads")
    live.check(0)

    assert live.current.slow_ms == 500.0
    assert warnings() == ["changed, but not before a restart: max_calls"]


def test_what_the_paste_file_overrides_waits_for_nothing(host, warnings):
    """A restart would not change what is in force."""
    host.write_conf("max_calls = 7")
    host.write_paste(max_calls="5")
    live = host.start()

    host.write_conf("max_calls = 8")
    live.check(0)
    told = warnings()
    host.write_paste(max_calls="6")
    live.check(0)

    assert told == []
    assert warnings() == ["changed, but not before a restart: max_calls"]


def test_what_is_taken_out_falls_back(host):
    """From the paste file to nova.conf, from there to the default."""
    host.write_conf("slow_ms = 250")
    host.write_paste(slow_ms="300", max_calls="5")
    live = host.start()
    seen = []

    for step in (
        lambda: host.write_paste(max_calls="5"),
        lambda: host.write_conf(""),
        lambda: host.write_conf("slow_ms = 7"),
    ):
        step()
        live.check(0)
        seen.append(live.current.slow_ms)

    assert seen == [250.0, 1000.0, 7.0]


def test_what_the_host_set_by_itself_stays(host):
    """A default that nova set in code, while a file changes."""
    host.start()
    host.conf.set_default("slow_ms", 77.0, group="nova_profiler")
    host.write_conf("")
    live = host.start()

    host.write_conf("log_calls = true")
    live.check(0)

    assert live.current == Settings(slow_ms=77.0, log_calls=True)


def test_a_new_file_in_the_folder_is_noticed(host):
    """nova reads *.conf of /etc/nova/nova.conf.d as well."""
    host.write_conf("slow_ms = 250")
    live = host.start()

    (host.folder / "zz.conf").write_text("[nova_profiler]\nslow_ms = 5\n")
    live.check(0)
    with_file = live.current.slow_ms
    (host.folder / "zz.conf").unlink()
    live.check(0)

    assert (with_file, live.current.slow_ms) == (5.0, 250.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("slow_ms = x", "slow_ms = 'x': expected a number, 0 or more"),
        ("slow = 5", "unknown option 'slow'; did you mean 'slow_ms'?"),
        ("max_calls = x", "max_calls = 'x': expected a whole number from 0"),
    ],
)
def test_a_bad_change_keeps_what_is_in_force(host, warnings, options, message):
    """With one warning, however often it is looked at."""
    host.write_conf("slow_ms = 250")
    live = host.start()

    host.write_conf(options + "\nlog_calls = true")
    live.check(0)
    live.check(0)

    assert live.current == Settings(slow_ms=250.0)
    [warning] = warnings()
    assert warning.startswith(
        f"options stay as they are: nova.conf, [nova_profiler]: {message}"
    )


def test_a_file_that_was_mended_counts_again(host, warnings):
    """The next change after a typo is looked at afresh."""
    host.write_conf("slow_ms = 250")
    live = host.start()

    host.write_conf("slow_ms = x")
    live.check(0)
    host.write_conf("slow_ms = 5")
    live.check(0)

    assert live.current.slow_ms == 5.0
    assert len(warnings()) == 1


def test_half_a_file_keeps_what_is_in_force(host, warnings):
    """And no line of it gets into the log: it may be a password."""
    host.write_conf("slow_ms = 250")
    live = host.start()

    host._write(host.conf_file, "[database]\nconnection\n s3cret\n")
    live.check(0)

    assert live.current.slow_ms == 250.0
    assert warnings() == [
        "options stay as they are: nova.conf: cannot be read in line 2"
    ]


def test_a_file_that_is_gone_keeps_what_is_in_force(host, warnings):
    """As between the two steps of some editors."""
    host.write_conf("slow_ms = 250")
    live = host.start()

    host.conf_file.unlink()
    live.check(0)

    assert live.current.slow_ms == 250.0
    assert warnings() == [
        "options stay as they are: nova.conf: No such file or directory"
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[filter:x]\n", "api-paste.ini, nova_profiler filter: its section"),
        ("s3cret\n", "api-paste.ini: cannot be read in line 1"),
        ("[a]\n= s3cret\n", "api-paste.ini: cannot be read in line 2"),
    ],
)
def test_a_damaged_paste_file_keeps_what_is_in_force(
    host, warnings, text, message
):
    """One line without anything of the file."""
    host.write_paste(slow_ms="300")
    live = host.start()

    host._write(host.paste_file, text)
    live.check(0)

    assert live.current.slow_ms == 300.0
    [warning] = warnings()
    assert warning.startswith(f"options stay as they are: {message}")
    assert "s3cret" not in warning


def test_a_reference_keeps_its_value(host):
    """Only the host can tell what a $ or a paste's %(…)s stands for."""
    host.conf.register_opt(cfg.StrOpt("limit", default="33"))
    host.write_conf("slow_ms = $limit")
    live = host.start()

    host.write_conf("slow_ms = $limit\nlog_calls = true")
    live.check(0)

    assert live.current == Settings(slow_ms=33.0, log_calls=True)


def test_paste_interpolation_is_followed(host):
    """As paste works it out, also where [DEFAULT] changes."""
    host.write_paste(slow_ms="%(wanted)s", dump_dir="%(here)s/dumps")
    text = host.paste_file.read_text()
    text = text.replace("[DEFAULT]", "[DEFAULT]\nwanted = 33")
    host._write(host.paste_file, text)
    dumps = f"{host.folder}/dumps"
    host.local_conf = {"slow_ms": "33", "dump_dir": dumps}
    live = host.start()

    text = text.replace("wanted = 33", "wanted = 44")
    host._write(host.paste_file, f"{text}log_calls = true\n")
    live.check(0)

    assert live.current == Settings(
        slow_ms=44.0, dump_dir=dumps, log_calls=True
    )


def test_two_sections_alike_change_together(host, warnings):
    """Which of them made this filter matters once they differ."""
    host.write_paste(slow_ms="300")
    text = host.paste_file.read_text()
    second = text[text.index("[filter") :].replace("er]", "er2]")
    host._write(host.paste_file, text + second)
    live = host.start()

    host._write(host.paste_file, (text + second).replace("300", "1"))
    live.check(0)
    alike = live.current.slow_ms
    host._write(host.paste_file, text + second.replace("300", "1"))
    live.check(0)

    assert alike == 1.0
    assert live.current.slow_ms == 1.0
    assert warnings() == [
        "options stay as they are: api-paste.ini, [filter:nova_profiler] and "
        "api-paste.ini, [filter:nova_profiler2] differ now; they were alike, "
        "and which of them made this filter is known after a restart"
    ]


def test_files_are_looked_at_every_two_seconds(host):
    """From a process's first request on; each check sets the next."""
    live = host.start()
    first = live.check_at

    live.check(60.0)

    assert (first, live.check_at) == (0.0, 62.0)


def test_paste_calls_the_factory_as_it_stands(tmp_path):
    """A section is loaded by paste itself; errors name its file."""
    paste_file = tmp_path / "api-paste.ini"
    paste_file.write_text(FILTER + "slow_msx = 1\n")

    with pytest.raises(
        ConfigError,
        match=r"^api-paste.ini, nova_profiler filter: unknown option "
        r"'slow_msx'; did you mean 'slow_ms'\?$",
    ):
        loadfilter(f"config:{paste_file}", "nova_profiler")


def test_a_section_that_only_sets_is_still_known(host):
    """``set`` lines and the maker are paste's, not ours."""
    host.write_paste(slow_ms="300")
    text = host.paste_file.read_text() + "set debug = true\n"
    host._write(host.paste_file, text)
    live = host.start()

    host._write(host.paste_file, text.replace("300", "1"))
    live.check(0)

    assert live.current.slow_ms == 1.0


def test_a_paste_file_that_is_not_there_does_not_change(host):
    """A server may have read it from elsewhere."""
    files = {"__file__": str(host.folder / "gone.ini")}
    live = LiveSettings(cfg.ConfigOpts(), files, {"slow_ms": "5"})

    live.check(0)

    assert live.current == Settings(slow_ms=5.0)


def test_a_folder_that_is_gone_has_no_files(host):
    """nova.conf.d need not exist any more."""
    host.conf(
        [], default_config_files=[], default_config_dirs=[str(host.folder)]
    )
    host.folder.rename(host.folder.with_name("elsewhere"))

    assert LiveSettings(host.conf, {}, {}).current == Settings()


def test_a_value_of_a_host_that_it_cannot_give_is_one_line(host, monkeypatch):
    """A reference in the environment to what is not there."""
    variable = "OS_NOVA_PROFILER__DUMP_DIR"
    monkeypatch.setenv(variable, "$nosuch")

    with pytest.raises(
        ConfigError,
        match=rf"^environment, {variable}: dump_dir = '\$nosuch': expected a "
        r"text; no such option nosuch",
    ):
        host.start()


def test_a_change_of_the_routes_is_taken_over(host, warnings):
    """The file alone may change, and which file it is."""
    first, second = host.folder / "first", host.folder / "second"
    first.write_text("/v2.0/networks/{id}")
    second.write_text("/v2.0/{resource}/{id}")
    host.write_conf(f"routes_file = {first}")
    live = host.start()
    routes = [live.route_table.route_of("/v2.0/networks/a")]

    first.write_text("/v2.0/networks/{network_id}")
    live.check(0)
    routes.append(live.route_table.route_of("/v2.0/networks/a"))
    host.write_conf(f"routes_file = {second}")
    live.check(0)
    routes.append(live.route_table.route_of("/v2.0/networks/a"))
    host.write_conf("")
    live.check(0)

    assert routes == [
        "/v2.0/networks/{id}",
        "/v2.0/networks/{network_id}",
        "/v2.0/{resource}/{id}",
    ]
    assert live.route_table is None
    assert warnings() == []


@pytest.mark.parametrize("content", ["networks\n", None])
def test_routes_that_cannot_be_read_change_nothing(host, warnings, content):
    """One line in the log; the other options stay as they are, too."""
    routes = host.folder / "routes"
    routes.write_text("/v2.0/networks/{id}")
    host.write_conf(f"routes_file = {routes}")
    live = host.start()

    if content is None:
        routes.unlink()
    else:
        routes.write_text(content)
    host.write_conf(f"routes_file = {routes}\nslow_ms = 7")
    live.check(0)
    live.check(0)

    assert live.route_table.route_of("/v2.0/networks/a") is not None
    assert live.current.slow_ms == 1000.0
    (line,) = warnings()
    assert line.startswith("options stay as they are: routes")


def test_routes_that_cannot_be_read_stop_the_start(host):
    """With the file, the line, and what was read."""
    (host.folder / "routes").write_text("/a\nb c\n")
    host.write_conf(f"routes_file = {host.folder / 'routes'}")

    with pytest.raises(ConfigError, match=r"routes, line 2: 'b c': expected"):
        host.start()


@pytest.mark.parametrize("name", ["conf_file", "paste_file"])
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(host, warnings, name):
    """The request that looks goes on; what is in force stays so."""
    host.write_conf("slow_ms = 5")
    host.write_paste(log_calls="true")
    live = host.start()
    path = getattr(host, name)
    path.unlink()
    os.mkfifo(path)

    live.check(0.0)

    assert warnings() == [
        f"options stay as they are: {path.name}: not a regular file"
    ]
    assert (live.current.slow_ms, live.current.log_calls) == (5.0, True)


def test_pipes_are_not_read_a_second_time(host):
    """The host has read what came through them, as of <(...)."""
    host.write_conf("slow_ms = 5")
    live_conf = host.start()._conf
    host.conf_file.unlink()
    os.mkfifo(host.conf_file)

    live = LiveSettings(live_conf, {}, {})

    assert live.current.slow_ms == 5.0


OLD, NEW = "a" * 32, "b" * 32


@pytest.mark.parametrize("where", ["conf", "paste"])
def test_a_key_that_is_taken_out_is_gone(host, warnings, where):
    """And one that is put in is good, in every worker, without a restart."""

    def write(keys):
        if where == "conf":
            host.write_conf(f"profile_keys = {keys}")
        else:
            host.write_paste(profile_keys=keys)

    write(OLD)
    live = host.start()
    assert live.current.profile_keys == (OLD,)

    for keys in (f"{OLD},{NEW}", NEW, ""):
        write(keys)
        live.check(0)
        assert ",".join(live.current.profile_keys) == keys

    assert warnings() == []


def test_a_key_with_a_reference_takes_the_former_one_out(host, warnings):
    """What it stands for is known after a restart; until then none is."""
    host.write_conf(f"profile_keys = {OLD}")
    live = host.start()

    host.write_conf(f"profile_keys = ${{x}}{OLD}")
    live.check(0)

    assert live.current.profile_keys == ()
    (warning,) = warnings()
    assert "until then no key is good" in warning
    assert OLD not in warning


def test_an_interpolated_key_takes_the_former_one_out(host, warnings):
    """Paste's own rules say what it stands for."""
    host.write_paste(profile_keys=OLD)
    live = host.start()

    host._write(
        host.paste_file,
        f"[DEFAULT]\npart = {NEW[:20]}\n{FILTER}profile_keys = %(part)sccc\n",
    )
    live.check(0)

    assert live.current.profile_keys == (NEW[:20] + "ccc",)
    assert warnings() == []


@pytest.mark.parametrize("key", ["$" + OLD, OLD + "$b" * 9, "${" + OLD + "}"])
def test_no_message_has_a_part_of_a_key(host, warnings, key):
    """Not even the name that a $ seems to stand for."""
    host.write_conf(f"profile_keys = {key}")

    with pytest.raises(ConfigError) as caught:
        host.start()

    assert "aaa" not in str(caught.value)
    assert "bb" not in str(caught.value)
    assert "(hidden)" in str(caught.value)
    assert warnings() == []


@pytest.mark.parametrize("token", ["$S3cr3t", "${S3cr3t}", "S3cr3t"])
def test_no_message_has_a_part_of_a_wrong_endpoint(host, warnings, token):
    """It may hold what proves who sends."""
    host.write_conf(f"otlp_endpoint = http://collector:{token}")

    with pytest.raises(ConfigError, match=r"\(hidden\)") as caught:
        host.start()

    assert "S3cr3t" not in str(caught.value)
    assert warnings() == []


def test_a_short_key_keeps_what_is_in_force(host, warnings):
    """As any value that is refused; the line has no key."""
    host.write_conf(f"profile_keys = {OLD}")
    live = host.start()

    host.write_conf(f"profile_keys = {NEW},x9x9")
    live.check(0)

    assert live.current.profile_keys == (OLD,)
    (warning,) = warnings()
    assert "16 or more characters" in warning
    assert NEW not in warning
    assert "x9x9" not in warning

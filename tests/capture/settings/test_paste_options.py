# SPDX-License-Identifier: Apache-2.0
"""Each form in which Paste can name a filter: followed, or a warning."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oslo_config import cfg
from paste.deploy import loadapp

from nova_profiler import factory
from nova_profiler.capture.settings import paste_options
from nova_profiler.capture.settings.files import paste_sections
from nova_profiler.capture.settings.live import LiveSettings
from nova_profiler.capture.settings.options import ConfigError

MAKER = "paste.filter_factory = nova_profiler.factory:filter_factory"
APP = f"""
[app:app]
paste.app_factory = {__name__}:app_factory
"""
PIPELINE = "[pipeline:main]\npipeline = timing app\n" + APP

# Each with %MS% where the option stands that is changed.
FORMS = {
    "a factory": f"{PIPELINE}[filter:timing]\n{MAKER}\nslow_ms = %MS%\n",
    "an egg": (
        f"{PIPELINE}[filter:timing]\nuse = egg:nova-profiler\nslow_ms = %MS%"
    ),
    "an egg with a name": (
        f"{PIPELINE}[filter:timing]\nuse = egg:nova_profiler#nova_profiler\n"
        "slow_ms = %MS%"
    ),
    "call": (
        f"{PIPELINE}[filter:timing]\n"
        "use = call:nova_profiler.factory:filter_factory\nslow_ms = %MS%"
    ),
    "filter-app": (
        f"[filter-app:main]\n{MAKER}\nnext = app\nslow_ms = %MS%\n{APP}"
    ),
    "filter-app with use": (
        f"[filter-app:main]\nuse = timing\nnext = app\nmax_calls = 7\n"
        f"[filter:timing]\n{MAKER}\nslow_ms = %MS%\n{APP}"
    ),
    "filter-with of an application": (
        f"[app:main]\nuse = app\nfilter-with = timing\n{APP}"
        f"[filter:timing]\n{MAKER}\nslow_ms = %MS%"
    ),
    "filter-with of ours": (
        f"{PIPELINE}[filter:timing]\n{MAKER}\nslow_ms = %MS%\n"
        "filter-with = other\n"
        "[filter:other]\n"
        f"paste.filter_factory = {__name__}:other_factory\n"
    ),
    "another section": (
        f"{PIPELINE}[filter:timing]\nuse = base\nmax_calls = 7\n"
        f"[filter:base]\n{MAKER}\nslow_ms = %MS%\nmax_calls = 6"
    ),
    "an override": (
        f"{PIPELINE}[filter:timing]\nuse = base\nslow_ms = %MS%\n"
        f"[filter:base]\n{MAKER}\nslow_ms = 6"
    ),
    "a default": (
        f"[DEFAULT]\nwanted = %MS%\n{PIPELINE}"
        f"[filter:timing]\n{MAKER}\nslow_ms = %(wanted)s"
    ),
    "get": (
        f"[DEFAULT]\nwanted = %MS%\n{PIPELINE}"
        f"[filter:timing]\n{MAKER}\nget slow_ms = wanted"
    ),
    "set and get": (
        f"{PIPELINE}[filter:timing]\n{MAKER}\nset wanted = %MS%\n"
        "get slow_ms = wanted"
    ),
    "require": (
        f"{PIPELINE}[filter:timing]\n{MAKER}\nrequire = oslo.config\n"
        "slow_ms = %MS%"
    ),
    "a composite of its own factory": (
        f"[composite:main]\nuse = call:{__name__}:pipeline_factory\n"
        f"keystone = timing app\n{APP}"
        f"[filter:timing]\n{MAKER}\nslow_ms = %MS%"
    ),
    "filter_app_factory": (
        f"{PIPELINE}[filter:timing]\n"
        "paste.filter_app_factory = nova_profiler.factory:filter_app_factory\n"
        "slow_ms = %MS%"
    ),
    "the egg's filter_app_factory": (
        f"{PIPELINE}[filter:timing]\nuse = egg:nova-profiler#app\n"
        "slow_ms = %MS%"
    ),
}
# The same, where the option stands in another file.
OTHER = f"[filter:base]\n{MAKER}\nslow_ms = %MS%\n"
OTHER_FORMS = {
    "config in a pipeline": (
        "[pipeline:main]\npipeline = config:more/other.ini#base app\n" + APP,
        OTHER,
    ),
    "config with use": (
        f"{PIPELINE}[filter:timing]\nuse = config:more/other.ini#base\n"
        "max_calls = 7",
        OTHER,
    ),
    "config with here": (
        f"{PIPELINE}[filter:timing]\n"
        "use = config:%(here)s/more/other.ini#base",
        OTHER,
    ),
    "config with a default of this file": (
        f"[DEFAULT]\nname = a\n{PIPELINE}"
        "[filter:timing]\nuse = config:more/other.ini#base",
        OTHER + "service_name = %(name)s\n",
    ),
    "config with a path of this file": (
        f"[DEFAULT]\nplace = %(here)s/x\n{PIPELINE}"
        "[filter:timing]\nuse = config:more/other.ini#base",
        OTHER + "dump_dir = %(place)s\n",
    ),
    "a whole application": (
        "[composite:main]\n"
        f"paste.composite_factory = {__name__}:urlmap_factory\n"
        "/ = config:more/other.ini#inner\n",
        f"[pipeline:inner]\npipeline = base app\n{APP}{OTHER}",
    ),
}


def app_factory(global_conf, **local_conf):
    return lambda environ, start_response: []


def other_factory(global_conf, **local_conf):
    return lambda app: app


def pipeline_factory(loader, global_conf, **local_conf):
    *names, app = local_conf["keystone"].split()
    loader.get_filter(names[0])
    return loader.get_app(app)


def urlmap_factory(loader, global_conf, **local_conf):
    """Load as Paste's own does."""
    return loader.get_app(local_conf["/"], global_conf=global_conf)


class Loaded:
    """What Paste made of a file: settings, and the options it passed."""

    def __init__(self, folder) -> None:
        self.paste = folder / "api-paste.ini"
        self.other = folder / "more" / "other.ini"
        self.made: list[LiveSettings] = []
        self.passed: list[dict[str, str]] = []
        self._writes = 0

    def filter_factory(self, global_conf, /, **local_conf):
        self.passed.append(local_conf)
        live = LiveSettings(cfg.ConfigOpts(), global_conf, local_conf)
        self.made.append(live)
        return lambda app: app

    def write(self, path, text: str) -> None:
        path.write_text(text)
        self._writes += 1
        os.utime(path, ns=(self._writes, self._writes))

    def load(self, **global_conf: str) -> LiveSettings:
        loadapp(f"config:{self.paste}", "main", global_conf=global_conf)
        return self.made[-1]


@pytest.fixture
def loaded(tmp_path, monkeypatch):
    """Return what takes the filter's place in Paste's hands."""
    (tmp_path / "more").mkdir()
    made = Loaded(tmp_path)
    monkeypatch.setattr(factory, "filter_factory", made.filter_factory)
    monkeypatch.setattr(
        factory,
        "filter_app_factory",
        lambda app, conf, **more: made.filter_factory(conf, **more)(app),
    )
    return made


@pytest.mark.parametrize("form", FORMS)
def test_a_change_is_followed(loaded, form):
    """Within the file, whatever leads to the option there."""
    loaded.write(loaded.paste, FORMS[form].replace("%MS%", "300"))
    live = loaded.load()
    before = live.current

    loaded.write(loaded.paste, FORMS[form].replace("%MS%", "400"))
    live.check(0)

    assert live.warnings == []
    assert before.slow_ms == 300.0
    assert live.current == before.changed({"slow_ms": 400.0})


@pytest.mark.parametrize("form", OTHER_FORMS)
def test_a_change_of_another_file_is_followed(loaded, form):
    """Which the paste file leads to."""
    main, other = OTHER_FORMS[form]
    loaded.write(loaded.paste, main)
    loaded.write(loaded.other, other.replace("%MS%", "300"))
    live = loaded.load()
    before = live.current

    loaded.write(loaded.other, other.replace("%MS%", "400"))
    live.check(0)

    assert live.warnings == []
    assert before.slow_ms == 300.0
    assert live.current == before.changed({"slow_ms": 400.0})


@pytest.mark.parametrize("name", ["nova-profiler", "nova_profiler#main"])
def test_an_egg_in_a_pipeline_has_no_options(loaded, name):
    """Nothing there can change; those of nova.conf are followed."""
    loaded.write(
        loaded.paste, f"[pipeline:main]\npipeline = egg:{name} app\n{APP}"
    )
    live = loaded.load()

    loaded.write(loaded.paste, loaded.paste.read_text() + "# a comment\n")
    live.check(0)

    assert live.warnings == []
    assert live.current == live.current.changed({})


def test_what_the_application_gives_paste_counts(loaded):
    """Its names may stand in values."""
    text = f"{PIPELINE}[filter:timing]\n{MAKER}\nslow_ms = %(wanted)s\n"
    loaded.write(loaded.paste, text)
    live = loaded.load(wanted="300")

    loaded.write(loaded.paste, f"{text}max_calls = 7\nlog_calls = true\n")
    live.check(0)

    assert live.warnings == []
    assert (live.current.slow_ms, live.current.log_calls) == (300.0, True)


@pytest.mark.parametrize(
    "text",
    [
        f"[DEFAULT]\nslow_ms = 5\n{PIPELINE}[filter:timing]\n{MAKER}\n",
        f"[DEFAULT]\nslow_ms = 5\n{PIPELINE}[filter:timing]\n{MAKER}\n"
        "slow_ms = 7",
        f"{PIPELINE}[filter:timing]\n{MAKER}\nset slow_ms = 5",
    ],
)
def test_what_paste_keeps_from_the_filter_is_warned_of(loaded, text):
    """[DEFAULT] takes an option away even from the filter's section."""
    loaded.write(loaded.paste, text)

    live = loaded.load()

    assert live.current.slow_ms == 1000.0
    assert live.warnings == [
        "api-paste.ini: slow_ms in [DEFAULT] or behind `set`: Paste passes "
        "no such option to a filter; move it to the filter's section"
    ]


def test_options_from_elsewhere_are_warned_of(loaded):
    """A factory of another package calls ours with options of its own."""
    loaded.write(loaded.paste, PIPELINE)

    loaded.filter_factory({"__file__": str(loaded.paste)}, slow_ms="5")
    loaded.filter_factory({"__file__": str(loaded.other)}, slow_ms="5")

    assert [live.warnings for live in loaded.made] == [
        [
            "api-paste.ini: no section of a filter of ours has the options "
            "that Paste passed; changes to it wait for a restart"
        ],
        [
            "other.ini: No such file or directory; changes to it wait for a "
            "restart"
        ],
    ]


def test_a_section_that_is_gone_stays_in_force(loaded, caplog):
    """With a line in the log."""
    text = FORMS["another section"].replace("%MS%", "300")
    loaded.write(loaded.paste, text)
    live = loaded.load()

    loaded.write(loaded.paste, text.replace("[filter:base]", "[filter:b]"))
    live.check(0)

    assert live.current.slow_ms == 300.0
    assert "its section is gone" in caplog.text


def test_nobodys_module_is_imported(loaded, tmp_path):
    """To read a file is not to load what it names."""
    loaded.write(
        loaded.paste,
        f"{PIPELINE}[filter:timing]\n{MAKER}\n"
        "[filter:other]\npaste.filter_factory = antigravity:x\n"
        "[filter:third]\nuse = call:antigravity:x\n",
    )

    found = paste_sections(str(loaded.paste))

    assert [place.section for place in found.options] == ["filter:timing"]


@pytest.mark.parametrize(
    "text",
    [
        "[filter:a]\nuse = b\n[filter:b]\nuse = a\n",
        "[filter:a]\nuse = config:api-paste.ini#a\n",
        "".join(f"[filter:f{n}]\nuse = f{n + 1}\n" for n in range(500)),
        "[filter:a]\nuse = config:.#a\n",
        "[filter:a]\nuse = config:%%00#a\n",
        "[filter:a]\nuse = config:/dev/zero#a\n",
        "[filter:a]\nuse = config:pipe#a\n",
        "[filter:a]\nget x = nothing\n" + MAKER,
        f"[filter:a]\n{MAKER}\nslow_ms = %(a)s\na = %(slow_ms)s\n",
    ],
)
def test_a_file_that_leads_nowhere_is_read_all_the_same(tmp_path, text):
    """In circles, in long chains, to a folder."""
    path = tmp_path / "api-paste.ini"
    path.write_text(text)
    os.mkfifo(tmp_path / "pipe")

    assert paste_sections(str(path)).options == {}


def test_the_files_that_are_read_are_few(tmp_path):
    """Each names two others."""
    for number in range(200):
        (tmp_path / f"{number}.ini").write_text(
            f"[app:a]\nuse = config:{number * 2 + 1}.ini\n"
            f"x = config:{number * 2 + 2}.ini#b\n"
        )

    found = paste_sections(str(tmp_path / "0.ini"))

    assert len(found.files) == paste_options._MOST_FILES


WORDS = st.sampled_from(
    ["use", "= ", "config:", "a.ini", "#b", "egg:nova-profiler", "[filter:b]"]
    + ["\n", "set x", "get y", "%(x)s", "%", "[DEFAULT]", "x = 1\n", MAKER]
    + ["[filter-app:c]\n", "next = b\n", "slow_ms = 1\n", " "]
)


@settings(max_examples=300)
@given(st.lists(WORDS, max_size=30).map("".join))
def test_any_file_is_read_or_refused(tmp_path_factory, text):
    """And an error has no line of it."""
    path = tmp_path_factory.mktemp("paste") / "a.ini"
    path.write_text(text)

    try:
        found = paste_sections(str(path))
    except ConfigError as exc:
        assert str(exc).startswith("a.ini: cannot be read")
    else:
        assert all(place.path for place in found.options)

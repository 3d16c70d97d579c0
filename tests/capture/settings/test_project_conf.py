# SPDX-License-Identifier: Apache-2.0
"""Options of other projects than nova: where from, with which defaults."""

from __future__ import annotations

import pytest
from oslo_config import cfg

from nova_profiler.capture.settings.live import LiveSettings
from nova_profiler.capture.settings.options import ConfigError, Settings
from nova_profiler.capture.settings.project_conf import (
    conf_of,
    use_defaults_of,
)
from nova_profiler.projects import NOVA_DB_API, PROJECTS


@pytest.fixture(autouse=True)
def global_conf(monkeypatch):
    """Return a fresh global configuration, which nothing has read yet."""
    conf = cfg.ConfigOpts()
    monkeypatch.setattr(cfg, "CONF", conf)
    return conf


@pytest.fixture
def folder(tmp_path):
    """Return a folder with the configuration of placement."""
    (tmp_path / "placement.conf").write_text(
        "[placement_database]\nconnection = sqlite://\n"
        "[nova_profiler]\nslow_ms = 7\n"
    )
    return tmp_path


def _settings(conf: cfg.ConfigOpts) -> Settings:
    use_defaults_of(conf)
    return LiveSettings(conf, {}, {}).current


def test_placement_has_its_options_in_its_own_file(folder):
    """It keeps a configuration of its own, found as placement finds it."""
    environ = {"OS_PLACEMENT_CONFIG_DIR": str(folder)}

    assert _settings(conf_of("placement", environ)).slow_ms == 7


def test_others_have_theirs_in_what_they_have_read(global_conf, tmp_path):
    """Whatever files that was, by whatever arguments."""
    path = tmp_path / "any.conf"
    path.write_text("[nova_profiler]\nslow_ms = 8\n")
    global_conf([], project="keystone", default_config_files=[str(path)])

    conf = conf_of("keystone", {})

    assert conf is global_conf
    assert _settings(conf).slow_ms == 8


def test_the_environment_may_name_a_file_instead(global_conf, tmp_path):
    """A file of our own leaves that of the service as it is."""
    global_conf([], project="keystone", default_config_files=[])
    one, two = tmp_path / "one.conf", tmp_path / "two.conf"
    one.write_text("[nova_profiler]\nslow_ms = 1\nmax_calls = 1\n")
    two.write_text("[nova_profiler]\nslow_ms = 2\n")

    conf = conf_of("keystone", {"NOVA_PROFILER_CONFIG": f"{one}:{two}"})

    settings = _settings(conf)
    assert (settings.slow_ms, settings.max_calls) == (2, 1)
    assert settings.service_name == "keystone"


def test_single_options_may_stand_in_the_environment(folder, monkeypatch):
    """By the names that oslo.config gives them there; they win."""
    monkeypatch.setenv("OS_NOVA_PROFILER__SLOW_MS", "9")
    environ = {"OS_PLACEMENT_CONFIG_DIR": str(folder)}

    assert _settings(conf_of("placement", environ)).slow_ms == 9


def test_a_change_in_the_file_is_followed(folder):
    """As in nova.conf, without a restart."""
    conf = conf_of("placement", {"OS_PLACEMENT_CONFIG_DIR": str(folder)})
    use_defaults_of(conf)
    live = LiveSettings(conf, {}, {})
    (folder / "placement.conf").write_text("[nova_profiler]\nslow_ms = 70\n")

    live.check(0.0)

    assert live.current.slow_ms == 70
    assert live.current.service_name == "placement"


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    """With its path."""
    path = tmp_path / "none.conf"

    with pytest.raises(ConfigError, match=f"{path}: No such file"):
        conf_of("keystone", {"NOVA_PROFILER_CONFIG": str(path)})


def test_a_file_that_cannot_be_read_shows_no_line_of_it(tmp_path):
    """A line may hold a password."""
    path = tmp_path / "bad.conf"
    path.write_text("[database]\nsecret\n")

    with pytest.raises(ConfigError, match="cannot be read") as told:
        conf_of("keystone", {"NOVA_PROFILER_CONFIG": str(path)})

    assert "secret" not in str(told.value)


@pytest.mark.parametrize("project", PROJECTS, ids=lambda one: one.name)
def test_defaults_are_those_of_the_project(project):
    """Its service, and its DB API beside nova's."""
    conf = cfg.ConfigOpts()
    conf([], project=project.name, default_config_files=[])

    settings = _settings(conf)

    assert settings.service_name == project.service
    assert settings.db_api_modules[: len(NOVA_DB_API)] == NOVA_DB_API
    assert set(project.db_api) <= set(settings.db_api_modules)


def test_a_project_that_is_not_known_lends_its_name(tmp_path):
    """Rather than nova's."""
    conf = cfg.ConfigOpts()
    conf([], project="blazar", default_config_files=[])

    assert _settings(conf).service_name == "blazar"


def test_what_is_no_project_keeps_novas_defaults():
    """An application without oslo.config, say."""
    settings = _settings(cfg.ConfigOpts())

    assert settings == Settings()


def test_what_an_operator_gives_wins_over_a_default(tmp_path):
    """Even where it is nova's own."""
    path = tmp_path / "cinder.conf"
    path.write_text(
        "[nova_profiler]\nservice_name = nova-api\ndb_api_modules = a.db\n"
    )
    conf = cfg.ConfigOpts()
    conf([], project="cinder", default_config_files=[str(path)])

    settings = _settings(conf)

    assert settings.service_name == "nova-api"
    assert settings.db_api_modules == ("a.db",)

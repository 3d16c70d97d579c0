# SPDX-License-Identifier: Apache-2.0
"""Options: what they take, and what is said about what they do not."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.capture.settings.options import (
    GROUP,
    HOOK_NAMES,
    MUTABLE,
    OPTIONS,
    ConfigError,
    Settings,
    list_opts,
    parsed,
    parsed_all,
)


def test_settings_and_options_are_the_same():
    """Each option is a field of the snapshot, with the same default."""
    fields = {field.name: field for field in dataclasses.fields(Settings)}

    assert list(fields) == [option.name for option in OPTIONS]
    for option in OPTIONS:
        default = Settings().changed({option.name: option.default})
        assert default == Settings(), option.name


def test_the_options_that_may_change_are_those_of_the_manual():
    """What is marked R in the reference, and nothing else."""
    assert {
        "enabled",
        "slow_ms",
        "slow_call_ms",
        "profiler",
        "profiler_interval_ms",
        "profile_when",
        "profile_rate",
        "profile_keys",
        "dump_when",
        "log_requests",
        "log_calls",
        "routes_file",
        "otlp_traces",
        "otlp_trace_rate",
    } == MUTABLE


def test_every_option_has_a_help_of_one_sentence_or_more():
    """The sample files are made of them."""
    assert [o.name for o in OPTIONS if not str(o.help).endswith(".")] == []


def test_the_generator_of_samples_gets_our_group():
    """oslo-config-generator asks by the entry point oslo.config.opts."""
    [(group, options)] = list_opts()

    assert group == GROUP
    assert options == list(OPTIONS)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("enabled", "off", False),
        ("enabled", "True", True),
        ("slow_ms", "0.5", 0.5),
        ("max_calls", "0", 0),
        ("hooks", "db_api, sqlalchemy", ("db_api", "sqlalchemy")),
        ("hooks", "", ()),
        ("timed_callables", "a:b,\n  c:d.e", ("a:b", "c:d.e")),
        ("dump_when", "all", ("all",)),
        ("dump_dir", "/var/lib/nova/dumps", "/var/lib/nova/dumps"),
        ("dump_dir", " ", None),
        ("statsd_host", "", None),
        ("statsd_port", "65535", 65535),
    ],
)
def test_values_are_read(name, text, value):
    """A text becomes what the package works with."""
    assert parsed(name, text, "here") == value


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("enabled", "maybe", "true or false"),
        ("enabled", "", "true or false"),
        ("slow_ms", "abc", "a number, 0 or more"),
        ("slow_ms", "-1", "a number, 0 or more"),
        ("slow_ms", "nan", "a number, 0 or more"),
        ("profile_rate", "12", "a number from 0 to 1"),
        ("profile_rate", "nan", "a number from 0 to 1"),
        ("max_calls", "1.5", "a whole number from 0 to 1000000"),
        ("dump_max_mb", "0", "a whole number, 1 or more"),
        ("statsd_port", "0", "a whole number from 1 to 65535"),
        ("statsd_port", "70000", "a whole number from 1 to 65535"),
        ("statsd_labels", "tags", "none or dogstatsd"),
        (
            "hooks",
            "sqlalchemy,sql",
            f"a list of {', '.join(HOOK_NAMES)}",
        ),
        (
            "dump_when",
            "never",
            "a list of slow, failed, profiled, all, each maybe with a kind",
        ),
        (
            "log_requests",
            "maybe",
            "true, false, or a list such as true,message:slow,task:failed",
        ),
    ],
)
def test_a_wrong_value_is_one_line(name, text, expected):
    """Where it stands, what was read, what is expected."""
    with pytest.raises(ConfigError, match="expected") as raised:
        parsed(name, text, "a.ini, filter")

    assert str(raised.value) == (
        f"a.ini, filter: {name} = {text!r}: expected {expected}"
    )


def test_an_unknown_name_gets_the_nearest_right_one():
    """A typo is told apart from a name that is nothing like ours."""
    with pytest.raises(ConfigError) as raised:
        parsed("statsd_hots", "x", "nova.conf, [nova_profiler]")

    assert str(raised.value) == (
        "nova.conf, [nova_profiler]: unknown option 'statsd_hots'; did you "
        "mean 'statsd_host'?"
    )


def test_a_strange_name_gets_all_of_them():
    """Where nothing is near, the whole list is."""
    with pytest.raises(ConfigError, match="the options are enabled, ") as e:
        parsed("qqqq", "x", "here")

    assert "\n" not in str(e.value)


def test_a_secret_is_not_repeated(monkeypatch):
    """Keys are in no error and no text of the snapshot."""
    keys = next(o for o in OPTIONS if o.name == "profile_keys")
    monkeypatch.setattr(keys.type, "item_type", int)

    with pytest.raises(ConfigError, match=r"profile_keys = \(hidden\)") as e:
        parsed("profile_keys", "s3cret", "here")

    assert "s3cret" not in str(e.value)
    assert "s3cret" not in repr(Settings(profile_keys=("s3cret",)))


@pytest.mark.parametrize("text", ["http://statsd:8125/", "statsd:x", "[::1"])
def test_a_place_where_no_statsd_can_be_is_refused(text):
    """With the forms that are known."""
    with pytest.raises(ConfigError, match="statsd_host = ") as e:
        parsed("statsd_host", text, "here")

    assert str(e.value) == (
        f"here: statsd_host = {text!r}: expected a host, host:port, [IPv6 "
        "address]:port, or unix:///path of a datagram socket"
    )


def test_a_password_in_an_address_is_not_repeated():
    """Somebody may paste the URL of another program."""
    with pytest.raises(ConfigError, match="amqp://mq:5672/") as e:
        parsed("statsd_host", "amqp://nova:s3cret@mq:5672/", "here")

    assert "s3cret" not in str(e.value)


KEY = "correct-horse-battery"


@pytest.mark.parametrize(
    "text", ["x", f"{KEY},x", f"x,{KEY}", f"{KEY}, abcdefghijklmno", "a,b"]
)
def test_a_key_that_can_be_guessed_is_refused(text):
    """A comma within a key makes two of it, and the second may be short."""
    with pytest.raises(ConfigError) as caught:
        parsed("profile_keys", text, "here")

    assert str(caught.value) == (
        "here: profile_keys = (hidden): expected keys of 16 or more "
        "characters, separated by commas"
    )


@pytest.mark.parametrize(
    ("text", "keys"),
    [("", ("",)), (KEY, (KEY,)), (f"{KEY}, {KEY}2,", (KEY, f"{KEY}2", ""))],
)
def test_keys_that_are_long_enough(text, keys):
    """An empty one is none."""
    assert [key for key in parsed("profile_keys", text, "here") if key] == [
        key for key in keys if key
    ]


def test_many_values_are_read_at_once():
    """As they come from a section of a paste file."""
    values = parsed_all({"slow_ms": "5", "log_calls": "yes"}, "here")

    assert values == {"slow_ms": 5.0, "log_calls": True}


@given(
    st.sampled_from([option.name for option in OPTIONS]) | st.text(),
    st.text(),
)
def test_any_text_is_a_value_or_one_line(name, text):
    """No other exception, and nothing with a line break in it."""
    try:
        value = parsed(name, text, "here")
    except ConfigError as exc:
        assert len(str(exc).splitlines()) == 1
    else:
        assert Settings().changed({name: value})

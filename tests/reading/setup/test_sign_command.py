# SPDX-License-Identifier: Apache-2.0
"""`nova-profiler sign`: what it prints has that request profiled."""

from __future__ import annotations

import json
import os
from time import time

import pytest
from serving import Asked, Profiled

from nova_profiler.capture.choosing.choice import Choice
from nova_profiler.cli import main
from nova_profiler.trust.signed_headers import trigger_fault

KEY = "0123456789abcdef0123456789abcdef"
PATH = "/v2.1/servers/detail"


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    """Have the key in the environment, as the manual says."""
    monkeypatch.setenv("NOVA_PROFILER_KEY", KEY)


def signed(capsys, *args):
    """Return the value of the header that is printed, which is all."""
    assert main(["sign", *args]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    name, _, value = out.rstrip("\n").partition(": ")
    assert name == "X-Nova-Profiler"
    return value


def fault(value, method="GET", path=PATH, now=None):
    """Return what the filter finds wrong with a header."""
    return trigger_fault(value, method, path, [KEY], now or time())


def test_the_header_is_good_for_its_request(capsys):
    """For ten minutes, and for no other."""
    value = signed(capsys, "GET", PATH)

    assert fault(value) is None
    assert fault(value, now=time() + 590) is None
    assert fault(value, now=time() + 610) is not None
    assert fault(value, method="POST") is not None


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://nova:8774/v2.1/servers/detail", PATH),
        (
            "https://nova/compute/v2.1/servers?limit=5#x",
            "/compute/v2.1/servers",
        ),
        ("/v2.1/servers/detail?all_tenants=1", PATH),
        ("/v2.1/a%20b/%C3%A9", "/v2.1/a b/\u00c3\u00a9"),
    ],
)
def test_a_url_counts_by_its_path_as_nova_sees_it(capsys, url, path):
    """Unquoted, without its query string."""
    assert fault(signed(capsys, "get", url), path=path) is None


@pytest.mark.parametrize(
    ("span", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("2h", 7200)]
)
def test_it_lasts_as_long_as_it_was_asked_to(capsys, span, seconds):
    """And ends then."""
    value = signed(capsys, "GET", PATH, "--expires", span)

    assert fault(value, now=time() + seconds - 5) is None
    assert fault(value, now=time() + seconds + 5) is not None


def test_the_key_may_be_in_a_file(capsys, tmp_path):
    """Its first line; the file wins over the environment."""
    file = tmp_path / "key"
    file.write_text("another-key-of-some-length\nrest\n")
    file.chmod(0o600)

    value = signed(capsys, "GET", PATH, "--key-file", str(file))

    keys = ["another-key-of-some-length"]
    assert trigger_fault(value, "GET", PATH, keys, time()) is None


def test_a_key_that_others_can_read_is_told(capsys, tmp_path):
    """On stderr: the header is for another program."""
    file = tmp_path / "key"
    file.write_text(KEY)
    file.chmod(0o644)

    assert main(["sign", "GET", PATH, "--key-file", str(file)]) == 0

    out, err = capsys.readouterr()
    assert out.count("\n") == 1
    assert err == f"{file} can be read by others: chmod 600 it\n"


def test_a_short_key_is_told(capsys):
    """It could be guessed."""
    assert main(["sign", "GET", PATH, "--key", "short"]) == 0

    assert "5 characters can be guessed" in capsys.readouterr().err


def test_json_has_what_was_signed(capsys):
    """For other programs."""
    assert main(["sign", "get", PATH + "?x=1", "--json"]) == 0

    found = json.loads(capsys.readouterr().out)
    assert (found["method"], found["path"]) == ("GET", PATH)
    assert fault(found["headers"]["X-Nova-Profiler"]) is None
    assert found["expires"] > time()


def test_osprofilers_headers_are_good(capsys):
    """A pair of them, a line each."""
    assert main(["sign", "GET", PATH, "--osprofiler"]) == 0

    lines = capsys.readouterr().out.splitlines()
    environ = {
        "HTTP_" + name.upper().replace("-", "_"): value
        for name, _, value in (line.partition(": ") for line in lines)
    }
    counted: list[str] = []
    choice = Choice(counted.append)
    assert (
        choice.reason(Asked(PATH, environ), ["signed"], 0, [KEY]) == "signed"
    )
    assert counted == []


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["GET", "servers"], "has no path"),
        (["GET", "http://[x/v2"], "has no path"),
        (["GE T", PATH], "is not a method"),
        (["GET", PATH, "--expires", "25h"], "range 1<=x<=86400"),
        (["GET", PATH, "--expires", "0"], "not in the range"),
        (["GET", PATH, "--expires", "soon"], "expected a time"),
        (["GET", PATH, "--key-file", "/nowhere/key"], "does not exist"),
        (["GET"], "PATH|URL"),
    ],
)
def test_what_is_wrong_is_one_line(capsys, args, message):
    """And exit code 2; nothing that curl would send."""
    assert main(["sign", *args]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.count("\n") == 1


def test_no_key_is_an_error(capsys, monkeypatch):
    """There is no default."""
    monkeypatch.delenv("NOVA_PROFILER_KEY")

    assert main(["sign", "GET", PATH]) == 2

    assert "there is no key" in capsys.readouterr().err
    assert "NOVA_PROFILER_KEY" not in os.environ


def test_the_filter_takes_it(capsys):
    """From the command to the choice."""
    value = signed(capsys, "GET", PATH)
    asked: list[bool] = []

    class Engine:
        name = "stacks"
        watches_all = False

        def watch(self, capture, chosen, interval_ms):
            asked.append(chosen)

        def close(self):
            """Nothing to do."""

    def app(environ, start_response):
        start_response("200 OK", [])
        return [b"ok"]

    over = Profiled(
        app,
        load=lambda *_: Engine(),
        profiler="stacks",
        profile_when=("signed",),
        profile_keys=(KEY,),
    )

    over.get(PATH, HTTP_X_NOVA_PROFILER=value)
    over.get("/v2.1/servers", HTTP_X_NOVA_PROFILER=value)

    assert asked == [True]
    assert over.failures.counts() == {"trigger_forged": 1}


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("//v2.1/servers", "//v2.1/servers"),
        ("//v2.1//servers/?x=1", "//v2.1//servers/"),
        ("///", "///"),
        ("/v2.1/a:b@c", "/v2.1/a:b@c"),
        ("/http://x/y", "/http://x/y"),
        ("http://nova//v2.1/x", "//v2.1/x"),
        ("/a;b/c#d?e", "/a;b/c"),
    ],
)
def test_a_path_is_signed_as_it_is_given(capsys, url, path):
    """Slashes at its begin are part of it, and no host."""
    main(["sign", "GET", url, "--key", KEY, "--json"])

    assert json.loads(capsys.readouterr().out)["path"] == path


@pytest.mark.parametrize("odd", ["\t", "\n", "\r", " ", "\x00", "\x7f"])
@pytest.mark.parametrize("url", ["/v2.1/{}x", "http://nova/v2.1/x{}", "{}/v2"])
def test_no_character_is_left_out_of_what_is_signed(capsys, url, odd):
    """A URL with one that no request line has is refused."""
    assert main(["sign", "GET", url.format(odd), "--key", KEY]) == 2

    assert "control character" in capsys.readouterr().err

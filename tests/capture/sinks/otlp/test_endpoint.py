# SPDX-License-Identifier: Apache-2.0
"""Where a Collector listens: what is taken, and what is never repeated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.capture.settings.options import ConfigError, parsed
from nova_profiler.capture.sinks.otlp.endpoint import (
    Endpoint,
    endpoint_of,
    header_of,
    headers_of,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://127.0.0.1:4318", Endpoint("127.0.0.1", 4318, "", False)),
        ("http://collector/", Endpoint("collector", 4318, "", False)),
        ("https://[::1]:443/otlp/", Endpoint("::1", 443, "/otlp", True)),
    ],
)
def test_a_url_is_taken_apart(text, expected):
    """Without a port it is OTLP's."""
    assert endpoint_of(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "collector:4317",
        "grpc://collector",
        "http://",
        "http://a b",
        "http://collector:0",
        "http://collector:99999",
        "http://collector/?a=b",
        "http://collector/#a",
        "http://user:hidden@collector",
        "http://" + "a" * 2000,
        "http://a\r\nX: y",
        "http://ä",
    ],
)
def test_what_is_no_endpoint_is_refused(text):
    """At the start, with what is expected."""
    with pytest.raises(ConfigError, match="expected http:// or https://"):
        parsed("otlp_endpoint", text, "nova.conf")


@pytest.mark.parametrize(
    "text",
    [
        "http://user:S3cr3t@collector:4318",
        "http://us/er:S3cr3t/S3cr3t@collector:4318",
        "user:S3cr3t@collector:4318",
        "http://" + "u" * 90 + ":S3cr3t@collector",
        "http://collector:4318/?token=S3cr3t",
        "http://collector:4318/#S3cr3t",
        "https://collector:S3cr3t",
        "http://collector;token=S3cr3t",
        "http://collector/S3cr3t token",
        "grpc://S3cr3t",
        "S3cr3t",
    ],
)
def test_no_error_repeats_a_password(text):
    """It names the option and what is wrong."""
    with pytest.raises(ConfigError) as raised:
        parsed("otlp_endpoint", text, "nova.conf")

    assert "S3cr3t" not in str(raised.value)
    assert str(raised.value).startswith(
        "nova.conf: otlp_endpoint = (hidden): expected http:// or https://"
    )


def test_no_error_repeats_a_header():
    """Neither its value nor its name."""
    with pytest.raises(ConfigError, match="name=value") as raised:
        parsed("otlp_headers", "Authorization: S3cr3t", "nova.conf")

    assert "S3cr3t" not in str(raised.value)


def test_headers_are_written_as_others_write_them():
    """As in OTEL_EXPORTER_OTLP_HEADERS."""
    texts = parsed(
        "otlp_headers", "Authorization=Bearer%20a%2Cb, X-Scope=nova", "x"
    )

    assert headers_of(texts) == {
        "Authorization": "Bearer a,b",
        "X-Scope": "nova",
    }


@pytest.mark.parametrize(
    "text",
    ["X", "=x", "X Y=z", "X=a%0D%0AY: b", "Content-Length=0", "Host=a"],
)
def test_what_is_no_header_is_refused(text):
    """And what only we set."""
    with pytest.raises(ValueError, match="no header"):
        header_of(text)


@given(st.text(max_size=60))
def test_any_text_is_an_endpoint_or_a_value_error(text):
    """Nothing else is raised."""
    try:
        found = endpoint_of(text)
    except ValueError:
        return
    assert found.host
    assert 0 < found.port < 65536

# SPDX-License-Identifier: Apache-2.0
"""What becomes of a message, whatever a Collector answers."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import sys
import threading
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceResponse,
)
from otlp_receivers import answer, answering
from services import missing

from nova_profiler.capture.sinks.otlp import collector as module
from nova_profiler.capture.sinks.otlp import stream as streams
from nova_profiler.capture.sinks.otlp.collector import (
    BUSY,
    DELIVERED,
    LATER,
    LONGEST_WAIT_S,
    REFUSED,
    TRACES,
    Collector,
    _wait_s,
)
from nova_profiler.capture.sinks.otlp.endpoint import Endpoint
from nova_profiler.capture.sinks.otlp.sender import (
    MAX_REJECTED,
    _rejected_points,
    _rejected_spans,
)

SECRET = "S3cr3t"


def _post(port: int, host: str = "127.0.0.1", is_tls: bool = False, **more):
    """Return what becomes of a message to *port*, and close."""
    collector = Collector(
        Endpoint(host, port, "", is_tls), {"Authorization": SECRET}, **more
    )
    try:
        return collector.post(TRACES, b"x" * 100_000, _rejected_spans)
    finally:
        collector.close()


@pytest.mark.parametrize("status", ["200 OK", "202 Accepted"])
def test_what_is_taken_is_delivered(status):
    """An empty answer is one of the protocol."""
    with answering(answer(status)) as port:
        found = _post(port)

    assert found == (DELIVERED, None, None, 0)


def test_a_connection_that_was_closed_meanwhile_is_made_anew():
    """The server closes each after its answer, without a word of that."""
    with answering(answer("200 OK")) as port:
        collector = Collector(Endpoint("127.0.0.1", port, "", False), {})
        found = [collector.post(TRACES, b"x", _rejected_spans) for _ in "ab"]
        collector.close()

    assert found == [(DELIVERED, None, None, 0)] * 2


def test_what_was_left_out_is_known():
    """Field 1 of the answer, partial_success; its field 1."""
    with answering(answer("200 OK", b"\x0a\x02\x08\x07")) as port:
        found = _post(port)

    assert found == (DELIVERED, None, None, 7)


@pytest.mark.parametrize(
    ("said", "counted"),
    [(-1, 0), (-(2**63), 0), (2**63 - 1, MAX_REJECTED)],
)
@pytest.mark.parametrize(
    ("rejected_in", "kind", "field"),
    [
        (_rejected_spans, ExportTraceServiceResponse, "rejected_spans"),
        (
            _rejected_points,
            ExportMetricsServiceResponse,
            "rejected_data_points",
        ),
    ],
)
def test_what_a_collector_says_is_bounded(
    rejected_in, kind, field, said, counted
):
    """A sum of it fits into a point, and never goes down."""
    message = kind(partial_success={field: said})

    assert rejected_in(message.SerializeToString()) == counted


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("400 Bad Request", REFUSED),
        ("401 Unauthorized", REFUSED),
        ("302 Found", REFUSED),
        ("500 Internal Server Error", REFUSED),
        ("429 Too Many Requests", BUSY),
        ("502 Bad Gateway", BUSY),
        ("503 Service Unavailable", BUSY),
        ("504 Gateway Timeout", BUSY),
    ],
)
def test_a_bad_status_is_a_fault(status, outcome):
    """As the protocol has it: some may be sent again."""
    with answering(answer(status, b"{}", Location="http://x/")) as port:
        found = _post(port)

    assert found.outcome == outcome
    assert isinstance(found.fault, OSError)
    assert found.fault.strerror == f"the Collector answered {status[:3]}"


@pytest.mark.parametrize(
    ("text", "wait_s"),
    [
        ("7", 7.0),
        ("-1", 0.0),
        ("1e9", LONGEST_WAIT_S),
        ("nan", None),
        ("soon", None),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0.0),
        ("Fri, 31 Dec 9998 23:59:59 GMT", LONGEST_WAIT_S),
    ],
)
def test_it_is_known_how_long_to_wait(text, wait_s):
    """Seconds or a date, and not for ever."""
    with answering(answer("429 x", Retry_After=text)) as port:
        found = _post(port)

    assert found.wait_s == wait_s


@given(st.text(max_size=40))
def test_any_time_to_wait_is_one_or_none(text):
    """Nothing is raised."""
    found = _wait_s(text)

    assert found is None or 0 <= found <= LONGEST_WAIT_S


def test_a_date_that_cannot_be_read_is_none(monkeypatch):
    """What reads dates has raised others' errors: IndexError, for one."""
    monkeypatch.setattr(module, "parsedate_to_datetime", lambda text: [][0])
    with answering(answer("503 x", Retry_After="soon")) as port:
        found = _post(port)

    assert (found.outcome, found.wait_s) == (BUSY, None)


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\0" * 100,
        b"HTTP/1.1 999999 x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A" * 100_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_garbage_is_a_fault(garbage):
    """What was sent may be sent again."""
    with answering(garbage) as port:
        found = _post(port)

    assert found.outcome == LATER
    assert found.fault is not None


def test_an_answer_that_is_no_message_is_a_fault():
    """What took it may be no Collector; it is not sent again."""
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx"
    for text in (answer("200 OK", b"<html>"), cut):
        with answering(text) as port:
            found = _post(port)

        assert found.outcome == DELIVERED
        assert found.fault is not None


def test_of_a_long_answer_little_is_read():
    """10 MB: the connection is closed in the middle."""
    with answering(answer("200 OK", b"x" * 10_000_000)) as port:
        found = _post(port)

    assert found.outcome == DELIVERED
    assert isinstance(found.fault, OSError)
    assert found.fault.strerror == "its answer is too long"


# More than is taken of any answer.
FLOOD = b"HTTP/1.1 100 Continue\r\n\r\n" * 80_000


def test_an_answer_that_never_begins_is_a_fault():
    """http.client reads on as long as it is told to continue."""
    with answering(FLOOD, is_closing=False) as port:
        found = _post(port)

    assert found.outcome == LATER
    assert isinstance(found.fault, OSError)
    assert found.fault.strerror == "its answer is too long"


def test_each_message_has_room_for_an_answer(monkeypatch):
    """What is taken is bounded message by message, not by connection."""
    monkeypatch.setattr(streams, "MOST_BYTES", 300)
    text = answer("200 OK", b"\x0a\x02\x08\x07", Filler="x" * 200)
    with answering(text, requests=3) as port:
        collector = Collector(Endpoint("127.0.0.1", port, "", False), {})
        found = [collector.post(TRACES, b"x", _rejected_spans) for _ in "abc"]
        collector.close()

    assert found == [(DELIVERED, None, None, 7)] * 3


def test_an_answer_that_never_comes_is_a_fault(monkeypatch):
    """Also one that comes bit by bit: the deadline is of the whole."""
    monkeypatch.setattr(module, "TIMEOUT_S", 0.2)
    with answering(b"HTTP/1.1 200", is_closing=False) as port:
        found = _post(port)

    assert found.outcome == LATER
    assert isinstance(found.fault, TimeoutError)


def test_a_port_where_nothing_listens_is_a_fault():
    """It may listen later."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    found = _post(port)

    assert found.outcome == LATER
    assert isinstance(found.fault, ConnectionRefusedError)


@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 300, "a..b"])
def test_a_host_that_does_not_resolve_is_a_fault(host):
    """Its name may be wrong in any way."""
    found = _post(4318, host)

    assert found.outcome == LATER
    assert found.fault is not None


def test_no_tls_where_tls_is_expected_is_a_fault():
    """The server takes the handshake for a request."""
    with answering(answer("400 Bad Request"), is_reading=False) as port:
        found = _post(port, is_tls=True)

    assert found.outcome == LATER
    assert isinstance(found.fault, ssl.SSLError)


def test_a_file_of_certificates_that_is_none_is_a_fault(tmp_path):
    """It is read when it is needed."""
    with answering(answer("200 OK")) as port:
        found = _post(port, is_tls=True, ca_file=str(tmp_path / "none"))

    assert isinstance(found.fault, FileNotFoundError)


@pytest.fixture
def tls(tmp_path, request):
    """Return the port of a server with TLS, and its certificate's file.

    It answers with the parameter, if there is one.
    """
    text = getattr(request, "param", answer("200 OK"))
    if shutil.which("openssl") is None:
        missing("needs openssl")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out",
         certificate, "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost"],
        check=True,
        capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0))
    got: list[bytes] = []

    def serve() -> None:
        with suppress(OSError):
            while True:
                asker, _ = listener.accept()
                with (
                    suppress(OSError),
                    context.wrap_socket(asker, server_side=True) as tls,
                ):
                    data = b""
                    while not data.endswith(b"x" * 100_000):
                        data += tls.recv(65536)
                    got.append(data)
                    tls.sendall(text)

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1], str(certificate), got
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_a_message_goes_over_tls(tls):
    """To what has a certificate that is known."""
    port, certificate, got = tls

    found = _post(port, "localhost", is_tls=True, ca_file=certificate)

    assert found == (DELIVERED, None, None, 0)
    [data] = got
    assert data.startswith(b"POST /v1/traces HTTP/1.1\r\n")
    assert data.endswith(b"x" * 100_000)


@pytest.mark.parametrize("tls", [FLOOD], indirect=True)
def test_what_comes_over_tls_is_bounded(tls):
    """As without."""
    port, certificate, _ = tls

    found = _post(port, "localhost", is_tls=True, ca_file=certificate)

    assert found.outcome == LATER
    assert isinstance(found.fault, OSError)
    assert found.fault.strerror == "its answer is too long"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_certificate_that_does_not_match_is_a_fault(tls, host):
    """Nothing is sent: neither known, nor for that name."""
    port, certificate, got = tls
    ca_file = None if host == "localhost" else certificate

    found = _post(port, host, is_tls=True, ca_file=ca_file)

    assert found.outcome == LATER
    assert isinstance(found.fault, ssl.SSLCertVerificationError)
    assert SECRET not in str(found.fault)
    assert got == []


GREEN = """
import sys, warnings
warnings.simplefilter("ignore")
mode, port, certificate = sys.argv[1:]
if mode == "eventlet":
    import eventlet
    eventlet.monkey_patch()
else:
    import gevent.monkey
    gevent.monkey.patch_all()
from nova_profiler.capture.greenthreads import Wakeup, start_thread
from nova_profiler.capture.sinks.otlp.collector import TRACES, Collector
from nova_profiler.capture.sinks.otlp.endpoint import Endpoint
found, done = [], Wakeup()

def post():
    where = Endpoint("localhost", int(port), "", True)
    collector = Collector(where, {}, certificate)
    found.append(collector.post(TRACES, b"x" * 100_000, len))
    collector.close()
    done.wake()

start_thread(post)
done.wait(20)
print(found[0].outcome, found[0].fault)
"""


@pytest.mark.parametrize("mode", ["eventlet", "gevent"])
def test_tls_needs_no_hub(tls, mode):
    """What these libraries replaced is not in our thread."""
    pytest.importorskip(mode)
    port, certificate, got = tls

    done = subprocess.run(
        [sys.executable, "-c", GREEN, mode, str(port), certificate],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.stdout == "delivered None\n", done.stderr
    assert len(got) == 1

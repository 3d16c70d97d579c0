# SPDX-License-Identifier: Apache-2.0
"""Hands messages to a Collector by HTTP, and reads what it answers.

https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from __future__ import annotations

import errno
import http.client
import ssl
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from time import monotonic, time
from typing import NamedTuple

from nova_profiler import __version__
from nova_profiler.capture.sinks.otlp.endpoint import Endpoint
from nova_profiler.capture.sinks.otlp.stream import Stream, TlsStream

TRACES, METRICS = "/v1/traces", "/v1/metrics"
# One message from connecting to the end of its answer.
TIMEOUT_S = 10.0
# What is read of an answer: the specification's has some words.
MOST_BYTES = 65_536
# For as long a Collector may have us wait.
LONGEST_WAIT_S = 300.0
_COME_BACK = (429, 502, 503, 504)

# It took the message; it will never take it; it answered that it takes no such
# message now; no answer came, so that it may take any later.
DELIVERED, REFUSED, BUSY, LATER = "delivered", "refused", "busy", "later"


class Answer(NamedTuple):
    """What became of a message."""

    outcome: str
    # What was wrong, if anything was.
    fault: Exception | None = None
    # How long the Collector asks us to wait.
    wait_s: float | None = None
    # Of what it took, the spans or points that it has left out.
    rejected: int = 0


class Collector:
    """A Collector, with a connection while messages are sent."""

    def __init__(
        self,
        endpoint: Endpoint,
        headers: Mapping[str, str],
        ca_file: str | None = None,
    ) -> None:
        """*ca_file* has the certificates to believe, None: the system's."""
        self._endpoint = endpoint
        self._headers = {
            "User-Agent": f"nova-profiler/{__version__}",
            **headers,
            "Content-Type": "application/x-protobuf",
        }
        self._ca_file = ca_file
        self._ends = 0.0
        self._context: ssl.SSLContext | None = None
        self._stream: Stream | None = None
        self._connection: http.client.HTTPConnection | None = None

    def post(
        self, path: str, body: bytes, rejected_in: Callable[[bytes], int]
    ) -> Answer:
        """Hand *body* over at *path*; never raises an Exception.

        *rejected_in* returns what an answer says was left out; may raise.
        """
        self._ends = monotonic() + TIMEOUT_S
        try:
            response = self._first_or_second(path, body)
            data = response.read(MOST_BYTES + 1)
        except Exception as exc:
            self.close()
            return Answer(LATER, exc)
        status = response.status
        if not response.isclosed() or response.will_close:
            # There is more than will be read.
            self.close()
        if status in _COME_BACK:
            wait_s = _wait_s(response.getheader("Retry-After"))
            return Answer(BUSY, _answered(status), wait_s)
        if not 200 <= status < 300:
            return Answer(REFUSED, _answered(status))
        if len(data) > MOST_BYTES:
            return Answer(DELIVERED, _fault("its answer is too long"))
        try:
            return Answer(DELIVERED, rejected=rejected_in(data))
        except Exception as exc:
            # Garbage: what answers like that may be no Collector.
            return Answer(DELIVERED, exc)

    def close(self) -> None:
        """Let the connection go. Never raises."""
        self._connection = None
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.end()

    def _first_or_second(
        self, path: str, body: bytes
    ) -> http.client.HTTPResponse:
        """Return the answer, maybe over a second connection.

        A Collector may close one after any answer.
        """
        is_first = self._connection is None
        try:
            return self._answered(path, body)
        except ConnectionError:
            if is_first:
                raise
            self.close()
            return self._answered(path, body)

    def _answered(self, path: str, body: bytes) -> http.client.HTTPResponse:
        connection = self._connection
        if connection is None:
            endpoint = self._endpoint
            self._stream = self._connected()
            connection = http.client.HTTPConnection(
                endpoint.host, endpoint.port
            )
            # Sockets of http.client's own may be those of eventlet.
            connection.sock = self._stream
            self._connection = connection
        elif self._stream is not None:
            self._stream.begin()
        connection.request(
            "POST", self._endpoint.path + path, body, self._headers
        )
        return connection.getresponse()

    def _connected(self) -> Stream:
        host, port, _, is_tls = self._endpoint
        if not is_tls:
            return Stream(host, port, self._left_s)
        if self._context is None:
            self._context = context_of(self._ca_file)
        return TlsStream(host, port, self._left_s, self._context)

    def _left_s(self) -> float:
        return self._ends - monotonic()


def context_of(ca_file: str | None) -> ssl.SSLContext:
    """Return what believes the certificates in *ca_file*, None: the system's.

    Raises OSError, of which ssl.SSLError is one.
    """
    return ssl.create_default_context(cafile=ca_file)


def fault_of_ca_file(ca_file: str) -> str | None:
    """Return in some words why *ca_file* has no certificates, or None."""
    try:
        context_of(ca_file)
    except ssl.SSLError:
        return "it holds no certificates in PEM form"
    except OSError as exc:
        return exc.strerror or type(exc).__name__
    except ValueError:
        return "no name of a file"
    return None


def _answered(status: int) -> OSError:
    return _fault(f"the Collector answered {status}")


def _fault(words: str) -> OSError:
    """Return an error whose reason is logged: it has no words of others."""
    return OSError(errno.EPROTO, words)


def _wait_s(text: str | None) -> float | None:
    """Return for how long *text*, of Retry-After, has us wait.

    Seconds or a date (RFC 9110); None for what is neither.
    """
    if text is None:
        return None
    try:
        wait_s = float(text)
    except ValueError:
        try:
            wait_s = parsedate_to_datetime(text).timestamp() - time()
        except Exception:
            # Besides ValueError it raises whatever its own code meets.
            return None
    # NaN is neither more nor less than anything.
    return min(max(wait_s, 0.0), LONGEST_WAIT_S) if wait_s == wait_s else None

# SPDX-License-Identifier: Apache-2.0
"""HTTP around a stub's answers."""

from __future__ import annotations

import http.client
import http.server
import json
import threading
from collections.abc import Iterator

import pytest

from demo.cloud.stubs import answering, glance
from demo.cloud.stubs.answering import Answer, Asked, NotThereError


def _answer(asked: Asked) -> Answer:
    if asked.words == ["gone"]:
        raise NotThereError("gone")
    if asked.method == "DELETE":
        return Answer(204, None)
    seen = [asked.method, asked.words, asked.query, asked.body]
    return Answer(200, {"seen": seen}, {"X-More": "more"})


@pytest.fixture
def stub() -> Iterator[http.client.HTTPConnection]:
    """Return a connection to a stub that answers what it was asked."""
    handler = answering.handler(_answer, 0.0)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        connection = http.client.HTTPConnection(*server.server_address[:2])
        yield connection
        connection.close()
        server.shutdown()
        thread.join()


def _ask(stub, method: str, path: str, body: str | None = None):
    stub.request(method, path, body)
    response = stub.getresponse()
    return response, response.read()


def test_a_stub_is_asked_without_version_and_ending(stub):
    """neutron's clients once asked for .json; on one connection."""
    response, body = _ask(stub, "POST", "/v2.0/ports.json?id=1", '{"a": 1}')

    assert json.loads(body)["seen"] == [
        "POST",
        ["ports"],
        {"id": ["1"]},
        {"a": 1},
    ]
    assert response.headers["X-More"] == "more"
    assert response.headers["X-Openstack-Request-Id"].startswith("req-")
    assert _ask(stub, "DELETE", "/v2.0/ports/1")[0].status == 204


def test_what_is_not_there_is_a_404(stub):
    """With a body that clients can show."""
    response, body = _ask(stub, "GET", "/gone")

    assert response.status == 404
    assert json.loads(body)["error"]["message"] == "gone"


def test_any_image_is_there():
    """Its schema has all of its fields: glance's client checks."""
    image = glance.answer(Asked("GET", ["images", "1"], {}, {}, {})).body
    schema = glance.answer(Asked("GET", ["schemas", "image"], {}, {}, {})).body

    assert image["id"] == "1"
    assert set(image) == set(schema["properties"])
    with pytest.raises(NotThereError, match="tasks"):
        glance.answer(Asked("GET", ["tasks"], {}, {}, {}))

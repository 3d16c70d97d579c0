# SPDX-License-Identifier: Apache-2.0
"""The stub of keystone."""

from __future__ import annotations

import pytest

from demo import identity
from demo.cloud.stubs.answering import Asked, NotThereError
from demo.cloud.stubs.keystone import answer

HOST = {"Host": "127.0.0.1:5000"}


def _validated(token: str):
    headers = {"X-Subject-Token": token}
    return answer(Asked("GET", ["auth", "tokens"], {}, headers, {})).body


def test_a_service_gets_a_token_that_is_known_afterwards():
    """It leads to keystone itself; the others are named in nova.conf."""
    password = {"user": {"name": "nova", "password": "demo"}}
    body = {"auth": {"identity": {"password": password}}}

    given = answer(Asked("POST", ["auth", "tokens"], {}, HOST, body))

    assert given.status == 201
    (keystone,) = given.body["token"]["catalog"]
    assert keystone["endpoints"][0]["url"] == "http://127.0.0.1:5000/v3"
    token = _validated(given.headers["X-Subject-Token"])["token"]
    assert token["user"]["name"] == "nova"
    assert "service" in {role["name"] for role in token["roles"]}


def test_a_client_s_token_says_whose_it_is():
    """The demo's clients make theirs themselves."""
    token = _validated(identity.token("secret"))["token"]

    assert token["project"]["id"] == identity.PROJECT_ID
    assert token["user"]["id"] == identity.USER_ID
    assert "secret" not in str(token)


@pytest.mark.parametrize("token", ["", "nova", "a:b"])
def test_any_other_token_is_not_there(token):
    """The middleware answers 401 for it."""
    with pytest.raises(NotThereError, match="no such token"):
        _validated(token)


def test_the_version_is_the_third():
    """What asks for versions first finds it."""
    found = answer(Asked("GET", [], {}, HOST, {})).body["version"]

    assert found["id"].startswith("v3")
    assert found["links"][0]["href"] == "http://127.0.0.1:5000/v3/"

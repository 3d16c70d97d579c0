# SPDX-License-Identifier: Apache-2.0
"""Messages have names of topics, methods and objects, and of nothing else."""

from __future__ import annotations

import sys
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imported import imported

from nova_profiler.capture.hooks.rpc.message_names import (
    name_of_call,
    name_of_notification,
)

objects_base = imported("oslo_versionedobjects.base")


@objects_base.VersionedObjectRegistry.register
class Spaceship(objects_base.VersionedObject):
    def save(self):
        """As each object of nova can."""

    @classmethod
    def get_by_uuid(cls):
        """As well."""


def target(topic="conductor", fanout=None):
    return types.SimpleNamespace(topic=topic, fanout=fanout)


def name(method, args=None, waits=True, to=None):
    message = {"method": method, "args": args or {}, "version": "3.0"}
    return name_of_call(to or target(), message, waits)


def primitive(object_name):
    return {
        "nova_object.name": object_name,
        "nova_object.namespace": "nova",
        "nova_object.version": "2.7",
        "nova_object.data": {"admin_pass": "secret"},
    }


@pytest.mark.parametrize(
    ("method", "args", "expected"),
    [
        (
            "object_class_action_versions",
            {"objname": "Spaceship", "objmethod": "get_by_uuid"},
            "Spaceship.get_by_uuid",
        ),
        (
            "object_action",
            {"objinst": primitive("Spaceship"), "objmethod": "save"},
            "Spaceship.save",
        ),
        (
            "object_backport_versions",
            {"objinst": primitive("Spaceship"), "object_versions": {}},
            "Spaceship",
        ),
        (
            "object_class_action_versions",
            {"objname": "Spaceship", "objmethod": "drop_all"},
            "Spaceship.other",
        ),
        (
            "object_class_action_versions",
            {"objname": "NoSuch", "objmethod": "save"},
            "other",
        ),
        ("object_action", {"objinst": primitive("NoSuch")}, "other"),
        ("object_action", {"objinst": {}, "objmethod": "save"}, "other"),
        ("object_action", {"objinst": None}, "other"),
        ("object_action", {}, "other"),
    ],
)
def test_conductor_s_methods_have_the_object_s(method, args, expected):
    """As far as the registry of this process has it."""
    assert name(method, args) == f"conductor {method}.{expected}"


def test_an_object_in_this_process_is_named_too():
    """Where conductor is part of it, objects are handed over as they are."""
    args = {"objinst": Spaceship(), "objmethod": "save"}

    assert name("object_action", args) == (
        "conductor object_action.Spaceship.save"
    )


def test_an_object_of_very_many_keys_is_none():
    """Its name is not looked for among all of them."""

    class Seen(dict):
        read = 0

        def __iter__(self):
            for key in super().__iter__():
                Seen.read += 1
                yield key

    made_up = Seen({f"key{number}": 1 for number in range(100_000)})
    made_up.update(primitive("Spaceship"))

    assert name(
        "object_action", {"objinst": made_up, "objmethod": "save"}
    ) == ("conductor object_action.other")
    assert Seen.read <= 50


def test_without_a_registry_objects_are_other(monkeypatch):
    monkeypatch.delitem(sys.modules, "oslo_versionedobjects.base")

    found = name("object_class_action_versions", {"objname": "Spaceship"})

    assert found == "conductor object_class_action_versions.other"


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        ("compute", "compute"),
        ("compute-alt", "compute-alt"),
        ("cells.0b8ab9d5-5f7a-4c25-8ee1-4e3d8e7b3c4e", "cells.{id}"),
        ("host17", "{id}"),
        ("a" * 500, "other"),
        ("tok\nen", "other"),
        (None, "other"),
        (7, "other"),
    ],
)
def test_a_topic_has_no_ids(topic, expected):
    assert name("ping", to=target(topic)) == f"{expected} ping"


@given(st.text() | st.none() | st.integers() | st.lists(st.text()))
def test_any_method_gives_a_name(method):
    """An identifier is one; of all else nothing is left."""
    found = name(method)

    kept = isinstance(method, str) and method.isidentifier()
    kept = kept and method.isascii() and len(method) <= 80
    assert found == f"conductor {method if kept else 'other'}"


def test_kinds():
    """What waits for an answer needs no word for it."""
    assert name("ping", waits=None) == "conductor ping cast"
    to = target(fanout=True)
    assert name("ping", waits=False, to=to) == "conductor ping fanout"


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("instance.create.start", "instance.create.start"),
        ("scheduler", "scheduler"),
        ("instance create", "other"),
        ("a..b", "other"),
        ("x" * 300, "other"),
        (None, "other"),
    ],
)
def test_notifications_are_named_by_their_event(event, expected):
    message = {"event_type": event, "payload": {"secret": 1}}

    found = name_of_notification(target("notifications.info"), message)

    assert found == f"notifications.info {expected} notify"


def test_what_is_no_message_is_other():
    assert name_of_call(target(), None, True) == "conductor other"
    assert name_of_notification(target(), b"x") == "conductor other notify"

# SPDX-License-Identifier: Apache-2.0
"""Whether the filter can write: to its host, directory and file."""

from __future__ import annotations

import os
import pwd
import queue
import socket
import threading
from collections.abc import Callable

from nova_profiler.reading.setup import OK, WARNING, WRONG, Point

# Longer than a working name server takes.
LOOK_UP_S = 3.0


def statsd_point(host: str | None, port: int) -> Point:
    """Return whether the statsd host has an address."""
    name = "statsd_host"
    if not host:
        return Point(OK, name, "unset: no metrics are sent")
    answers: queue.SimpleQueue[str | OSError] = queue.SimpleQueue()
    threading.Thread(
        target=_look_up, args=(host, port, answers.put), daemon=True
    ).start()
    try:
        answer = answers.get(timeout=LOOK_UP_S)
    except queue.Empty:
        answer = OSError(0, f"no answer within {LOOK_UP_S:.0f} s")
    if isinstance(answer, OSError):
        return Point(
            WRONG,
            name,
            f"{host} has no address: {answer.strerror}",
            ("statsd_host = 127.0.0.1", "or mend DNS, or /etc/hosts"),
        )
    return Point(OK, name, f"{host} is {answer}, port {port}")


def _look_up(
    host: str, port: int, put: Callable[[str | OSError], None]
) -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        put(str(found[0][4][0]))
    except OSError as exc:
        put(exc)
    except ValueError:
        put(OSError(0, "it is not a host's name"))


def dump_dir_point(path: str | None) -> Point:
    """Return whether dumps can be written to the directory *path*."""
    name = "dump_dir"
    if not path:
        return Point(OK, name, "unset: no dumps are kept")
    remedy = (f"install -d -m 0700 -o nova -g nova {path}", _RUN_AS)
    if os.path.lexists(path) and not os.path.isdir(path):
        found = f"{path} is not a directory"
        return Point(WRONG, name, found, ("choose another dump_dir",))
    return _writable_point(name, path, remedy)


def log_file_point(path: str | None) -> Point:
    """Return whether lines can be appended to the file *path*."""
    name = "log_file"
    if not path:
        return Point(OK, name, "unset: no file of JSON lines")
    if os.path.isdir(path):
        found = f"{path} is a directory"
        return Point(WRONG, name, found, (f"log_file = {path}/nova.json",))
    folder = os.path.dirname(os.path.abspath(path))
    if os.path.exists(path):
        return _writable_point(name, path, (f"chown nova {path}", _RUN_AS))
    remedy = (f"install -d -m 0750 -o nova -g nova {folder}", _RUN_AS)
    return _writable_point(name, folder, remedy)


_RUN_AS = "or run this as nova-api's user: sudo -u nova nova-profiler check"


def _writable_point(name: str, path: str, remedy: tuple[str, ...]) -> Point:
    user = user_name(os.geteuid())
    there = path
    while not os.path.lexists(there):
        there = os.path.dirname(os.path.abspath(there))
    owner = _owner_of(there)
    needed = os.W_OK if os.path.isfile(there) else os.W_OK | os.X_OK
    if not os.access(there, needed):
        found = f"{user} may not write to {there}, which is {owner}'s"
        return Point(WRONG, name, found, remedy)
    if user == owner == "root" and _is_user("nova"):
        found = f"{there} is root's; nova-api mostly runs as nova"
        return Point(WARNING, name, found, remedy)
    if there != path:
        found = f"{path} is made when needed, if nova-api is {user}"
        return Point(OK, name, found)
    return Point(OK, name, f"{path} is {owner}'s, {user} may write to it")


def _owner_of(path: str) -> str:
    try:
        return user_name(os.stat(path).st_uid)
    except OSError:
        return "an unknown user"


def user_name(uid: int | None = None) -> str:
    """Return the name of a user, of the one that runs this without *uid*."""
    uid = os.geteuid() if uid is None else uid
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True

# SPDX-License-Identifier: Apache-2.0
"""Whether the filter can write: to its host, directory and file."""

from __future__ import annotations

import errno
import importlib.util
import os
import pwd
import queue
import shlex
import socket
import stat
import threading
from collections.abc import Callable

from nova_profiler.command_name import command_name
from nova_profiler.reading.setup import OK, WARNING, WRONG, Point
from nova_profiler.trust.folders import fault_of, user_name

# Longer than a working name server takes.
LOOK_UP_S = 3.0


def statsd_point(host: str | None, port: int) -> Point:
    """Return whether the statsd host has an address."""
    name = "statsd_host"
    if not host:
        return Point(OK, name, "unset: no metrics are sent")
    answer = _within_time(_look_up, host, port)
    if isinstance(answer, OSError):
        return Point(
            WRONG,
            name,
            f"{host} has no address: {answer.strerror}",
            ("statsd_host = 127.0.0.1", "or mend DNS, or /etc/hosts"),
        )
    return Point(OK, name, f"{host} is {answer}, port {port}")


def statsd_socket_point(path: str, socket_name: str) -> Point:
    """Return whether statsd listens at the socket *path*.

    *socket_name* is what the system calls it.
    """
    name = "statsd_host"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as tried:
            tried.connect(socket_name)
    except OSError as exc:
        reason = _SOCKET_REASONS.get(exc.errno or 0, exc.strerror)
        return Point(
            WRONG,
            name,
            f"{path}: {reason}; metrics are lost",
            (
                f"have statsd listen at {path}",
                "or statsd_host = 127.0.0.1",
            ),
        )
    return Point(OK, name, f"statsd listens at {path}")


_SOCKET_REASONS = {
    errno.ENOENT: "no such socket",
    errno.ECONNREFUSED: "nothing listens at this socket",
    errno.EPROTOTYPE: "a socket for streams, and not one for datagrams",
    errno.EACCES: "this user may not send to this socket",
}


def otlp_point(host: str | None, port: int) -> Point:
    """Return whether a Collector listens at *host*, which gets no message."""
    name = "otlp_endpoint"
    if not host:
        return Point(OK, name, "unset: nothing is sent by OTLP")
    try:
        has_extra = importlib.util.find_spec("opentelemetry.proto") is not None
    except ModuleNotFoundError:
        has_extra = False
    if not has_extra:
        return Point(
            WRONG,
            name,
            "opentelemetry-proto is missing: the service does not start",
            ("pip install 'nova-profiler[otlp]'",),
        )
    answer = _within_time(_connect, host, port)
    if isinstance(answer, OSError):
        return Point(
            WRONG,
            name,
            f"{host} port {port}: {answer.strerror or answer}; nothing is "
            "sent",
            ("start the Collector there", "or mend otlp_endpoint"),
        )
    return Point(OK, name, f"{host} port {port} takes connections")


def _within_time(
    ask: Callable[[str, int, Callable[[str | OSError], None]], None],
    host: str,
    port: int,
) -> str | OSError:
    """Return what *ask* finds; name servers may not answer for minutes."""
    answers: queue.SimpleQueue[str | OSError] = queue.SimpleQueue()
    threading.Thread(
        target=ask, args=(host, port, answers.put), daemon=True
    ).start()
    try:
        return answers.get(timeout=LOOK_UP_S)
    except queue.Empty:
        return OSError(0, f"no answer within {LOOK_UP_S:.0f} s")


def _connect(
    host: str, port: int, put: Callable[[str | OSError], None]
) -> None:
    try:
        with socket.create_connection((host, port), LOOK_UP_S):
            put(host)
    except OSError as exc:
        put(exc)
    except ValueError:
        put(OSError(0, "it is not a host's name"))


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
    remedy = (
        f"install -d -m 0700 -o nova -g nova {shlex.quote(path)}",
        _run_as(),
    )
    if os.path.lexists(path) and not os.path.isdir(path):
        found = f"{path} is not a directory"
        return Point(WRONG, name, found, ("choose another dump_dir",))
    fault = fault_of(path)
    if fault is not None:
        return Point(WRONG, name, f"no dumps: {fault}", remedy)
    return _writable_point(name, path, remedy)


def log_file_point(path: str | None, number: int | None = None) -> Point:
    """Return whether lines can be appended to the file *path*.

    *number* is the descriptor that the path leads to, if it leads to one.
    """
    name = "log_file"
    if not path:
        return Point(OK, name, "unset: no file of JSON lines")
    if number is not None:
        return _descriptor_point(path, number)
    if _is_socket(path):
        found = f"{path} is a socket, which takes no lines"
        return Point(WRONG, name, found, ("log_file = /dev/stdout",))
    if os.path.isdir(path):
        found = f"{path} is a directory"
        return Point(WRONG, name, found, (f"log_file = {path}/nova.json",))
    folder = os.path.dirname(os.path.abspath(path))
    if os.path.exists(path):
        remedy = (f"chown nova {shlex.quote(path)}", _run_as())
        return _writable_point(name, path, remedy)
    quoted = shlex.quote(folder)
    remedy = (f"install -d -m 0750 -o nova -g nova {quoted}", _run_as())
    return _writable_point(name, folder, remedy)


def _descriptor_point(path: str, number: int) -> Point:
    """Return what is known of a descriptor that only the service has."""
    stream = {1: "output", 2: "error"}.get(number)
    if stream is not None:
        found = f"{path} is the service's own standard {stream}"
        return Point(OK, "log_file", found)
    found = f"{path} is descriptor {number} of the service, not of this check"
    return Point(WARNING, "log_file", found, ("log_file = /dev/stdout",))


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def _run_as() -> str:
    return (
        f"or run this as nova-api's user: sudo -u nova {command_name()} check"
    )


def _writable_point(name: str, path: str, remedy: tuple[str, ...]) -> Point:
    user = user_name(os.geteuid())
    there = path
    while not os.path.lexists(there):
        there = os.path.dirname(os.path.abspath(there))
    owner = _owner_of(there)
    # A folder is entered as well; a pipe or a device is not.
    needed = os.W_OK | os.X_OK if os.path.isdir(there) else os.W_OK
    if not os.access(there, needed):
        found = f"{user} may not write to {there}, which is {owner}'s"
        return Point(WRONG, name, found, remedy)
    if user == owner == "root" and _is_user("nova") and not _is_open(there):
        found = f"{there} is root's; nova-api mostly runs as nova"
        return Point(WARNING, name, found, remedy)
    if there != path:
        found = f"{path} is made when needed, if nova-api is {user}"
        return Point(OK, name, found)
    return Point(OK, name, f"{path} is {owner}'s, {user} may write to it")


def _is_open(path: str) -> bool:
    """Return whether any user may write to *path*, such as /dev/null."""
    return bool(os.stat(path).st_mode & stat.S_IWOTH)


def _owner_of(path: str) -> str:
    try:
        return user_name(os.stat(path).st_uid)
    except OSError:
        return "an unknown user"


def _is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True

# SPDX-License-Identifier: Apache-2.0
"""Functions of a profile: what each is, and whether it waits."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from nova_profiler.profiles import WAITING, WAITING_STATES

# The code that its developers can change; the rest are libraries.
OWN_PACKAGE = "nova"

_LIBRARIES = re.compile(
    r".*/(?:(?:site|dist)-packages|lib(?:64)?/python[0-9.]+t?)/(?=[^/])",
    re.DOTALL,
)
# A checkout has its package in a directory of the same name.
_CHECKOUT = re.compile(r".*/([^/]+)/(?=\1/)", re.DOTALL)
_BUILT_IN = ("", "~", "<built-in>")

_METHOD = re.compile(r"<method '(\w+)' of '([\w.]+)' objects>")
_BUILT_IN_NAME = re.compile(r"<built-in method (?:([\w.]+)\.)?(\w+)>")

# Built-in functions in which a thread does nothing but wait, by class and
# name or by module and name. A socket's recv is not among them: behind it a
# database or a service is at work for the request.
_WAITS = frozenset(
    """
    lock.acquire lock.__enter__ RLock.acquire RLock.__enter__
    _ThreadHandle.join SimpleQueue.get greenlet.switch socket.accept
    epoll.poll poll.poll devpoll.poll select.select select.poll
    select.epoll.poll time.sleep posix.waitpid posix.wait4 posix.waitid
    """.split()
)
# pyinstrument names functions of built-in modules without their module.
_BARE_WAITS = frozenset({"sleep", "select", "waitpid", "wait4", "waitid"})

# Python functions that only call one of those: a sampler that sees no built-in
# functions finds these on top of a waiting thread.
_PYTHON_WAITS = frozenset(
    {
        ("threading.py", "wait"),
        ("threading.py", "join"),
        ("threading.py", "_wait_for_tstate_lock"),
        ("selectors.py", "select"),
        ("subprocess.py", "_try_wait"),
        ("eventlet/hubs/hub.py", "switch"),
        ("eventlet/hubs/poll.py", "do_poll"),
        ("eventlet/hubs/epolls.py", "do_poll"),
        ("os_brick/utils.py", "_sleep"),
    }
)

# What decorators call the function that they put round another one.
_AROUND = frozenset(
    """
    wrapper _wrapper wrapped _wrapped wrap inner _inner __inner decorator
    _decorator decorated _decorated wrapped_func wrapped_f
    """.split()
)


class Function(NamedTuple):
    """A function as pstats knows it; equal to the plain tuple."""

    file: str
    line: int
    name: str

    @property
    def is_built_in(self) -> bool:
        """Return whether it has no source."""
        return self.file in _BUILT_IN

    @property
    def module(self) -> str:
        """Return its module, empty for what is built in."""
        return module_of(short_file(self.file))

    @property
    def label(self) -> str:
        """Return ``nova.compute.api:API.rebuild``."""
        name = self.name.replace(".<locals>", "")
        module = self.module
        return f"{module}:{name}" if module else name

    @property
    def place(self) -> str:
        """Return ``nova/compute/api.py:3512``, empty for built-in code."""
        if self.is_built_in:
            return ""
        return f"{short_file(self.file)}:{self.line}"

    @property
    def short_place(self) -> str:
        """Return ``api.py:3512``, which beside the label is enough."""
        return self.place.rpartition("/")[2]

    @property
    def is_own(self) -> bool:
        """Return whether nova's developers wrote it."""
        return self.module.partition(".")[0] == OWN_PACKAGE

    @property
    def is_telling(self) -> bool:
        """Return whether nova's developers know what it is.

        A decorator's inner function is round many others, and means none of
        them.
        """
        return self.is_own and self.name.rpartition(".")[2] not in _AROUND

    @property
    def is_wait(self) -> bool:
        """Return whether a thread in it does nothing but wait."""
        return self.file in _BUILT_IN and _is_wait(self.name)

    @property
    def waits_on_top(self) -> bool:
        """Return whether a thread waits that has it on top of its stack.

        In counted calls, its own time is work, unlike a built-in function's.
        """
        name = self.name.rpartition(".")[2]
        return self.is_wait or (short_file(self.file), name) in _PYTHON_WAITS

    def waits(self, by_name: bool) -> bool:
        """Return whether a thread waits that has it on top of its stack.

        *by_name* is whether a function of Python's can wait by its name:
        elsewhere the stack itself has a frame that says so, and sleep(0)
        does not wait.
        """
        return self.waits_on_top if by_name else self.is_wait


@lru_cache(maxsize=20_000)
def short_file(path: str) -> str:
    """Return *path* from its package on: ``nova/compute/api.py``.

    The same wherever the package is installed, so that profiles of two
    machines can be compared. What is in no known place stays as it is.
    """
    for pattern in (_LIBRARIES, _CHECKOUT):
        match = pattern.match(path)
        if match is not None:
            return path[match.end() :]
    return path


@lru_cache(maxsize=20_000)
def module_of(short: str) -> str:
    """Return the module that a file from its package on is."""
    if short in _BUILT_IN or short.startswith("<"):
        return ""
    # Of a file that is in no known place only its own name is certain.
    known = short.rpartition("/")[2] if short.startswith("/") else short
    parts = known.removesuffix(".py").split("/")
    if len(parts) > 1 and parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts)


@lru_cache(maxsize=5_000)
def _is_wait(name: str) -> bool:
    if (
        name == WAITING
        or name in WAITING_STATES
        or name in _WAITS
        or name in _BARE_WAITS
    ):
        return True
    match = _METHOD.fullmatch(name)
    if match is not None:
        owner = match[2].rpartition(".")[2]
        return f"{owner}.{match[1]}" in _WAITS
    match = _BUILT_IN_NAME.fullmatch(name)
    return match is not None and f"{match[1]}.{match[2]}" in _WAITS

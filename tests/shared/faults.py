# SPDX-License-Identifier: Apache-2.0
"""Faults at the instructions of our own functions, one at a time.

A *place* is an instruction of ours that may raise: it calls, makes or looks
up something. What calls the application is none: whether that could be called
is between the application and the interpreter.
"""

from __future__ import annotations

import ast
import dis
import functools
import linecache
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any, NamedTuple

from nova_profiler import OWN_FOLDER

# Instructions that only move values or jump have no reason to raise, and
# neither have attributes of ours: they are there, and take what comes.
_MAY_RAISE = (
    "BEFORE_WITH",
    "BINARY_",
    "BUILD_",
    "CALL",
    "COMPARE_OP",
    "CONTAINS_OP",
    "DELETE_ATTR",
    "DELETE_SUBSCR",
    "DICT_",
    "FOR_ITER",
    "FORMAT_",
    "GET_ITER",
    "IMPORT_",
    "INPLACE_",
    "LIST_",
    "LOAD_ATTR",
    "LOAD_METHOD",
    "MAKE_FUNCTION",
    "MAP_ADD",
    "SET_",
    "SETUP_WITH",
    "STORE_SUBSCR",
    "UNARY_",
    "UNPACK_",
)


_OURS = frozenset(
    "self exchange lane capture worker live settings step timing part".split()
)


# __exit__(None, None, None).
_NONES_OF_EXIT = 2
_CALLS = ("CALL", "CALL_FUNCTION")


class Injected(MemoryError):
    """What is raised in our code, and nowhere else."""


class Place(NamedTuple):
    """An instruction of ours, at *offset* of *code*."""

    code: CodeType
    offset: int
    line: int

    @property
    def is_call(self) -> bool:
        """Return whether something is called there."""
        name = _names_of(self.code)[self.offset]
        # An intrinsic makes the arguments of a call.
        return name.startswith("CALL") and "INTRINSIC" not in name

    @property
    def text(self) -> str:
        """Return its line of the source."""
        return linecache.getline(self.code.co_filename, self.line).strip()

    def __str__(self) -> str:
        path = self.code.co_filename.removeprefix(OWN_FOLDER)
        name = _names_of(self.code)[self.offset]
        return f"{path}:{self.line} {self.code.co_name} {self.offset} {name}"


def places_in(
    work: Callable[[], object], is_theirs: Callable[[CodeType], bool]
) -> list[Place]:
    """Return the places that *work* comes by, in order.

    *is_theirs* knows the code of what our functions call for others.
    """
    look = _Look(is_theirs)
    with _traced(look):
        work()
    return look.places()


def failing(place: Place, work: Callable[[], object]) -> bool:
    """Do *work*, with a fault when it first comes by *place*.

    Returns whether it did.
    """
    fault = _Fault(place)
    with _traced(fault):
        work()
    return fault.has_raised


class _Look:
    """Sees which instructions of ours are executed."""

    def __init__(self, is_theirs: Callable[[CodeType], bool]) -> None:
        self._is_application = functools.cache(is_theirs)
        self._seen: dict[Place, None] = {}
        # Statements that called the application, and the calls in them.
        self._statements: set[tuple[str, int]] = set()
        self._calls: set[tuple[CodeType, int]] = set()

    def __call__(self, frame: FrameType, event: str, arg: Any) -> Any:
        code = frame.f_code
        if self._is_application(code):
            self._note_callers(frame)
        if not code.co_filename.startswith(OWN_FOLDER):
            return None
        frame.f_trace_lines = False
        frame.f_trace_opcodes = True
        return self._instruction

    def _instruction(self, frame: FrameType, event: str, arg: Any) -> Any:
        code, offset = frame.f_code, frame.f_lasti
        if event == "opcode" and offset in _names_of(code):
            self._seen[Place(code, offset, frame.f_lineno)] = None
        return self._instruction

    def _note_callers(self, frame: FrameType) -> None:
        caller = frame.f_back
        while caller is not None:
            code = caller.f_code
            if code.co_filename.startswith(OWN_FOLDER):
                line = caller.f_lineno
                self._statements.add(_statement(code.co_filename, line))
                self._calls.add((code, _at(code, caller.f_lasti)))
            caller = caller.f_back

    def places(self) -> list[Place]:
        return [place for place in self._seen if not self._is_theirs(place)]

    def _is_theirs(self, place: Place) -> bool:
        found = _statement(place.code.co_filename, place.line)
        if found not in self._statements:
            return False
        # Other calls in such a statement are ours.
        is_theirs = (place.code, place.offset) in self._calls
        return is_theirs or not place.is_call


class _Fault:
    """Raises once, at one place."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self.has_raised = False

    def __call__(self, frame: FrameType, event: str, arg: Any) -> Any:
        if frame.f_code is not self._place.code or self.has_raised:
            return None
        frame.f_trace_lines = False
        frame.f_trace_opcodes = True
        return self._instruction

    def _instruction(self, frame: FrameType, event: str, arg: Any) -> Any:
        if (
            event == "opcode"
            and frame.f_lasti == self._place.offset
            and not self.has_raised
        ):
            self.has_raised = True
            raise Injected(str(self._place))
        return self._instruction


@contextmanager
def _traced(trace: Any) -> Iterator[None]:
    # A raise turns tracing off by itself.
    before = sys.gettrace()
    threading.settrace(trace)
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)
        threading.settrace(before)  # type: ignore[arg-type]


@functools.cache
def _names_of(code: CodeType) -> dict[int, str]:
    """Return the instructions of *code* that may raise, by offset."""
    names: dict[int, str] = {}
    is_ours = False
    nones = 0
    for one in dis.get_instructions(code):
        if one.opname in ("LOAD_ATTR", "PRECALL") and is_ours:
            continue
        # The end of a with statement, which lets go of a lock.
        is_exit = one.opname in _CALLS and nones >= _NONES_OF_EXIT
        if one.opname.startswith(_MAY_RAISE) and not is_exit:
            names[one.offset] = one.opname
        is_ours = one.opname.startswith("LOAD_") and one.argval in _OURS
        is_none = one.opname == "LOAD_CONST" and one.argval is None
        if is_none or (one.opname == "DUP_TOP" and nones):
            nones += 1
        elif one.opname != "PRECALL":
            nones = 0
    return names


def _at(code: CodeType, offset: int) -> int:
    """Return the instruction at *offset*, which may be within its cache."""
    return max(
        one.offset
        for one in dis.get_instructions(code)
        if one.offset <= offset
    )


def _statement(path: str, line: int) -> tuple[str, int]:
    """Return where the statement begins that has *line*."""
    return path, _statements_of(path).get(line, line)


@functools.cache
def _statements_of(path: str) -> dict[int, int]:
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    begins: dict[int, int] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.stmt):
            continue
        body = getattr(node, "body", None)
        last = body[0].lineno - 1 if body else node.end_lineno
        for line in range(node.lineno, (last or node.lineno) + 1):
            begins[line] = node.lineno
    return begins

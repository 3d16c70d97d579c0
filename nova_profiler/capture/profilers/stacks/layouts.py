# SPDX-License-Identifier: Apache-2.0
"""Where CPython keeps its stacks, in bytes, by version.

Up to 3.12 the offsets are a table, printed with offsetof() from the headers
of that version. 3.13 states its own, in the symbol _PyRuntime. All are for
64 bits and a Python with GIL. A number here may still be wrong for a patch
release or a build: the start test decides, this table does not.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from typing import NamedTuple

# Where the conditions and mutexes lie within the GIL, a thread that waits
# for one of them waits for the GIL.
GIL_WAITS_FROM, GIL_WAITS_UNTIL = 32, 208

_COOKIE = b"xdebugpy"
_WORDS = struct.Struct("<77Q")


class LayoutError(ValueError):
    """This Python keeps its stacks in a way that is not known here."""


class Layout(NamedTuple):
    """Offsets within a thread state, a frame, a code object and a text."""

    thread_frame: int
    frame_code: int
    frame_previous: int
    frame_instruction: int
    code_first_line: int
    code_file: int
    code_name: int
    code_lines: int
    # Where a code object's instructions begin; 0: a frame has the number of
    # its instruction, and no address.
    code_start: int
    text_ascii: int
    text_other: int
    # Of the GIL: in _PyRuntime, or of a pointer to it in the interpreter.
    gil_in_runtime: int = 0
    gil_in_interpreter: int = 0
    # Where the frame is, in what thread_frame points to; -1: it points to
    # the frame.
    frame_in_cframe: int = -1
    # The data stack's chunk in use and its top; -1: frames lie on the heap.
    thread_chunk: int = -1
    thread_top: int = -1
    # Who owns a frame; -1: all are Python's own.
    frame_owner: int = -1

    @property
    def is_on_heap(self) -> bool:
        """Return whether each frame is an object of its own."""
        return self.thread_chunk < 0


# Of a text, the same in all of these versions.
TEXT_LENGTH, TEXT_STATE = 16, 32
# Of a bytes object: its length and where its content begins.
BYTES_LENGTH, BYTES_CONTENT = 16, 32
# Of every object: its type.
OBJECT_TYPE = 8
# Of a chunk of the data stack: its size, and where its frames begin.
CHUNK_SIZE, CHUNK_DATA = 8, 24
# Of a greenlet: what holds its frame while it does not run.
GREENLET_STATE = 32

_TABLE = {
    (3, 10): Layout(
        thread_frame=24,
        frame_code=32,
        frame_previous=24,
        frame_instruction=96,
        code_first_line=40,
        code_file=104,
        code_name=112,
        code_lines=120,
        code_start=0,
        text_ascii=48,
        text_other=72,
        gil_in_runtime=352,
    ),
    (3, 11): Layout(
        thread_frame=56,
        frame_in_cframe=8,
        thread_chunk=296,
        thread_top=304,
        frame_code=32,
        frame_previous=48,
        frame_instruction=56,
        frame_owner=69,
        code_first_line=72,
        code_file=112,
        code_name=128,
        code_lines=136,
        code_start=184,
        text_ascii=48,
        text_other=72,
        gil_in_runtime=360,
    ),
    (3, 12): Layout(
        thread_frame=56,
        frame_in_cframe=0,
        thread_chunk=232,
        thread_top=240,
        frame_code=0,
        frame_previous=8,
        frame_instruction=56,
        frame_owner=70,
        code_first_line=68,
        code_file=112,
        code_name=128,
        code_lines=136,
        code_start=192,
        text_ascii=40,
        text_other=56,
        gil_in_interpreter=384,
    ),
}


def layout_here() -> Layout:
    """Return this interpreter's layout; raises LayoutError without one."""
    name = sys.implementation.name
    if name != "cpython" or sys.maxsize < 2**32:
        raise LayoutError(f"{name} of {sys.maxsize.bit_length() + 1} bits")
    known = _TABLE.get(sys.version_info[:2])
    if known is not None:
        return known
    return layout_stated(
        ctypes.string_at(_runtime(), len(_COOKIE) + _WORDS.size)
    )


def layout_stated(raw: bytes) -> Layout:
    """Return the layout in _PyRuntime's first bytes, *raw*.

    Raises LayoutError for a version whose statement is not known here, and
    for a Python without GIL.
    """
    version = "{}.{}".format(*sys.version_info[:2])
    if not raw.startswith(_COOKIE) or len(raw) < len(_COOKIE) + _WORDS.size:
        raise LayoutError(f"Python {version} does not state its layout")
    hexversion, is_free_threaded, *words = _WORDS.unpack_from(
        raw, len(_COOKIE)
    )
    if hexversion >> 16 != 0x030D:
        raise LayoutError(f"Python {version} is not one that is known")
    if is_free_threaded:
        raise LayoutError("a Python without GIL")
    # Three words of the runtime come first.
    interpreter, thread = words[3:16], words[16:25]
    frame, code = words[25:31], words[31:41]
    return Layout(
        thread_frame=thread[4],
        thread_chunk=thread[7],
        thread_top=thread[7] + 8,
        frame_previous=frame[1],
        frame_code=frame[2],
        frame_instruction=frame[3],
        frame_owner=frame[5],
        code_file=code[1],
        code_name=code[3],
        code_lines=code[4],
        code_first_line=code[5],
        code_start=code[9],
        text_ascii=40,
        text_other=56,
        gil_in_interpreter=interpreter[8],
    )


def gil_here(layout: Layout) -> int:
    """Return the address of the GIL of this process."""
    if layout.gil_in_runtime:
        return _runtime() + layout.gil_in_runtime
    interpreter = ctypes.pythonapi.PyInterpreterState_Get
    interpreter.restype = ctypes.c_void_p
    at = interpreter() + layout.gil_in_interpreter
    return ctypes.c_uint64.from_address(at).value


def _runtime() -> int:
    runtime = ctypes.c_char.in_dll(ctypes.pythonapi, "_PyRuntime")
    return ctypes.addressof(runtime)

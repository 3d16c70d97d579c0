# SPDX-License-Identifier: Apache-2.0
"""Lines by instruction, beside what the interpreter itself states."""

from __future__ import annotations

import ast
import inspect
import json.decoder
import sys
import textwrap
from types import CodeType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_profiler.capture.profilers.stacks.reader.code.line_tables import (
    line_310,
    line_311,
)


def codes_in(code):
    """Yield *code* and all that it has inside."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes_in(constant)


@pytest.mark.parametrize("module", [ast, inspect, json.decoder, textwrap])
def test_each_instruction_has_the_line_that_the_interpreter_states(module):
    """Of whole modules, with all that compilers do."""
    code = compile(inspect.getsource(module), "file", "exec")
    for one in codes_in(code):
        for start, end, line in one.co_lines():
            for offset in range(start, end, 2):
                if sys.version_info >= (3, 11):
                    found = line_311(
                        one.co_linetable, one.co_firstlineno, offset
                    )
                else:
                    found = line_310(
                        one.co_linetable, one.co_firstlineno, offset // 2
                    )
                assert found == (line or 0), (one.co_name, offset)


@given(st.binary(max_size=50), st.integers(0, 2**64 - 1))
def test_any_bytes_have_some_line_or_none(table, offset):
    """What was torn, or never a table, raises nothing."""
    assert isinstance(line_311(table, 1, offset), int)
    assert isinstance(line_310(table, 1, offset), int)

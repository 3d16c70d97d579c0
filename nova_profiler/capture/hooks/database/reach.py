# SPDX-License-Identifier: Apache-2.0
"""Which functions of a DB API module only check what they are given.

``is_admin_context`` and its like stand among the functions of the DB API and
reach no database. That is read from their name and their code, once, at the
start: what is not certain counts as reaching it.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import re
import textwrap
import types
from collections.abc import Callable
from typing import Any

# What a check is called: is_admin_context, authorize_project_context.
_CHECK = re.compile(r"(?:authorize|can|check|has|is|require|validate)_")
# Built in, and looking into nothing that was handed over: list() of a query
# would execute it.
_BUILTINS = frozenset(
    "bool float hasattr int isinstance issubclass repr str type".split()
)
# Methods of texts; no session has one of these.
_METHODS = frozenset(
    "endswith format lower lstrip replace rsplit rstrip split startswith "
    "strip upper".split()
)
# Where functions come from that translate, log and warn.
_HARMLESS = ("oslo_i18n", "oslo_log", "logging", "warnings")
# What may run code of a value: a query is executed when it is looped over.
_LOOKING_IN = (
    ast.With,
    ast.For,
    ast.comprehension,
    ast.Starred,
    ast.Await,
    ast.Yield,
    ast.YieldFrom,
)
# Comparisons that do not loop over a value, as "in" does.
_COMPARING = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot, ast.Lt, ast.LtE, ast.Gt)


def reaches_database(function: Callable[..., Any]) -> bool:
    """Return False for a check whose code cannot reach a database."""
    if not _CHECK.match(function.__name__):
        return True
    return not _is_harmless(function, frozenset())


def _is_harmless(function: Any, callers: frozenset[Any]) -> bool:
    """Return whether *function*, called by *callers*, calls only the harmless.

    One that is wrapped, closes over anything or has no source is not.
    """
    if not isinstance(function, types.FunctionType) or function in callers:
        return False
    if function.__closure__ or hasattr(function, "__wrapped__"):
        return False
    known = function.__globals__
    # Cheap, and enough for nearly all: the source is read for few.
    if not all(
        _is_plain(known[name], callers | {function})
        for name in function.__code__.co_names
        if name in known
    ):
        return False
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError, ValueError):
        return False
    return all(
        _is_harmless_node(node, known, callers | {function})
        for node in ast.walk(tree)
    )


def _is_plain(value: Any, callers: frozenset[Any]) -> bool:
    """Return whether *value*, a global of a function, reaches nothing."""
    if isinstance(value, types.ModuleType):
        # What is called of it is looked at where it is called.
        return True
    if isinstance(value, type):
        return _is_error(value)
    if isinstance(value, types.FunctionType) and not _comes_harmless(value):
        return _is_harmless(value, callers)
    is_constant = isinstance(value, (str, bytes, int, float, tuple, frozenset))
    return is_constant or _comes_harmless(value)


def _is_error(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, BaseException)


def _comes_harmless(value: Any) -> bool:
    if isinstance(value, types.ModuleType):
        module = value.__name__
    else:
        module = getattr(value, "__module__", None) or type(value).__module__
    return str(module).partition(".")[0] in _HARMLESS


def _is_harmless_node(
    node: ast.AST, known: dict[str, Any], callers: frozenset[Any]
) -> bool:
    if isinstance(node, _LOOKING_IN):
        return False
    if isinstance(node, ast.cmpop):
        return isinstance(node, _COMPARING)
    if not isinstance(node, ast.Call):
        return True
    called = node.func
    if isinstance(called, ast.Name):
        # A parameter may be anything.
        if called.id in known:
            return _is_plain(known[called.id], callers)
        return called.id in _BUILTINS or _is_error(
            getattr(builtins, called.id, None)
        )
    if not isinstance(called, ast.Attribute):
        return False
    if isinstance(called.value, ast.Name) and called.value.id in known:
        owner = known[called.value.id]
        found = getattr(owner, called.attr, None)
        return (
            _is_error(found)
            or _comes_harmless(owner)
            or _comes_harmless(found)
        )
    return called.attr in _METHODS

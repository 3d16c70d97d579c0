# SPDX-License-Identifier: Apache-2.0
"""What stands before a hook's wrapper, and has the original's parameters.

A wrapper of all that may come has keywords packed into a dict and unpacked
again. Outside any request that takes longer than all else in it. A function
with the very parameters of the original passes them on as they are.
"""

from __future__ import annotations

import builtins
import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any

from nova_profiler.capture.current import active
from nova_profiler.capture.failures import HOOK_FAILURES

_WRITTEN_OUT = {
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    inspect.Parameter.KEYWORD_ONLY,
    inspect.Parameter.VAR_KEYWORD,
}
# Of names in the made function that are not the original's.
_OWN = "_front_"

_TEXT = """\
def front({parameters}):
    _front_given = None
    try:
        if _front_active:
            _front_given = {{{more}}}
{given}
    except _front_exception as _front_fault:
        _front_given = None
        _front_note("hook", _front_fault)
    if _front_given is None:
{whole}
    return _front_wrapper({required}**_front_given)
"""
_WHOLE = "        return _front_original({all})"
# Without a dict the call is several times quicker.
_MORE = """\
        if {more}:
            return _front_original({all}, **{more})
        return _front_original({all})"""
_GIVEN = """\
            if {name} is not _front_of_{name}:
                _front_given["{name}"] = {name}"""


def with_front(
    wrap: Callable[[Any], Callable[..., Any]],
) -> Callable[[Any], Callable[..., Any]]:
    """Return a function that makes what *wrap* does, with a front before it.

    *wrap* gets a function; its wrapper is called while any request is on. It
    gets what has no default by place, and by name what differs from its
    default.
    """

    def wrap_with_front(original: Any) -> Callable[..., Any]:
        wrapper = wrap(original)
        parameters = _parameters(original)
        if parameters is None:
            return wrapper
        return _front(original, wrapper, parameters)

    return wrap_with_front


def _parameters(function: Any) -> list[inspect.Parameter] | None:
    """Return its parameters; None if they cannot be written out again."""
    if type(function) is not FunctionType or "__signature__" in vars(function):
        # What another agent has put there may take anything, and its
        # signature may be that of what is below it.
        return None
    signature = inspect.signature(function, follow_wrapped=False)
    parameters = list(signature.parameters.values())
    if any(
        one.kind not in _WRITTEN_OUT or one.name.startswith(_OWN)
        for one in parameters
    ):
        return None
    return parameters


def _front(
    original: FunctionType,
    wrapper: Callable[..., Any],
    parameters: list[inspect.Parameter],
) -> Callable[..., Any]:
    names: dict[str, Any] = {
        "__name__": __name__,
        "__builtins__": builtins,
        "_front_active": active,
        "_front_exception": Exception,
        "_front_note": HOOK_FAILURES.note,
        "_front_original": original,
        "_front_wrapper": wrapper,
    }
    text = _text(parameters)
    for one in parameters:
        if one.default is not one.empty:
            names[f"{_OWN}of_{one.name}"] = one.default
    # Of identifiers alone: an inspected signature has no others.
    code = compile(text, __file__, "exec")
    exec(code, names)  # noqa: S102 - as dataclasses makes its __init__
    front: Callable[..., Any] = names.pop("front")
    return front


def _text(parameters: list[inspect.Parameter]) -> str:
    """Return the source of a front; it calls with keywords what must be."""
    declared, passed, required, given = [], [], [], []
    more = ""
    for one in parameters:
        name = one.name
        if one.kind is one.VAR_KEYWORD:
            declared.append(f"**{name}")
            more = name
            continue
        is_named = one.kind is one.KEYWORD_ONLY
        if is_named and "*" not in declared:
            declared.append("*")
        passed.append(f"{name}={name}" if is_named else name)
        if one.default is one.empty:
            declared.append(name)
            required.append(f"{name}={name}, " if is_named else f"{name}, ")
        else:
            declared.append(f"{name}={_OWN}of_{name}")
            given.append(_GIVEN.format(name=name))
    whole = _MORE if more else _WHOLE
    return _TEXT.format(
        parameters=", ".join(declared),
        whole=whole.format(more=more, all=", ".join(passed)),
        required="".join(required),
        given="\n".join(given),
        more=f"**{more}" if more else "",
    )

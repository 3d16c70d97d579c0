# SPDX-License-Identifier: Apache-2.0
"""The program that a command runs; arguments are looked through, not kept."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nova_profiler.capture.call_names import OTHER
from nova_profiler.routes import shape_of

# For a command that a shell reads.
SHELL = "sh"

# No command has more in front of its program.
_MOST_WORDS = 64
_PROGRAM = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,39}")
# Letters only, and no number in hexadecimal digits.
_WORDS = re.compile(r"(?![0-9a-fA-F]{8,}\Z)[A-Za-z_][A-Za-z_.+-]{0,39}")
_PYTHON = re.compile(r"python[0-9.]*")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_PRLIMIT = "oslo_concurrency.prlimit"
# Options that take the next word, of programs that run another one.
_TAKE_A_WORD = {
    "sudo": frozenset(
        "-u -g -C -p -h -r -t -T -U -D -R -a --user --group --close-from "
        "--prompt --host --role --type --command-timeout --other-user "
        "--chdir --chroot --auth-type".split()
    ),
    "env": frozenset("-u -C --unset --chdir".split()),
    "prlimit": frozenset[str](),
}
_TAKE_A_COMMAND = ("-S", "--split-string")


def program_of(command: Sequence[object]) -> str:
    """Return the name of the program that *command* is for.

    Behind ``sudo``, rootwrap, ``env`` and what sets limits, if they stand
    there; OTHER if its name is none.
    """
    words = [str(word) for word in command[:_MOST_WORDS]]
    name = OTHER
    while words:
        path, *rest = words
        name = _base_name(path)
        words = _behind(name, rest)
    return name


def _base_name(path: str) -> str:
    name = path.rpartition("/")[2]
    if _WORDS.fullmatch(name):
        return name
    if not _PROGRAM.fullmatch(name):
        return OTHER
    # A script may be named by an id.
    shape = shape_of(name)
    return OTHER if shape is None else shape[1:]


def _takes_the_next(word: str, options: frozenset[str]) -> bool:
    """Return whether the option *word* has its value in the next word.

    Letters may stand together; behind one that takes a value, the rest of
    the word is that.
    """
    if word.startswith("--"):
        return word in options
    for place, letter in enumerate(word[1:], 2):
        if f"-{letter}" in options:
            return place == len(word)
    return False


def _behind(name: str, rest: list[str]) -> list[str]:
    """Return the command that *name* runs with *rest*, empty if none."""
    if name.endswith("rootwrap"):
        # Its configuration comes first.
        return rest[1:]
    if _PYTHON.fullmatch(name):
        if rest[:2] == ["-m", _PRLIMIT] and "--" in rest:
            return rest[rest.index("--") + 1 :]
        return []
    take_a_word = _TAKE_A_WORD.get(name)
    if take_a_word is None:
        return []
    place = 0
    while place < len(rest):
        word = rest[place]
        if word == "--":
            return rest[place + 1 :]
        if word.partition("=")[0] in _TAKE_A_COMMAND:
            # All of it in one word, which may hold anything.
            return []
        if word.startswith("-"):
            place += 2 if _takes_the_next(word, take_a_word) else 1
        elif _ASSIGNMENT.match(word):
            place += 1
        else:
            break
    return rest[place:]

# SPDX-License-Identifier: Apache-2.0
"""Our filter put into a paste file, and taken out again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import chain

from nova_profiler.paste_file import (
    FILTER,
    Sections,
    own_filters,
    sections_in,
)
from nova_profiler.reading.setup.paste_pipelines import (
    METADATA,
    ROOT,
    has_application,
    pipelines_of,
)

WORD = "nova_profiler"
# A section with this line was added here; any other is its owner's.
_MARK = "# Added by nova-profiler, which takes the whole section away again."
_SECTION = (
    f"[{FILTER}{WORD}]",
    _MARK,
    "paste.filter_factory = nova_profiler.factory:filter_factory",
)

_HEADER = re.compile(r"\[([^]]+)\]")
# As configparser has it: no blank in front, up to the first = or :.
_OPTION = re.compile(r"(?P<key>[^\s#;][^=:]*?)(?P<is>[ \t]*[=:])(?P<rest>.*)")
# Our word among others, with the blank that was put behind it.
_NAMED = re.compile(rf"(?<![\w.:-]){WORD}(?![\w.:-])")
_WORD = re.compile(rf"(?<!\S){WORD}(?:[ \t]|$)")

# One line of the text: its section, what it is, and its end.
_Line = tuple[str, str, str]


def with_filter(text: str, path: str) -> str:
    """Return the paste file *text* with our filter first in its pipelines.

    These are the pipelines of the compute API and of the metadata API; a file
    without them has it in all its pipelines. Version documents are left out,
    as is a pipeline that has it already. A file that names a filter of ours
    by hand is returned as it is. Raises PasteFileError, with *path*, for
    a line that is neither section nor option.
    """
    text = without_filter(text)
    sections = sections_in(text, path)
    if own_filters(sections) or _is_named(text, sections):
        return text
    roots = [one for one in (ROOT, METADATA) if has_application(sections, one)]
    wanted = {
        (one.section, one.key)
        for root in roots or [ROOT]
        for one in pipelines_of(sections, [WORD], root)
        if one.untimed is None
    }

    def put(section: str, key: str, rest: str) -> str:
        if (section, key) not in wanted:
            return rest
        following = rest.lstrip(" \t")
        blank = rest.removesuffix(following)
        # The names may begin in the next line.
        return f"{blank}{WORD}{' ' if following else ''}{following}"

    edited = _edited(text, put)
    end = "\r\n" if "\r\n" in text else "\n"
    if edited and not edited.endswith("\n"):
        edited += end
    return edited + end + "".join(line + end for line in _SECTION)


def without_filter(text: str) -> str:
    """Return the paste file *text* without what with_filter() added.

    A section of ours without its mark was written by hand: then all stays.
    """
    if _MARK not in text:
        return text

    def take(section: str, key: str, rest: str) -> str:
        if section.startswith(FILTER):
            return rest
        return _WORD.sub("", rest, count=1)

    lines = text.splitlines(keepends=True)
    kept: list[str] = []
    is_own = False
    for line in lines:
        header = _HEADER.match(line)
        if header:
            is_own = _name_of(header) == f"{FILTER}{WORD}"
            if is_own and kept and not kept[-1].strip():
                # The blank line in front of it.
                kept.pop()
        if not is_own:
            kept.append(line)
    return _edited("".join(kept), take)


def _is_named(text: str, sections: Sections) -> bool:
    """Return whether any section or pipeline has our name.

    Also one that a later line of the same name replaces.
    """
    return f"{FILTER}{WORD}" in sections or any(
        _NAMED.search(line)
        for line in text.splitlines()
        if not line.lstrip().startswith(("#", ";"))
    )


def _edited(text: str, edit: Callable[[str, str, str], str]) -> str:
    """Return *text* with what stands behind each option's = or : edited."""
    return "".join(chain.from_iterable(_edited_lines(text, edit)))


def _edited_lines(
    text: str, edit: Callable[[str, str, str], str]
) -> Iterator[_Line]:
    section = ""
    for line in text.splitlines(keepends=True):
        content = line.rstrip("\r\n")
        end = line[len(content) :]
        header = _HEADER.match(content)
        option = _OPTION.fullmatch(content)
        if header:
            section = _name_of(header)
        elif option:
            rest = edit(section, option["key"], option["rest"])
            yield option["key"], option["is"], rest + end
            continue
        yield content, "", end


def _name_of(header: re.Match[str]) -> str:
    """Return a section's name as sections_of() has it."""
    return ":".join(part.strip() for part in header[1].split(":", 1))

# SPDX-License-Identifier: Apache-2.0
"""The sections of a paste file, and which of them make our filter."""

from __future__ import annotations

import configparser
import io

from nova_profiler.errors import NovaProfilerError
from nova_profiler.trust.files import read_regular
from nova_profiler.trust.ini_text import for_configparser

FILTER = "filter:"
FILTER_APP = "filter-app:"
# What PasteDeploy's sections begin with; nova.conf has none of them.
_KINDS = (
    *(FILTER, FILTER_APP),
    *("app:", "application:", "pipeline:", "composite:", "composit:"),
)
_MAKERS = ("use", "paste.filter_factory", "paste.filter_app_factory")

Sections = dict[str, dict[str, str]]


class PasteFileError(NovaProfilerError):
    """A line is neither a section nor an option.

    The message has the line's number. Its text may hold a password.
    """

    def __init__(self, path: str, lineno: int | None = None) -> None:
        at = f" in line {lineno}" if lineno else ""
        super().__init__(
            f"{path}: cannot be read{at}; expected [section] or key = value"
        )
        self.lineno = lineno


def sections_of(path: str) -> Sections:
    """Return the options of the file at *path* by section, as written there.

    nova.conf has the same form. Raises OSError, FileError for what is no
    regular file, or PasteFileError where a line is neither section nor option.
    """
    return sections_in(read_regular(path).decode("utf-8", "replace"), path)


def sections_in(text: str, path: str) -> Sections:
    """Return the options of *text* by section, as sections_of does.

    A PasteFileError names *path*.
    """
    parser = configparser.RawConfigParser(
        strict=False, default_section="\0", allow_no_value=True
    )
    # Names as they are written; the stubs know a method only.
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        # With the line ends that a text file has.
        parser.read_file(io.StringIO(for_configparser(text), newline=None))
    except (configparser.Error, AttributeError) as exc:
        # The latter up to Python 3.12, where a name without a value goes on.
        raise PasteFileError(path, line_of(exc)) from None
    return {
        ":".join(part.strip() for part in name.split(":", 1)): {
            key: value or "" for key, value in parser.items(name)
        }
        for name in parser.sections()
    }


def is_of_paste(section: str) -> bool:
    """Return whether only a paste file has a section of that name."""
    return section.startswith(_KINDS)


def line_of(exc: Exception) -> int | None:
    """Return the line that *exc*, of a parser of such files, is about."""
    errors: list[tuple[int, str]] = getattr(exc, "errors", None) or []
    return errors[0][0] if errors else getattr(exc, "lineno", None)


def own_filters(sections: Sections) -> Sections:
    """Return the sections of filters that a factory of ours makes."""
    return {
        name: options
        for name, options in sections.items()
        if name.startswith((FILTER, FILTER_APP)) and is_made_by_us(options)
    }


def is_made_by_us(options: dict[str, str]) -> bool:
    """Return whether a section's *options* name a factory of ours."""
    return any(is_ours(options.get(key, "")) for key in _MAKERS)


def is_ours(maker: str) -> bool:
    """Return whether *maker* names a factory or an egg of ours."""
    return "nova_profiler" in maker or "nova-profiler" in maker

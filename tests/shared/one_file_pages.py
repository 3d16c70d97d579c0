# SPDX-License-Identifier: Apache-2.0
"""What holds of each page that is one file, and its text as one reads it."""

from __future__ import annotations

from html.parser import HTMLParser

_MOST_BYTES = 2_000_000
# What runs, or loads something.
_REFUSED = frozenset(
    "script link img iframe object embed base audio video form input".split()
)


class _Parts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.refused: list[str] = []
        self.words: list[str] = []
        self._in_style = False

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self._in_style = tag == "style"
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            # The policy of the page refuses a style of its own, too.
            if name.startswith("on") or name in ("src", "style", "action"):
                self.refused.append(f"{tag} {name}={value}")
            if name in ("href", "xlink:href") and not value.startswith("#"):
                self.refused.append(f"{tag} {name}={value}")
        # In the middle of a word, these are no space.
        if tag not in ("wbr", "span", "b"):
            self.words.append(" ")

    def handle_endtag(self, tag):
        self._in_style = False

    def handle_data(self, data):
        if not self._in_style:
            self.words.append(data)


def parts_of(page: str) -> tuple[str, set[str]]:
    """Return the text and the tags of *page*, which is checked."""
    parts = _Parts()
    parts.feed(page)
    assert not parts.tags & _REFUSED
    assert parts.refused == []
    assert len(set(parts.ids)) == len(parts.ids)
    assert "default-src &#39;none&#39;" in page
    assert len(page.encode("utf-8", "replace")) < _MOST_BYTES
    text = " ".join("".join(parts.words).split())
    assert text.isprintable()
    return text, parts.tags

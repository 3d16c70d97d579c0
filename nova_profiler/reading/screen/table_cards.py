# SPDX-License-Identifier: Apache-2.0
"""Tables of templates whose rows become cards where a page is narrow.

The style does that, by what is added here: each cell has the head of its
column, and roles stay where rows are drawn as blocks.
"""

from __future__ import annotations

import re
from itertools import chain, repeat

_TABLE = re.compile(r'<table class="cards( [a-z]+)?">\n(.*?)</table>', re.S)
_ROW = re.compile(r"<tr([^>]*)>(.*?)</tr>", re.S)
_HEAD = re.compile(r"<th([^>]*)>(.*?)</th>", re.S)
_TAG = re.compile(r"<[^>]*>")
_CELL = re.compile(r"<td(?=[ >])")


def with_cards(page: str) -> str:
    """Return *page*, in which tables of the class ``cards`` have all it needs.

    The first row of each has its heads. Names in a page are escaped, so that
    none of them is taken for an element.
    """
    return _TABLE.sub(_table, page)


def _table(found: re.Match[str]) -> str:
    more, rows = found[1] or "", found[2]
    first = _ROW.match(rows)
    if first is None:
        return found[0]
    heads = [
        _TAG.sub("", head).strip().replace('"', "&#34;")
        for _, head in _HEAD.findall(first[2])
    ]
    drawn = _HEAD.sub(r'<th role="columnheader"\1>\2</th>', first[2])
    body = _ROW.sub(lambda row: _row(row, heads), rows[first.end() :])
    return (
        f'<table class="cards{more}" role="table">\n'
        f'<tr class="heads" role="row"{first[1]}>{drawn}</tr>{body}</table>'
    )


def _row(row: re.Match[str], heads: list[str]) -> str:
    left = chain(heads, repeat(""))
    cells = _CELL.sub(
        lambda _: f'<td role="cell" data-head="{next(left)}"', row[2]
    )
    return f'<tr role="row"{row[1]}>{cells}</tr>'

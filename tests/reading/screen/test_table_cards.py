# SPDX-License-Identifier: Apache-2.0
"""A table whose rows become cards: each cell has the head of its column."""

from __future__ import annotations

from nova_profiler.reading.screen.table_cards import with_cards

TABLE = """<table class="cards sorts">
<tr><th>route</th><th class="n"><a href="?sort=ms">ms &amp; "s"</a></th></tr>
<tr id="c1"><td class="name">GET</td><td>1.0</td><td>more</td></tr>
<tr><td></td><td class="n">2.0</td></tr>
</table>"""


def test_cells_have_the_heads_of_their_columns():
    """As text, whatever element and sign is in one; roles are there, too."""
    assert with_cards(f"<p>a</p>{TABLE}") == (
        '<p>a</p><table class="cards sorts" role="table">\n'
        '<tr class="heads" role="row"><th role="columnheader">route</th>'
        '<th role="columnheader" class="n"><a href="?sort=ms">ms &amp; "s"'
        "</a></th></tr>\n"
        '<tr role="row" id="c1"><td role="cell" data-head="route" '
        'class="name">GET</td><td role="cell" '
        'data-head="ms &amp; &#34;s&#34;">1.0</td>'
        '<td role="cell" data-head="">more</td></tr>\n'
        '<tr role="row"><td role="cell" data-head="route"></td>'
        '<td role="cell" data-head="ms &amp; &#34;s&#34;" class="n">2.0</td>'
        "</tr>\n</table>"
    )


def test_other_tables_stay_as_they_are():
    """Those of commands have all that already."""
    other = TABLE.replace(' class="cards sorts"', "")

    assert with_cards(other) == other
    assert with_cards('<table class="cards">\n</table>') == (
        '<table class="cards">\n</table>'
    )

# SPDX-License-Identifier: Apache-2.0
"""The page of one request over all services, for a terminal."""

from __future__ import annotations

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.text import Text

from nova_profiler.reading.follow.doubtful_times import (
    NO_TIME,
    no_time_text,
)
from nova_profiler.reading.follow.gaps import Gap
from nova_profiler.reading.follow.rows import BEGIN, LINE, Row
from nova_profiler.reading.follow.story import Story
from nova_profiler.reading.follow.summary import (
    answer_texts,
    held_picture,
    notes_of,
    print_held,
)
from nova_profiler.reading.logs.line_parts.stamps import iso_of
from nova_profiler.reading.over_services.page import styles_of
from nova_profiler.reading.over_services.waterfall import waterfall
from nova_profiler.reading.screen.terminal import (
    BAD,
    FAINT,
    HEADING,
    WARNING,
    bar,
    counted,
    ms_text,
    page_width,
    print_part,
    printable,
    safe,
    speaks_unicode,
)

_SERVICE_STYLES = ("cyan", "green", "magenta", "blue", "yellow")
_LEVELS = {"ERROR": BAD, "CRITICAL": BAD, "TRACE": BAD, "WARNING": WARNING}
_GAP_BAR = 20
_SHORT_GAP_BAR = 8
_NARROW = 70
_LONGEST_SERVICE = 32
_MOST_MORE = 60
# As wide as the time of a row.
_STAMP = 12
_WIDE = 100
_INDENT = 2


def print_story(console: Console, story: Story, *, whole: bool) -> None:
    """Print each line, the gaps, and which service held the time.

    Messages are cut to the width of the page unless *whole*.
    """
    width = page_width(console)
    styles = _styles_of(story)
    for fact in _header(story, width):
        print_part(console, fact, width)
    console.print()
    # On a narrow page the messages need the room.
    most = _LONGEST_SERVICE if width >= _WIDE else width // 4
    named = _named_width(story, most)
    _print_rows(console, story, styles, named, whole)
    _print_apart(console, story, styles, named, whole)
    _print_records(console, story, width)
    if story.rows:
        console.print()
        console.print(Text("Which service held the time", style=HEADING))
        print_held(console, story, styles, _INDENT)
    for note in notes_of(story):
        print_part(console, _indented(note), width)
    if story.rows:
        console.print()
        console.print(Text("When", style=HEADING))
        picture = held_picture(console, story, styles, most, width)
        print_part(console, _indented(picture), width)


def _print_records(console: Console, story: Story, width: int) -> None:
    """Print the waterfall of the records, if there are several."""
    picture = story.picture
    if picture is None or len(picture.served) < 2:
        return
    console.print()
    console.print(
        Text("What each service did when, by records", style=HEADING)
    )
    styles = styles_of(picture)
    for part in waterfall(console, picture, styles, width - _INDENT, False):
        print_part(console, _indented(part), width)


def _indented(part: RenderableType) -> Padding:
    return Padding(part, (0, 0, 0, _INDENT), expand=False)


def _named_width(story: Story, most: int) -> int:
    """Return the width of the column of services."""
    names = [len(row.service) for row in (*story.rows, *story.apart)]
    return min(most, max(names, default=0))


def _header(story: Story, width: int) -> list[Text]:
    request = story.request
    parts = [safe(request.request_id, "bold")]
    if story.entry is not None:
        entry = story.entry
        title = safe(
            f"{entry.method} {entry.route} {entry.status} "
            f"{ms_text(entry.ms)} ms",
            "bold",
        )
        whole = title + Text("   ") + safe(request.request_id)
        fits = whole.cell_len <= width
        parts = [whole] if fits else [title, safe(request.request_id)]
    # The answer to what the command is asked for, before all else.
    parts[1:1] = answer_texts(story)
    services = {row.service for row in (*story.rows, *story.apart)}
    facts = (
        f"{counted(len(request.lines), 'line')} of "
        f"{counted(len(services), 'service')}"
    )
    if story.picture is not None:
        records = counted(len(story.picture.served), "record")
        facts = f"{records}, {facts}"
    if story.rows:
        facts += f" over {ms_text(story.ms)} ms"
    if story.entry is not None and story.entry.user != "-":
        facts += f"   user {story.entry.user}"
        if story.entry.project != "-":
            facts += f"   project {story.entry.project}"
    parts.append(safe(facts))
    if request.related_ids:
        ids = ", ".join(request.related_ids)
        parts.append(Text.assemble(("with ", FAINT), safe(ids)))
    return parts


def _print_rows(
    console: Console,
    story: Story,
    styles: dict[str, str],
    named: int,
    whole: bool,
) -> None:
    day = ""
    for number, row in enumerate(story.rows):
        stamp = iso_of(row.at)
        if stamp[:10] != day:
            day = stamp[:10]
            console.print(Text(f"{day} UTC", style=FAINT))
        clock = stamp[11:23] if row.has_time else NO_TIME
        _print_row(console, row, clock, styles, named, whole)
        gap = story.shown_gap(number)
        if gap is not None:
            _print_gap(console, story, gap, styles, named)


def _print_apart(
    console: Console,
    story: Story,
    styles: dict[str, str],
    named: int,
    whole: bool,
) -> None:
    """Print the rows without a place among the others."""
    if not story.apart:
        return
    if story.rows:
        console.print()
    sentence = Text(no_time_text(len(story.apart)), style=WARNING)
    print_part(console, sentence, page_width(console))
    for row in story.apart:
        _print_row(console, row, NO_TIME, styles, named, whole)


def _print_row(
    console: Console,
    row: Row,
    clock: str,
    styles: dict[str, str],
    named: int,
    whole: bool,
) -> None:
    # A style of the whole text would hold for all that is appended.
    line = Text().append(clock.ljust(_STAMP), FAINT)
    service = safe(row.service, styles[row.service])
    service.truncate(named, overflow="ellipsis", pad=True)
    line.append("  ").append_text(service).append("  ")
    line.append_text(_text_of(row))
    _print_line(console, line, whole)
    _print_more(console, row, whole)


def _text_of(row: Row) -> Text:
    if row.kind == BEGIN:
        return safe(row.text, "italic")
    if len(row.lines) > 1 or row.kind != LINE:
        return safe(row.text, "bold" if len(row.lines) > 1 else "")
    text = Text()
    if row.level and row.level != "INFO":
        text.append(f"{printable(row.level)} ", _LEVELS.get(row.level, FAINT))
    return text.append(printable(row.text))


def _print_line(console: Console, line: Text, whole: bool) -> None:
    if whole:
        # Unbroken: a person copies it, a program searches for it.
        console.print(line, soft_wrap=True)
    else:
        console.print(
            line,
            width=console.width,
            no_wrap=True,
            overflow="ellipsis",
            crop=True,
        )


def _print_more(console: Console, row: Row, whole: bool) -> None:
    more = [text for line in row.lines for text in line.more]
    if row.kind == BEGIN or not more:
        return
    shown = more
    if len(more) > _MOST_MORE and not whole:
        # The end of a traceback matters more than its middle.
        shown = more[: _MOST_MORE // 2] + more[-_MOST_MORE // 2 :]
    for number, text in enumerate(shown):
        if len(shown) < len(more) and number == _MOST_MORE // 2:
            left_out = f"... {len(more) - len(shown)} lines"
            console.print(Text(f"{'':>14}{left_out}", style=FAINT))
        indented = Text(f"{'':>14}").append_text(safe(text, "red"))
        _print_line(console, indented, whole)


def _print_gap(
    console: Console,
    story: Story,
    gap: Gap,
    styles: dict[str, str],
    named: int,
) -> None:
    largest = story.largest_gap
    share = gap.ms / largest.ms if largest is not None else 0.0
    style = WARNING if gap.is_handover else styles.get(gap.holder, WARNING)
    text = Text().append(f"{ms_text(gap.ms):>12}  ", "bold")
    room = _GAP_BAR if page_width(console) >= _NARROW else _SHORT_GAP_BAR
    picture = bar(console, max(share, 0.05), room, style)
    picture.pad_right(max(0, room - picture.cell_len))
    text.append_text(picture)
    where = "between, " if gap.is_handover else ""
    text.append(f" ms {where}", style=FAINT)
    text.append_text(safe(_arrow(console, gap.holder), style))
    if gap is largest:
        text.append("  the largest gap", style="bold")
    console.print(text, no_wrap=True, overflow="ellipsis", crop=True)


def _styles_of(story: Story) -> dict[str, str]:
    services = dict.fromkeys(
        row.service for row in (*story.rows, *story.apart)
    )
    return {
        service: _SERVICE_STYLES[number % len(_SERVICE_STYLES)]
        for number, service in enumerate(services)
    }


def _arrow(console: Console, holder: str) -> str:
    if speaks_unicode(console):
        return holder.replace(" -> ", " → ")
    return holder

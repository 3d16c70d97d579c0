# SPDX-License-Identifier: Apache-2.0
"""Pages of HTML in one frame; they hold all that they need."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple

from nova_profiler import __version__
from nova_profiler.errors import missing_extra
from nova_profiler.reading.screen.page_colors import rules
from nova_profiler.reading.screen.table_cards import with_cards
from nova_profiler.reading.screen.terminal import printable

if TYPE_CHECKING:
    from jinja2 import Environment

_PLACE = "nova_profiler.reading"
_TEMPLATES = "templates"
_STYLES = ("still.css", "request.css")
# A whole statement; only a hostile text is longer.
_LONGEST = 20_000
_WORD_ENDS = re.compile(r"(?<!\d)[.:/_-](?=[^\W\d])")


class Style(NamedTuple):
    """The style of a page that runs nothing, and the policy that holds it.

    The policy allows this very style, by its hash, and nothing else.
    """

    text: str
    policy: str

    @property
    def scripted_policy(self) -> str:
        """Return the policy of a page with scripts: files of its server."""
        return f"{self.policy}; script-src 'self'; connect-src 'self'"


@lru_cache(maxsize=1)
def still_style() -> Style:
    """Return the style of the pages without a script."""
    place = resources.files(_PLACE) / _TEMPLATES
    text = "".join((place / name).read_text("utf-8") for name in _STYLES)
    text += rules()
    digest = hashlib.sha256(text.encode()).digest()
    allowed = f"'sha256-{base64.b64encode(digest).decode()}'"
    return Style(
        text,
        f"default-src 'none'; style-src {allowed}; form-action 'self'; "
        f"base-uri 'none'",
    )


def rendered(template: str, **values: object) -> str:
    """Return the page that the file *template* makes of *values*.

    Raises NovaProfilerError without Jinja2.
    """
    try:
        import jinja2  # noqa: F401 - whether it is there
    except ImportError as exc:
        raise missing_extra("pages need Jinja2", "html") from exc
    return (
        _environment()
        .get_template(template)
        .render(version=__version__, **values)
    )


def rendered_still(template: str, script: str = "", **values: object) -> str:
    """Return a page that needs no script; raises as rendered() does.

    *script* is the address of what a server's page does beside links.
    """
    style = still_style()
    policy = style.scripted_policy if script else style.policy
    page = rendered(
        template, style=style.text, policy=policy, script=script, **values
    )
    return with_cards(page)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    """Return what makes pages; it keeps the templates that it has read."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(_PLACE, _TEMPLATES),
        # What users and clients named stays text, whatever it contains.
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
    )
    environment.filters["printable"] = printable
    environment.filters["breakable"] = _breakable
    return environment


def _breakable(value: str) -> Any:
    """Return a name that a line may break in, behind what parts its words."""
    from markupsafe import Markup, escape

    parts = _WORD_ENDS.sub("\\g<0>\0", printable(value, _LONGEST)).split("\0")
    return Markup("<wbr>").join(map(escape, parts))


def _shown(value: Any) -> Any:
    """Return *value* without what turns the direction of text, and such."""
    # Markup, which templates make, is a subclass.
    return printable(value, _LONGEST) if type(value) is str else value

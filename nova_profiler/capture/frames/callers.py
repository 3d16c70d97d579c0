# SPDX-License-Identifier: Apache-2.0
"""The line of the application from which a call was made."""

from __future__ import annotations

import sys
from types import FrameType

_PROJECT = "nova"
_OURS = "nova_profiler"
# What serves the request: above it there is only the server.
_SERVING = "nova_profiler.capture.served."
# Through these an application makes its calls.
_PASSED_THROUGH = sys.stdlib_module_names | {
    _OURS,
    "alembic",
    "amqp",
    "bmemcached",
    "castellan",
    "cinderclient",
    "decorator",
    "dogpile",
    "eventlet",
    "fasteners",
    "futurist",
    "gevent",
    "glanceclient",
    "greenlet",
    "keystoneauth1",
    "keystonemiddleware",
    "kombu",
    "memcache",
    "microversion_parse",
    "neutronclient",
    "novaclient",
    "openstack",
    "osprofiler",
    "paste",
    "paramiko",
    "pymemcache",
    "pymysql",
    "requests",
    "retrying",
    "routes",
    "sqlalchemy",
    "stevedore",
    "tenacity",
    "urllib3",
    "webob",
    "wrapt",
}
_OSLO = "oslo_"
# A stack that is longer has run away.
_MAX_WALKED = 1_000
_LONGEST_TEXT = 200


def calling_line() -> str | None:
    """Return ``file:line function`` of what makes the current call.

    It is nova's own code, with the nearest of another file of nova behind it
    (``..., from file:line function``), or else the nearest that is no
    library's; None where there is neither. One walk up the stack, some ten
    microseconds.
    """
    frame: FrameType | None = sys._getframe(1)
    nearest: str | None = None
    own: tuple[str, str] | None = None
    for _ in range(_MAX_WALKED):
        if frame is None:
            break
        module = frame.f_globals.get("__name__")
        if isinstance(module, str):
            package = module.partition(".")[0]
            if package == _PROJECT and own is None:
                own = module, _line_of(frame, module)
            elif package == _PROJECT and own is not None and module != own[0]:
                return f"{own[1]}, from {_line_of(frame, module)}"
            if module.startswith(_SERVING):
                break
            if (
                nearest is None
                and package not in _PASSED_THROUGH
                and not package.startswith(_OSLO)
            ):
                nearest = _line_of(frame, module)
        frame = frame.f_back
    return nearest if own is None else own[1]


def _line_of(frame: FrameType, module: str) -> str:
    """Return the text of a frame, its file as the path of *module*."""
    code = frame.f_code
    path = module.replace(".", "/")
    if code.co_filename.endswith("__init__.py"):
        path += "/__init__"
    return f"{path}.py:{frame.f_lineno} {code.co_name}"[:_LONGEST_TEXT]

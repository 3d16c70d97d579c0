# SPDX-License-Identifier: Apache-2.0
"""The application that ``NOVA_PROFILER_APPLICATION`` names, with the filter.

For APIs that PasteDeploy does not load. A server is pointed to
``nova_profiler.wsgi:application`` and imports this module, which loads the
real application: servers take ``application`` out of a module as it is.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from nova_profiler.capture.served.named_application import loaded, named_in
from nova_profiler.factory import wrapped

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_name = named_in(os.environ)
application: WSGIApplication = wrapped(
    loaded(_name), _name.project, os.environ
)

# SPDX-License-Identifier: Apache-2.0
"""The demo's server with uWSGI's own log left on, as a program."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from demo.server import serve


class _LoggedPopen(subprocess.Popen):  # type: ignore[type-arg]
    """Start uWSGI without the option that keeps it from logging."""

    def __init__(self, args: list[str], **more: Any) -> None:
        super().__init__(
            [one for one in args if one != "--disable-logging"], **more
        )


if __name__ == "__main__":
    subprocess.Popen = _LoggedPopen  # type: ignore[misc]
    sys.exit(serve.main())

# SPDX-License-Identifier: Apache-2.0
"""What plugin.sh asks for: our filter in a paste file, our options as a file.

    setup_files.py add-filter FILE
    setup_files.py remove-filter FILE
    setup_files.py options [--driver] [--service NAME]

``options`` reads NAME=VALUE, each with a zero byte behind it: the
NOVA_PROFILER_* variables of local.conf. It prints a drop-in file for a
service's configuration.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

# At unstack the package may be gone from the environment.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from nova_profiler.errors import NovaProfilerError
from nova_profiler.reading.setup.paste_edits import with_filter, without_filter

PREFIX = "NOVA_PROFILER_"
# Variables that are no options: in local.conf a repository is often named so,
# and the rest belongs to our other commands.
OTHERS = frozenset({"REPO", "BRANCH", "KEY", "APPLICATION"})
DRIVER = """
[oslo_messaging_notifications]
driver = nova_profiler
"""


def options_file(lines: Iterable[str], driver: bool, service: str) -> str:
    """Return the drop-in file of options given as NAME=VALUE *lines*.

    Each may end with a line end. Raises NovaProfilerError for a name that no
    option has, for a wrong value, and for one that no file can hold.
    """
    # Only here: the rest has to run without oslo.config.
    from nova_profiler.capture.settings.options import GROUP, parsed

    values = {"service_name": service} if service else {}
    for line in lines:
        name, is_set, value = line.removesuffix("\n").partition("=")
        word = name.removeprefix(PREFIX)
        if not is_set or word in OTHERS:
            continue
        option = word.lower()
        where = f"local.conf, {name}"
        written = _as_written(value, where)
        parsed(option, value, where)
        values[option] = written
    text = "".join(f"{name} = {value}\n" for name, value in values.items())
    return (
        "# Written by devstack's plugin nova-profiler, at each stack.sh.\n"
        f"{DRIVER if driver else ''}\n[{GROUP}]\n{text}"
    )


def _as_written(value: str, where: str) -> str:
    """Return how oslo.config has *value* in a file.

    Raises NovaProfilerError, which is without the value: it may be a key.
    """
    if "\n" in value or "\r" in value:
        raise NovaProfilerError(f"{where}: has a line end in it")
    if value != value.strip():
        raise NovaProfilerError(f"{where}: begins or ends with a blank")
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        raise NovaProfilerError(
            f"{where}: is in quotes, which oslo.config would take away"
        )
    if "\\$" in value:
        raise NovaProfilerError(
            f"{where}: has \\$, which oslo.config would read as $"
        )
    # $name is another option's value there.
    return value.replace("$", "$$")


def rewrite(path: Path, edit: Callable[[str], str]) -> None:
    """Give the file at *path* the text that *edit* makes of its text."""
    raw = path.read_bytes().decode("utf-8", "surrogateescape")
    edited = edit(raw)
    if edited == raw:
        return
    status = path.stat()
    # Whole or as before: nova may start meanwhile.
    fd, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(fd, "wb") as file:
            file.write(edited.encode("utf-8", "surrogateescape"))
            os.fchmod(file.fileno(), status.st_mode & 0o7777)
            if os.geteuid() == 0:
                os.fchown(file.fileno(), status.st_uid, status.st_gid)
        os.replace(aside, path)
    except BaseException:
        os.unlink(aside)
        raise


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return an exit code."""
    parser = argparse.ArgumentParser(prog="setup_files.py")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("add-filter", "remove-filter"):
        commands.add_parser(name).add_argument("file", type=Path)
    options = commands.add_parser("options")
    options.add_argument("--driver", action="store_true")
    options.add_argument("--service", default="")
    given = parser.parse_args(arguments)
    try:
        if given.command == "options":
            # A line end of a value's own is not taken for the line's.
            lines = [f"{one}\n" for one in sys.stdin.read().split("\0")]
            print(options_file(lines, given.driver, given.service), end="")
        elif given.command == "add-filter":
            path = str(given.file)
            rewrite(given.file, lambda text: with_filter(text, path))
        else:
            rewrite(given.file, without_filter)
    except (NovaProfilerError, OSError) as exc:
        print(f"nova-profiler: {exc}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

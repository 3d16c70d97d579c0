# SPDX-License-Identifier: Apache-2.0
"""Which project a set-up is of, and whether its release was tried."""

from __future__ import annotations

from collections import Counter
from importlib import metadata

from nova_profiler.paste_file import FILTER, Sections
from nova_profiler.projects import NOVA, Project, project_named
from nova_profiler.reading.setup import OK, WARNING, Point

ETC = "/etc"
# Where a paste file names what makes an application.
_MAKERS = ("paste.app_factory", "paste.composite_factory", "use")
_CALL = "call:"


def project_of(sections: Sections) -> str:
    """Return the project whose applications a paste file names.

    That is nova for a file that names those of no project known here.
    """
    makers = (
        options.get(key, "").strip().removeprefix(_CALL)
        for name, options in sections.items()
        if not name.startswith(FILTER)
        for key in _MAKERS
    )
    known = filter(None, map(project_named, makers))
    counted = Counter(project.name for project in known)
    return counted.most_common(1)[0][0] if counted else NOVA


def conf_file_of(project: str, etc: str = ETC) -> str:
    """Return where the configuration of *project* usually is."""
    return f"{etc}/{project}/{project}.conf"


def project_point(name: str) -> Point:
    """Return whether routes of the project *name* are known, and whence."""
    project = project_named(name)
    if project is None:
        found = f"{name} is not known: its routes are learned from paths"
        return Point(WARNING, "project", found)
    version = _version_of(project)
    if version is None:
        found = f"{name} is not installed here"
        remedy = (f"run this with the Python of {project.service}",)
        return Point(WARNING, "project", found, remedy)
    named_by = project.router or "nothing that is known"
    found = f"{name} {version}, its routes are named by {named_by}"
    if version.partition(".")[0] in map(str, project.tried):
        return Point(OK, "project", found)
    tried = ", ".join(map(str, project.tried)) or "none"
    return Point(
        WARNING,
        "project",
        f"{name} {version} is not a release that was tried ({tried})",
        (
            f"look whether routes are named by {named_by}; where they are",
            "not, they are learned from paths, with {id} for ids",
        ),
    )


def _version_of(project: Project) -> str | None:
    try:
        return metadata.version(project.distribution or project.name)
    except metadata.PackageNotFoundError:
        return None

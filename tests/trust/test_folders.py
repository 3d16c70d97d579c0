# SPDX-License-Identifier: Apache-2.0
"""Folders in which other users can do something are refused."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
from open_files import open_files

from nova_profiler.trust import folders
from nova_profiler.trust.folders import (
    UntrustedFolder,
    fault_of,
    is_in_safe_hands,
    opened_folder,
    opened_subfolder,
)

OTHER = 65534
as_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can give a file away"
)


def opens(path, **how):
    """Open the folder *path*, look where that led, close it."""
    fd = opened_folder(path, **how)
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    finally:
        os.close(fd)


@pytest.fixture
def descriptors():
    """Nothing stays open, whatever is raised."""
    # What tests before left to the garbage collector.
    gc.collect()
    before = len(open_files())
    yield
    assert len(open_files()) <= before


pytestmark = pytest.mark.usefixtures("descriptors")


@pytest.mark.parametrize("mode", [0o700, 0o750, 0o755, 0o2755, 0o500])
def test_a_folder_of_ours_is_opened(tmp_path, mode):
    """Others may read it, if its owner likes."""
    path = tmp_path / "dumps"
    path.mkdir()
    path.chmod(mode)

    assert opens(path) == str(path)
    assert fault_of(path) is None


@pytest.mark.parametrize("mode", [0o770, 0o775, 0o777, 0o1777, 0o702])
def test_a_folder_that_others_may_write_to_is_refused(tmp_path, mode):
    """The message has the remedy."""
    path = tmp_path / "dumps"
    path.mkdir()
    path.chmod(mode)

    with pytest.raises(UntrustedFolder, match=f"chmod go-w {path}"):
        opens(path)

    assert fault_of(path) == f"others may write to {path}: chmod go-w {path}"


@pytest.mark.parametrize(
    ("mode", "refused"),
    [(0o755, 0), (0o775, 0), (0o1777, 0), (0o777, 1), (0o707, 1)],
)
@pytest.mark.parametrize("is_there", [False, True])
def test_folders_above(tmp_path, mode, refused, is_there):
    """One like /tmp keeps what is ours in it, as a group's folder does."""
    above = tmp_path / "above"
    path = above / "between" / "dumps"
    above.mkdir()
    if is_there:
        path.mkdir(parents=True, mode=0o700)
    above.chmod(mode)

    if refused:
        with pytest.raises(UntrustedFolder, match=f"chmod o-w {above}"):
            opens(path, make=True)
        assert above.name in fault_of(path)
    else:
        assert opens(path, make=True) == str(path)


def test_what_is_missing_is_made_for_its_owner_alone(tmp_path):
    """Where it is asked for, whatever the umask is."""
    path = tmp_path / "a" / "b"

    with pytest.raises(FileNotFoundError):
        opens(path)
    assert fault_of(path) is None
    before = os.umask(0)
    try:
        opens(path, make=True)
    finally:
        os.umask(before)

    assert [one.stat().st_mode & 0o777 for one in (path.parent, path)] == [
        0o700,
        0o700,
    ]


def test_a_link_of_ours_is_followed(tmp_path):
    """Administrators move folders to larger disks."""
    real = tmp_path / "disk" / "real"
    real.mkdir(parents=True)
    real.chmod(0o700)
    (tmp_path / "whole").symlink_to(real)
    (tmp_path / "relative").symlink_to("disk/../disk/./real")
    (tmp_path / "above").symlink_to("disk")

    for path in ("whole", "relative", "above/real"):
        assert opens(tmp_path / path) == str(real)


@pytest.mark.parametrize("what", ["loop", "file", "dangling"])
def test_what_is_no_folder_is_an_error(tmp_path, what):
    """The sink gets it, and counts it."""
    path = tmp_path / "dumps"
    if what == "loop":
        path.symlink_to(path)
    elif what == "file":
        path.write_text("")
    else:
        path.symlink_to(tmp_path / "nowhere")

    with pytest.raises(OSError, match=r"link|directory"):
        opens(path)


@as_root
def test_a_folder_of_another_user_is_refused(tmp_path):
    """Even root does not use it, but for a command on its owner's behalf."""
    path = tmp_path / "dumps"
    path.mkdir(mode=0o700)
    os.chown(path, OTHER, OTHER)

    with pytest.raises(UntrustedFolder, match=f"{path} is .*, not root's"):
        opens(path)

    assert opens(path, root_for_others=True) == str(path)
    assert fault_of(path) is None
    path.chmod(0o777)
    assert "chmod go-w" in fault_of(path)


@as_root
def test_a_folder_of_another_user_above_is_refused(tmp_path):
    """That user could put another folder there."""
    above = tmp_path / "above"
    path = above / "dumps"
    path.mkdir(parents=True, mode=0o700)
    os.chown(above, OTHER, OTHER)

    with pytest.raises(UntrustedFolder, match=f"{above}, above it, is "):
        opens(path)
    assert f"{above}, above it" in fault_of(path)

    # On behalf of that user it is fine.
    os.chown(path, OTHER, OTHER)
    assert fault_of(path) is None


@as_root
@pytest.mark.parametrize("name", ["dumps", "dumps/below"])
def test_a_link_of_another_user_is_refused(tmp_path, name):
    """In a folder such as /tmp, where everybody may make one."""
    open_to_all = tmp_path / "tmp"
    open_to_all.mkdir()
    open_to_all.chmod(0o1777)
    target = tmp_path / "target"
    (target / "below").mkdir(parents=True)
    link = open_to_all / "dumps"
    link.symlink_to(target)
    os.lchown(link, OTHER, OTHER)

    with pytest.raises(UntrustedFolder, match=f"{link} is a link of "):
        opens(open_to_all / name, make=True)


def test_a_folder_that_is_swapped_after_the_look_is_refused(
    tmp_path, monkeypatch
):
    """What was opened counts."""
    path = tmp_path / "dumps"
    path.mkdir()
    other = tmp_path / "other"
    other.mkdir()
    genuine = folders._place_of

    def swap(*args):
        place = genuine(*args)
        Path(place).rmdir()
        Path(place).symlink_to(other)
        return place

    monkeypatch.setattr(folders, "_place_of", swap)

    with pytest.raises(OSError, match=r"link|directory"):
        opens(path)


@pytest.mark.parametrize("kind", ["link", "file", "others"])
def test_a_subfolder_that_is_not_ours_is_refused(tmp_path, kind):
    """It is made if it is missing, and never anything else."""
    target = tmp_path / "target"
    target.mkdir()
    if kind == "link":
        (tmp_path / "day").symlink_to(target)
    elif kind == "file":
        (tmp_path / "day").write_text("")
    else:
        (tmp_path / "day").mkdir()
        (tmp_path / "day").chmod(0o777)
    fd = opened_folder(tmp_path)

    try:
        with pytest.raises(UntrustedFolder):
            opened_subfolder(fd, "day", make=True)
        with pytest.raises(FileNotFoundError):
            opened_subfolder(fd, "missing")
        os.close(opened_subfolder(fd, "missing", make=True))
    finally:
        os.close(fd)


def test_a_user_without_a_name_has_a_number():
    """Containers have such."""
    assert folders.user_name(0) == "root"
    assert folders.user_name(4_000_000) == "user 4000000"


@pytest.mark.parametrize(
    "mode, is_safe", [(0o755, True), (0o777, False), (0o1777, False)]
)
def test_what_only_root_and_we_can_change(tmp_path, mode, is_safe):
    """Whoever may read it."""
    path = tmp_path / "venv"
    path.mkdir()
    path.chmod(mode)

    assert is_in_safe_hands(str(path)) == is_safe
    (path / "bin").mkdir()
    # What is ours in a folder with the sticky bit stays ours.
    assert is_in_safe_hands(str(path / "bin")) == (mode != 0o777)


@as_root
def test_what_another_user_has_is_not_in_safe_hands(tmp_path):
    """Nor what is in a folder of another user, nor a link of one."""
    path = tmp_path / "venv"
    (path / "bin").mkdir(parents=True)
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    os.chown(path, OTHER, OTHER)
    os.lchown(link, OTHER, OTHER)

    assert not is_in_safe_hands(str(path))
    assert not is_in_safe_hands(str(path / "bin"))
    assert not is_in_safe_hands(str(link))


@as_root
def test_a_group_of_others_may_write(tmp_path):
    """Our own group is us, another has other members."""
    path = tmp_path / "venv"
    path.mkdir()
    path.chmod(0o775)

    assert is_in_safe_hands(str(path))
    os.chown(path, 0, OTHER)
    assert not is_in_safe_hands(str(path))


def test_links_lead_on_below_the_root_of_a_process(tmp_path):
    """As the process has them, and not out of there."""
    root = tmp_path / "root"
    (root / "real").mkdir(parents=True)
    (root / "link").symlink_to("/real")
    (root / "up").symlink_to("../../../real")

    assert is_in_safe_hands("/link", str(root))
    assert is_in_safe_hands("/up", str(root))
    (root / "real").chmod(0o777)
    assert not is_in_safe_hands("/link", str(root))
    with pytest.raises(FileNotFoundError):
        is_in_safe_hands("/none", str(root))
    assert is_in_safe_hands("/usr", f"/proc/{os.getpid()}/root")

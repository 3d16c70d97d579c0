# SPDX-License-Identifier: Apache-2.0
"""The Containerfile, by its structure: no test builds an image."""

from __future__ import annotations

import io
import json
import shlex
import subprocess

import pytest
from dockerfile_parse import DockerfileParser
from places import ROOT

from nova_profiler import cli

PATH = ROOT / "etc" / "containers" / "Containerfile"


@pytest.fixture
def parsed() -> DockerfileParser:
    return DockerfileParser(fileobj=io.BytesIO(PATH.read_bytes()))


def words_of(parsed: DockerfileParser, instruction: str) -> list[str]:
    """Return the last value of *instruction* as the words of a command."""
    values = [
        one["value"]
        for one in parsed.structure
        if one["instruction"] == instruction
    ]
    return json.loads(values[-1])


def test_the_final_image_runs_as_no_root(parsed):
    """And the stage that has pip's leavings is not what is run."""
    users = [
        one["value"]
        for one in parsed.structure
        if one["instruction"] == "USER"
    ]

    assert len(parsed.parent_images) == 2
    assert users == ["65532:65532"]


def test_what_is_copied_is_in_a_checkout_or_made_by_make_dist(parsed):
    """Nothing else of the build's context is needed."""
    sources = [
        source
        for one in parsed.structure
        if one["instruction"] == "COPY" and "--from" not in one["value"]
        for source in one["value"].split()[:-1]
    ]

    made = [one for one in sources if one.startswith("dist/")]
    assert made == ["dist/*.whl"]
    assert [
        one
        for one in sources
        if one not in made and not (ROOT / one).is_file()
    ] == []


def test_its_shell_lines_are_a_shell_script(parsed):
    """As sh reads them, which runs none of it here."""
    lines = [
        one["value"] for one in parsed.structure if one["instruction"] == "RUN"
    ]

    assert len(lines) == 1
    for line in lines:
        subprocess.run(["sh", "-n", "-c", line], check=True)


def test_it_starts_the_pages_for_a_mounted_folder(parsed):
    """The command's own parser takes the words, and the port is exposed."""
    program, *before = words_of(parsed, "ENTRYPOINT")
    name, *words = [*before, *words_of(parsed, "CMD")]
    command = cli.group.get_command(None, name)
    context = command.make_context(name, words)
    (exposed,) = (
        one["value"]
        for one in parsed.structure
        if one["instruction"] == "EXPOSE"
    )

    assert program == cli.PROGRAM
    assert context.params["host"] == "0.0.0.0"  # noqa: S104 - in a container
    assert context.params["paths"] == (parsed.envs["NOVA_PROFILER_DUMP_DIR"],)
    assert str(context.params["port"]) == exposed


def test_the_lines_of_its_comment_are_commands_that_exist():
    """What a reader pastes: the build's file, and the reader's name."""
    text = PATH.read_text().replace("\\\n#", "")
    lines = [
        shlex.split(line.lstrip("# "))
        for line in text.splitlines()
        if line.startswith("#   podman")
    ]

    build, pages, reader = lines
    assert build[build.index("-f") + 1] == str(PATH.relative_to(ROOT))
    assert pages[-1] == "nova-profiler"
    assert reader[-2] in cli.COMMANDS

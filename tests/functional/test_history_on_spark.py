# SPDX-License-Identifier: Apache-2.0
"""History on Spark: two worker processes, the figures that DuckDB gives."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys

import pytest
from run_builders import alike, four_runs
from services import missing

pytestmark = pytest.mark.services

# A cluster with two workers, each a process of its own with one core.
CLUSTER = "local-cluster[2,1,1024]"
# Little data: compiling for it, and spreading it wide, is all the work.
SETTINGS = {
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.codegen.wholeStage": "false",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
    "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1",
}
COMMANDS = (
    ["history", "trend"],
    ["compare", "n?", "slow", "--fail-above", "10"],
)

# In a process of its own: a Spark session's Java machine outlives what made
# it. The session serves all commands, as starting it takes longest.
ASKING = """
import json, sys, warnings
warnings.simplefilter("ignore")
from click.testing import CliRunner
from ibis.backends.pyspark import Backend
from nova_profiler import cli
Backend.disconnect = lambda backend: None
printed = []
for command in json.loads(sys.argv[1]):
    result = CliRunner().invoke(cli.group, command)
    printed.append([result.exit_code, result.stdout, result.stderr])
print(json.dumps(printed))
"""


@pytest.fixture(scope="module")
def spark() -> str:
    """Return the master's URL, where Java and PySpark are."""
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        missing("no Java")
    if importlib.util.find_spec("pyspark") is None:
        missing("no PySpark")
    return CLUSTER


@pytest.fixture(scope="module")
def history(tmp_path_factory) -> str:
    """Return a history of four runs; in the last /r7 is slower."""
    # Folders above the history are no partitions of it.
    above = tmp_path_factory.mktemp("history")
    return four_runs(above / "run=all" / "method=GET" / "history")


@pytest.fixture(scope="module")
def asked(history, spark):
    """Return what a command prints by each engine, and how it ends."""
    return dict(
        zip(
            map(tuple, COMMANDS),
            zip(
                printed(history, "duckdb://"),
                printed(history, spark),
                strict=True,
            ),
            strict=True,
        )
    )


def printed(history: str, engine: str) -> list[tuple[int, object]]:
    more = ["--json", "--history", history, "--engine", engine]
    settings = [f"--conf {key}={value}" for key, value in SETTINGS.items()]
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            ASKING,
            json.dumps([[*command, *more] for command in COMMANDS]),
        ],
        env={
            **os.environ,
            "PYSPARK_SUBMIT_ARGS": f"{' '.join(settings)} pyspark-shell",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results = []
    for code, printed, error in json.loads(done.stdout.splitlines()[-1]):
        assert code in (0, 1), error
        results.append((code, json.loads(printed)))
    return results


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_spark_says_what_duckdb_says(asked, command):
    """The same expressions over the same Parquet: the same figures."""
    (code, inside), (spark_code, larger) = asked[tuple(command)]

    assert alike(inside, larger)
    assert code == spark_code


def test_the_slower_route_is_found(asked):
    """Not only the same, but right."""
    for code, found in asked[tuple(COMMANDS[1])]:
        slower = [
            row["route"]
            for row in found["routes"]
            if row["verdict"] == "slower"
        ]

        assert code == 1
        assert slower == ["/r7"]

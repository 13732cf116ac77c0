"""The course's page: its commands parse, its studies can be planned, and it is done as written (slow: all of it)."""

import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from studies.__main__ import DOORS
from studies.planning.command_line import request_of
from studies.planning.request import Draft, draft
from tests.readme import PAGES, block, shell_lines
from tests.test_readme import parser_of

PAGE = PAGES["docs/course.md"]
FILES = tuple(re.findall(r"<!-- (\w+\.py) -->", PAGE))
COMMANDS = shell_lines(PAGE)
NOT_RUN = ("cifar10", "tflite", "--profile cluster", "pip install", "apt-get")
"""Commands with these words need what a test machine lacks (data, packages, days): they are parsed only."""
DONE = [command for command in COMMANDS if not any(word in command for word in NOT_RUN)]
PIPELINE = [command for command in DONE if "lesson_5" in command]
SMALL = " --profile smoke --no-dashboard --set search.rungs=[3,9] --set confirm.epochs=9"
DRIFTED = "darker"
"""A name in the command that must find drift, and exits with 1."""


def drafted(command: str, folder: Path) -> Draft:
    """Return the draft of the study that a `studies run` or `studies plan` asks for, with its files in `folder`."""
    door, *rest = shlex.split(command)[1:]
    request = request_of(parser_of(door).parse_args(rest))
    own = request.study.endswith(".py")
    return draft(replace(request, study=str(folder / request.study)) if own else request)


def run(command: str, folder: Path, seconds: float) -> subprocess.CompletedProcess[str]:
    """Run a command of the page in `folder`, with this Python."""
    words = shlex.split(command)
    assert words[0] in ("studies", "python"), command
    words = words[1:] if words[0] == "python" else ["-m", *words]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STUDIES_")}
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**environment, "PYTHONSAFEPATH": "1", "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def write_files(folder: Path) -> None:
    """Write the page's files into `folder`."""
    for name in FILES:
        (folder / name).write_text(block(name) + "\n", encoding="utf-8")


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("studies ")])
def test_its_commands_parse(command: str) -> None:
    door, *rest = shlex.split(command)[1:]
    assert door in DOORS
    parser_of(door).parse_args(rest)


@pytest.mark.parametrize(
    "command", [command for command in COMMANDS if command.startswith(("studies run ", "studies plan "))]
)
def test_its_studies_can_be_drafted(command: str, tmp_path: Path) -> None:
    write_files(tmp_path)
    assert drafted(command, tmp_path).study.question


def test_its_networks_are_those_of_the_course(tmp_path: Path) -> None:
    write_files(tmp_path)
    runs = {
        name: drafted(command, tmp_path).study
        for command in COMMANDS
        if command.startswith("studies run ")
        for name in re.findall(r"--name (\w+)", command)
    }
    for name in ("lesson_1", "lesson_3", "lesson_4", "lesson_5"):
        assert runs[name].dataset == "synthetic"
        assert runs[name].fixed["width"] == (128, 64, 32, 16)
    assert runs["lesson_3"].factors["batch_norm"] == (False, True)
    assert runs["lesson_4"].factors["optimizer"] == ("sgd", "adam", "rmsprop")
    assert (runs["lesson_5"].fixed["clip_norm"], runs["lesson_5"].fixed["patience"]) == (1.0, 5)
    clothes = drafted(next(each for each in COMMANDS if "plan ./clothes.py" in each), tmp_path).study
    assert clothes.factors["schedule"] == ("exponential", "plateau")
    assert (clothes.fixed["width"], clothes.fixed["patience"]) == (32, 10)
    assert set(str(clothes.fixed["augmentation"]).split("+")) == {
        "rotation",
        "shift",
        "flip",
        "zoom",
        "shear",
    }
    assert runs["reviews"].factors == {
        "batch_norm": (False, True),
        "dropout": (0.1, 0.3, 0.5),
        "optimizer": ("adam", "rmsprop"),
    }
    assert (runs["reviews"].fixed["depth"], runs["reviews"].fixed["clip_norm"]) == (4, 1.0)
    assert runs["depth_bonus"].factors["depth"] == (3, 5, 7)


def test_its_training_pipeline_is_done_as_written_in_the_smoke_profile(tmp_path: Path) -> None:
    write_files(tmp_path)
    for command in PIPELINE:
        small = SMALL if command.startswith("studies run ") else ""
        done = run(command + small, tmp_path, 300)
        assert done.returncode == 0, done.stderr
    folder = tmp_path / "runs" / "lesson_5"
    training = json.loads((folder / "models" / "best" / "training_config.json").read_text(encoding="utf-8"))
    assert (training["clip_norm"], training["patience"]) == (1.0, 5)
    assert training["width"] == [128, 64, 32, 16]
    assert (folder / "figures" / "model-curves.png").is_file()


def test_its_own_loop_measures_and_draws_gradients(tmp_path: Path) -> None:
    write_files(tmp_path)
    done = run("python gradients.py", tmp_path, 300)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[:2] for line in lines] == [["batch", f"{number}:"] for number in range(1, 6)]
    assert all(len(line) == 6 and all(float(norm) > 0 for norm in line[2:]) for line in lines)
    assert (tmp_path / "gradients.png").stat().st_size > 5_000


@pytest.mark.slow
def test_the_whole_course_is_done_as_written(tmp_path: Path) -> None:
    write_files(tmp_path)
    for command in DONE:
        done = run(command, tmp_path, 3600)
        assert done.returncode == (DRIFTED in command), f"{command}\n{done.stdout}\n{done.stderr}"

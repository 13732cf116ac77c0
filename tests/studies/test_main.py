"""`studies` shows the doors and goes through the one that is named."""

import argparse
import importlib
import os
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import studies
from studies.__main__ import DOORS, main
from tests.studies.shadows import imported_by_python_itself, shadow

Capture = pytest.CaptureFixture[str]
ROOT = Path(__file__).parents[2]


def parsers() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for door in DOORS:
        module = importlib.import_module(
            "studies.database.__main__" if door == "database" else f"studies.{door}"
        )
        yield door, (getattr(module, "run_parser", None) or module._parser)()


def test_the_doors_shown_are_the_doors_there_are() -> None:
    modules = {
        module.name
        for module in pkgutil.iter_modules(studies.__path__)
        if not module.name.startswith("_") and "run_door(" in _source(module.name)
    }
    assert modules - {"options"} == set(DOORS) - {"database"}


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["help"]])
def test_the_overview_names_every_door_within_80_columns(arguments: list[str], capsys: Capture) -> None:
    assert main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    for door, about in DOORS.items():
        assert any(line.split(maxsplit=2) == ["studies", door, about] for line in lines)
    assert max(map(len, lines)) <= 80


def test_a_door_gets_its_arguments_and_gives_its_exit_code(url: str, capsys: Capture) -> None:
    assert main(["list", "--storage", url]) == 0
    assert capsys.readouterr().out.startswith("No studies yet.")
    assert main(["status", "nothing"]) == 2


def test_an_unknown_door_lists_the_doors(capsys: Capture) -> None:
    assert main(["stauts"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines()[0] == (
        f"error: stauts: no such command (did you mean status?); choices: {', '.join(DOORS)}"
    )
    assert len(captured.err.splitlines()) == 2


@pytest.mark.parametrize(("door", "parser"), [*parsers()], ids=DOORS)
def test_every_flag_is_described_and_every_door_has_an_example(
    door: str, parser: argparse.ArgumentParser
) -> None:
    for action in parser._actions:
        assert action.help, f"{door} {action.option_strings}"
    assert parser.description
    if door != "database":
        assert parser.epilog is not None
        assert f"studies {door}" in parser.epilog


def test_the_overview_comes_at_once() -> None:
    """Neither torch nor ray nor pandas is loaded to say which doors there are."""
    code = (
        "import sys; from studies.__main__ import main; main([]); "
        "assert not {'torch', 'ray', 'pandas', 'optuna'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, cwd=ROOT)


def test_python_m_studies_runs(url: str) -> None:
    command = [sys.executable, "-m", "studies", "list"]
    ended = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=dict(os.environ), check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("No studies yet.")


def _source(name: str) -> str:
    path = Path(studies.__path__[0]) / f"{name}.py"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


@pytest.mark.parametrize("is_module", [False, True])
def test_the_current_folder_is_not_where_modules_are_looked_for(tmp_path: Path, is_module: bool) -> None:
    """The installed command imports nothing there, whatever it is called; `python -m` what Python itself does first."""
    here, script = tmp_path / "here", tmp_path / "bin" / "studies"
    here.mkdir()
    script.parent.mkdir()
    script.write_text("import sys\nfrom studies.__main__ import main\nsys.exit(main())\n")
    shadow(here, spared={"studies", *imported_by_python_itself()} if is_module else set())
    words = ["-m", "studies.list"] if is_module else [str(script), "list"]
    listed = subprocess.run(
        [sys.executable, *words, "--catalog"],
        cwd=here,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (listed.returncode, listed.stderr) == (0, "")
    assert "depth_study" in listed.stdout

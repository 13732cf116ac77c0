"""Advice for those who call Python: commands become calls, options arguments; the rest is for a terminal."""

import ast
import re
import signal
from pathlib import Path

import pytest

import studies
from studies.base.errors import UsageError
from studies.base.stop_signal import RunInterruptedError
from studies.planning.in_python import ARGUMENTS, in_python, reword, told_in_python
from studies.planning.request import Request

ROOT = Path(__file__).resolve().parents[3]
STAY = {
    # of commands that Python does not have
    *("--grow-from", "--trial", "--watch", "--model", "--model-format", "--input", "--column", "--target"),
    *("--ignore", "--make-environment", "--int8", "--catalog", "--script", "--send", "--send-studies"),
    # of other programs, and of the command line alone
    *("--upgrade", "--force-reinstall", "--format=", "--file=", "--debug", "--looks", "--quiet"),
    *("--version", "--head", "--dashboard-host=", "--dashboard-agent-listen-port="),
}
"""Options in messages that have no argument: with the command that they belong to they are for a terminal."""
FOLDERS = (
    "base",
    "cluster",
    "database",
    "definition",
    "execution",
    "forecast",
    "planning",
    "raytune",
    "results",
)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("Give another with --name.", "Give another with name=."),
        ("--workers must be at least 1; got 0", "workers= must be at least 1; got 0"),
        ("run the study with --gpus-per-trial 1, stop it", "run the study with gpus_per_trial=1, stop it"),
        ("Give --budget 2h, or --profile smoke", "Give budget='2h', or profile='smoke'"),
        ("Leave it out: --set columns.a=ignore.", "Leave it out: settings={'columns.a': 'ignore'}."),
        ("Correct the --set values; nothing was trained.", "Correct the settings; nothing was trained."),
        ("For example: --looks 10,20, or so", "For example: settings={'looks': [10, 20]}, or so"),
        ("Stop it: studies stop x", "Stop it, in a terminal: studies stop x"),
        ("Upgrade it (pip install --upgrade studies)", "Upgrade it (pip install --upgrade studies)"),
        ("See how it goes: studies status x --watch", "See how it goes: studies.load_study('x')"),
        (
            "See it: studies show x --trial 3 --storage sqlite:///a.db",
            "See it: studies.load_study('x', storage='sqlite:///a.db').trials().set_index('trial_number').error[3]",
        ),
        (
            "Go on: studies run ./a.py --profile smoke --set factors.depth=[3,5] --workers 2 --no-dashboard",
            "Go on: studies.run_study('./a.py', settings={'factors.depth': [3, 5]}, profile='smoke', workers=2)",
        ),
        (
            "Only if h is dead: give the same command with --take-over.",
            "Only if h is dead: run the same cell or script again with take_over=True.",
        ),
        ("Grow it: studies run a --grow-from b", "Grow it, in a terminal: studies run a --grow-from b"),
        ("studies run 'unbalanced", "studies run 'unbalanced"),
        ("studies run depth_study --no-such-option", "studies run depth_study --no-such-option"),
    ],
)
def test_what_python_has_is_said_in_python(told: str, expected: str) -> None:
    assert in_python(told) == expected


def test_a_call_as_told_makes_the_same_request() -> None:
    request = Request(
        study="depth_study", settings={"factors.depth": (3, 5)}, seed=4, budget="2h", until="look"
    )
    told = in_python(f"Go on with: {request.command('run')}").removeprefix("Go on with: ")
    found = eval(told, {"studies": type("", (), {"run_study": lambda study, **given: (study, given)})})
    asked = found[1]
    assert set(asked) <= set(studies.run_study.__annotations__)
    assert found[0] == "depth_study"
    assert asked == {"settings": {"factors.depth": [3, 5]}, "seed": 4, "budget": "2h", "until": "look"}


def test_every_option_that_a_message_names_is_an_argument_or_known_to_be_none() -> None:
    """A message with a new option must say in Python what it says in a shell."""
    named = set()
    for folder in FOLDERS:
        for path in (ROOT / "studies" / folder).rglob("*.py"):
            if path.name not in ("command_line.py", "in_python.py"):
                named |= set(re.findall(r"--[a-z][a-z-]*=?", "\n".join(_texts(path))))
    assert {option for option in named if option not in STAY and option.rstrip("=") not in ARGUMENTS} == set()


def _texts(path: Path) -> list[str]:
    """Return the texts of a file, without its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    found = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in docs)
    return [node.value for node in found if isinstance(node.value, str)]


def test_an_error_keeps_its_type_and_is_reworded_with_its_mistakes() -> None:
    with pytest.raises(UsageError) as raised, told_in_python():
        raise UsageError(["--seed: must be whole", "--workers must be 1"], "Choose another --seed.")
    assert raised.value.mistakes == ("seed=: must be whole", "workers= must be 1")
    assert (
        str(raised.value)
        == "2 mistakes:\n- seed=: must be whole\n- workers= must be 1\nChoose another seed=."
    )


def test_an_interrupted_run_goes_on_with_its_cell() -> None:
    error = RunInterruptedError(signal.SIGINT, "studies run a --seed 3 --workers 1 --storage sqlite:///x.db")
    reword(error, Request(study="a", seed=3))
    call = "studies.run_study('a', seed=3, storage='sqlite:///x.db', workers=1)"
    assert error.advice == f"Go on: run the same cell or script again, or {call}"

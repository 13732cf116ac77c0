"""A user's file runs from its source alone, with the modules beside it, here and in a process far away."""

import json
import pickle
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping

import pytest

from trainables.base.hyperparameters import Hyperparameters
from trainables.user_code.code import Source, UserCode

FILE = b"""
import json
from json import load
from layers import OUTPUT
from parts.inner import WIDTH

def build(hyperparameters, input_shape, num_classes):
    from late import scale
    return [hyperparameters.depth * scale, input_shape, num_classes, WIDTH, OUTPUT, __file__]
"""
BESIDE = {
    "layers": b"from parts import inner\nOUTPUT = inner.WIDTH + 1\n",
    "parts.inner": b"WIDTH = 5\n",
    "late": b"scale = 10\n",
}


def code_of(text: bytes = FILE, modules: Mapping[str, bytes] = BESIDE) -> UserCode:
    return UserCode(
        file=Source(path="/nowhere/mine.py", text=text),
        modules={
            name: Source(path=f"/nowhere/{name}.py", text=beside, is_package=False)
            for name, beside in modules.items()
        },
    )


@pytest.fixture(autouse=True)
def _process_is_left_as_it_was() -> Iterator[None]:
    path, finders, modules = list(sys.path), list(sys.meta_path), set(sys.modules)
    yield
    assert (sys.path, sys.meta_path) == (path, finders)
    assert {name for name in set(sys.modules) - modules if not name.startswith("study_file_")} == set()


def test_a_function_runs_with_what_it_imports_when_it_runs() -> None:
    built: object = code_of().build(Hyperparameters(depth=3), (8, 8), 10)
    assert built == [30, (8, 8), 10, 5, 6, "/nowhere/mine.py"]


def test_it_travels_as_source_even_after_it_ran() -> None:
    code = code_of()
    code.build(Hyperparameters(), (8, 8), 10)
    script = (
        "import pickle, sys; from trainables.base.hyperparameters import Hyperparameters\n"
        "code = pickle.load(sys.stdin.buffer)\n"
        "print(code.build(Hyperparameters(depth=2), (4,), 3))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], input=pickle.dumps(code), capture_output=True, check=True
    )
    assert done.stdout.decode().strip() == "[20, (4,), 3, 5, 6, '/nowhere/mine.py']"


def test_other_modules_of_the_same_names_are_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    other = type(sys)("layers")
    monkeypatch.setitem(sys.modules, "layers", other)
    assert code_of().build(Hyperparameters(), (), 2)[4] == 6  # type: ignore[index]
    assert sys.modules["layers"] is other


def test_it_is_executed_once() -> None:
    code = code_of(b"import late\nlate.scale += 1\ndef load():\n    import late\n    return late.scale\n")
    assert [code.load(), code.load()] == [11, 11]


def test_a_traceback_shows_lines_of_a_file_that_is_not_here() -> None:
    code = code_of(b"import late\ndef load():\n    return late.missing  # not there\n")
    try:
        code.load()
    except AttributeError:
        told = traceback.format_exc()
    assert 'File "/nowhere/mine.py", line 3, in load' in told
    assert "return late.missing  # not there" in told


def test_a_function_from_elsewhere_is_not_the_users_own() -> None:
    code = code_of()
    assert [code.defines(name) for name in ("load", "build", "nothing", "WIDTH")] == [
        False,
        True,
        False,
        False,
    ]
    assert code.function("load") is json.load
    assert code.function("WIDTH") is None
    assert code_of(b"from late import load", {"late": b"def load(): pass"}).defines("load")
    assert code_of(b"import functools\nbuild = functools.partial(dict, a=1)", {}).defines("build")

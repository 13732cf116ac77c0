"""The source of functions of cells with all they refer to: the module does the same, or what is amiss is said."""

import linecache
import math
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.base.errors import UsageError
from studies.user_files.python_source import module_text
from tests.studies.user_files.cells import Cells, notebook

HEADER = '"""A module."""'


@pytest.fixture
def cells() -> Iterator[Cells]:
    with notebook() as found:
        yield found


def module_of(text: str) -> dict[str, Any]:
    """Run a module's text in a namespace of its own."""
    names: dict[str, Any] = {"__name__": "a_module"}
    exec(compile(text, "a_module", "exec", dont_inherit=True), names)
    return names


def of(cells: Cells, **roles: str) -> str:
    return module_text({role: cells[name] for role, name in roles.items()}, HEADER)


EVERYTHING = '''
import math
import os.path
import xml.etree.ElementTree
import numpy as np
from dataclasses import dataclass
from functools import lru_cache, wraps
from math import hypot as length

FACTORS = {"a": (1, 2.5), "b": [None, True, float("inf")]}


def traced(function):
    @wraps(function)
    def inner(*arguments):
        return ("traced", function(*arguments))
    return inner


@dataclass
class Options:
    width: int = 3


class Base:
    scale = FACTORS["a"][0]


class Net(Base):
    def __init__(self, size: "Options" = Options()):
        self.size = size

    def area(self):
        return helper(self.size.width) * self.scale


@lru_cache
def helper(number, *, offset=len(FACTORS)):
    return math.floor(number) + offset if number < 100 else other(number)


def other(number):
    return helper(number - 1)


@traced
def make(first):
    """Keep "this" \\t text."""
    tree = xml.etree.ElementTree.fromstring("<a><b/></a>")
    return [Net().area(), length(3, 4), np.sqrt(4.0), os.path.basename("a/b"), len(tree), [x * first for x in (1, 2)]]
'''


def test_the_module_does_what_the_cells_do(cells: Cells) -> None:
    cells.run(EVERYTHING)
    found = module_of(of(cells, build="make"))
    assert found["build"](4) == cells["make"](4) == ("traced", [5, 5.0, 2.0, "b", 1, [4, 8]])
    assert found["FACTORS"] == cells["FACTORS"]
    assert found["Net"]().area() == 5


def test_the_same_definitions_give_the_same_text_in_any_order(cells: Cells) -> None:
    parts = [
        "A = 1\nB = 2\n",
        "def one():\n    return A\n",
        "def two():\n    return one() + B\n",
        "def build():\n    return two()\n",
    ]
    texts = set()
    for seed in range(4):
        random.Random(seed).shuffle(parts)
        texts.add(of(cells.run(*parts), build="build"))
    assert len(texts) == 1
    edited = of(cells.run("def one():\n    return A + 1\n"), build="build")
    assert {edited} != texts


def test_what_is_not_used_does_not_go_with_it(cells: Cells) -> None:
    cells.run(
        "import os\nHUGE = object()\n\ndef unused():\n    return HUGE\n\ndef load():\n    HUGE = 1\n    return HUGE\n"
    )
    assert of(cells, load="load") == f"{HEADER}\n\ndef load():\n    HUGE = 1\n    return HUGE\n\n"


def test_annotations_stay_texts_where_the_cell_keeps_them_so(cells: Cells) -> None:
    cells.run("from __future__ import annotations\n\ndef load(x: int = 1) -> list[int]:\n    return [x]\n")
    found = module_of(of(cells, load="load"))
    assert found["load"].__annotations__ == {"x": "int", "return": "list[int]"}


def test_a_class_and_a_function_under_another_name_serve_as_roles(cells: Cells) -> None:
    cells.run(
        "class Net:\n    def __init__(self, h):\n        self.h = h\n\ndef get():\n    return 3\n\nalias = get\n"
    )
    found = module_of(of(cells, build="Net", load="alias"))
    assert found["build"](3).h == 3
    assert found["load"]() == 3


def test_a_function_of_an_importable_module_is_imported(cells: Cells) -> None:
    cells.run("from colorsys import rgb_to_hsv\n")
    assert module_of(of(cells, load="rgb_to_hsv"))["load"](1, 1, 1) == (0.0, 0.0, 1)


def test_a_train_may_call_a_build_of_its_own(cells: Cells) -> None:
    cells.run("def build():\n    return 3\n\ndef train():\n    yield build()\n")
    assert list(module_of(of(cells, train="train"))["train"]()) == [3]


@pytest.mark.parametrize(
    ("source", "name", "expected"),
    [
        ("f = lambda: 1", "f", "load= is a lambda"),
        (
            "def g():\n    def f():\n        return 1\n    return f\nf = g()",
            "f",
            "defined inside another function",
        ),
        ("class A:\n    def f(self):\n        pass\nf = A().f", "f", "load= is a"),
        ("from functools import partial\ndef g(x):\n    pass\nf = partial(g, 1)", "f", "load="),
        (
            "import numpy as np\ntable = np.zeros(3)\ndef f():\n    return table",
            "f",
            "f uses table, which is a ndarray",
        ),
        (
            "import io\ndata = io.StringIO()\ndef f():\n    return data",
            "f",
            "f uses data, which is a StringIO",
        ),
        ("def f():\n    return missing", "f", "f uses missing, which is not defined"),
        ("n = 0\ndef f():\n    global n\n    n += 1", "f", "f changes the global n"),
        (
            "def f():\n    get_ipython().system('ls')\ndef get_ipython(): ...",
            "f",
            "f uses get_ipython, which is a magic",
        ),
        ("def train():\n    pass\ndef f():\n    train()", "f", "train is used for something else"),
        ("STUDY = 1\ndef f():\n    return STUDY", "f", "STUDY is used for something else"),
        (
            "def g(x):\n    from functools import wraps\n    return wraps(x)(lambda: 2)\ndef f():\n    pass\nf = g(f)",
            "f",
            "wrapper as a decorator",
        ),
        ("f = 3", "f", "load= must be a function; got a int"),
    ],
)
def test_what_cannot_be_written_down_is_named(cells: Cells, source: str, name: str, expected: str) -> None:
    cells.run(source)
    with pytest.raises(UsageError) as raised:
        of(cells, load=name)
    assert expected in raised.value.message
    assert "Nothing was trained" in raised.value.advice


def test_every_mistake_is_told_at_once(cells: Cells) -> None:
    cells.run("t = object()\ndef load():\n    return t, u\ndef build():\n    return v\n")
    with pytest.raises(UsageError) as raised:
        of(cells, load="load", build="build")
    assert len(raised.value.mistakes) == 3


def test_a_name_of_two_meanings_is_refused(cells: Cells) -> None:
    """As where a cell is run again, but not the one that has kept the earlier function under another name."""
    cells.run(
        "def one():\n    return 1\n",
        "kept = one\n",
        "def one():\n    return 2\n",
        "def load():\n    return kept() + one()\n",
    )
    with pytest.raises(UsageError, match="two different things"):
        of(cells, load="load")


def test_a_source_that_is_unknown_or_has_changed_since_is_refused(cells: Cells) -> None:
    exec(compile("def load():\n    return 1\n", "<stdin>", "exec"), cells.names)
    with pytest.raises(UsageError, match="typed at its prompt"):
        of(cells, load="load")
    cells.run("def load():\n    return 1\n")
    text = "def load():\n    return 2\n"
    linecache.cache[cells.files[-1]] = (len(text), None, text.splitlines(keepends=True), cells.files[-1])
    with pytest.raises(UsageError, match="has changed since it was run"):
        of(cells, load="load")


def test_a_class_without_methods_is_found_if_it_is_defined_once(cells: Cells) -> None:
    cells.run("class Config:\n    width = 3\n\ndef load():\n    return Config.width\n")
    assert module_of(of(cells, load="load"))["load"]() == 3
    cells.run("class Config:\n    width = 4\n")
    with pytest.raises(UsageError, match="in several ways"):
        of(cells, load="load")


@given(
    constants=st.lists(st.integers() | st.text() | st.floats(allow_nan=False), min_size=6, max_size=6),
    uses=st.lists(st.sets(st.integers(0, 5)), min_size=6, max_size=6),
    order=st.permutations(range(6)),
    data=st.data(),
)
def test_any_web_of_functions_does_the_same(
    constants: list[object], uses: list[set[int]], order: list[int], data: st.DataObject
) -> None:
    """Functions that call those of smaller numbers, and read constants, whatever order their cells are run in."""
    sources = []
    for number, (constant, used) in enumerate(zip(constants, uses, strict=True)):
        calls = "".join(f"f_{each}(), " for each in sorted(used) if each < number)
        value = (
            repr(constant)
            if not isinstance(constant, float) or math.isfinite(constant)
            else f"float('{constant}')"
        )
        sources.append(
            f"c_{number} = {value}\n\ndef f_{number}():\n    return ({number}, c_{number}, {calls})\n"
        )
    chosen = data.draw(st.integers(0, 5))
    with notebook() as first:
        first.run(*(sources[number] for number in order))
        text, expected = of(first, load=f"f_{chosen}"), first[f"f_{chosen}"]()
    with notebook() as second:
        assert of(second.run(*sources), load=f"f_{chosen}") == text
    assert module_of(text)["load"]() == expected

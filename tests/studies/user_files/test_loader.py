"""A user's own file is loaded, hashed with what it imports, and its mistakes told with file and line."""

import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from studies.base.errors import UsageError
from studies.definition.study import Study
from studies.user_files.loader import INSTALLED, load_definition
from tests.studies.command import ROOT

GOOD = """
from studies.study import Search, Study
STUDY = Study(question="Does depth help?", factors={"depth": (2, 4)}, search=Search(trials_per_cell=1))
"""


def _process_is_left_as_it_was() -> Iterator[None]:
    path, modules = list(sys.path), set(sys.modules)
    yield
    assert sys.path == path
    assert {name for name in set(sys.modules) - modules if not name.startswith("study_file_")} == set()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "my_study.py"
    file.write_text(GOOD)
    return file


def hash_of(file: Path) -> str:
    source_hash = load_definition(str(file))[2]
    assert source_hash is not None
    return source_hash


def test_every_dependency_is_among_what_is_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    dependencies = {re.split(r"[^\w-]", each)[0] for each in project["dependencies"]}
    owners = packages_distributions()
    assert dependencies - {name.lower() for module in INSTALLED for name in owners[module]} == set()


def mistake_of(file: Path) -> str:
    with pytest.raises(UsageError) as caught:
        load_definition(str(file))
    return "\n".join(caught.value.mistakes)


def test_it_is_loaded_by_path(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = load_definition(str(file))
    assert (found.name, found.study.factors) == ("my_study", {"depth": (2, 4)})
    monkeypatch.chdir(file.parent)
    assert load_definition("./my_study.py") == found
    assert load_definition("my_study.py") == found


def test_two_files_of_one_name_do_not_mix(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / "my_study.py"
    other.parent.mkdir()
    for folder, depths in ((file.parent, "(2, 4)"), (other.parent, "(6, 8)")):
        (folder / "depths.py").write_text(f"DEPTHS = {depths}\n")
        (folder / "my_study.py").write_text("from depths import DEPTHS\n" + GOOD.replace("(2, 4)", "DEPTHS"))
    assert load_definition(str(file))[1].factors == {"depth": (2, 4)}
    assert load_definition(str(other))[1].factors == {"depth": (6, 8)}
    assert hash_of(file) != hash_of(other)


def test_a_dataclass_of_its_own_works(file: Path) -> None:
    own = "from __future__ import annotations\nfrom dataclasses import dataclass\n"
    own += "@dataclass\nclass A:\n    a: int\n"
    file.write_text(own + GOOD)
    assert isinstance(load_definition(str(file))[1], Study)


def test_the_hash_covers_the_file_and_local_imports_however_deep(file: Path) -> None:
    hashes = [hash_of(file)]
    file.write_text(GOOD + "\nimport shared.levels\n")
    (file.parent / "shared").mkdir()
    for name, source in {
        "shared/__init__.py": "from .inner import A\n",
        "shared/inner.py": "A = 1\n",
        "shared/levels.py": "def late():\n    import late_one\n",
        "late_one.py": "B = 1\n",
    }.items():
        (file.parent / name).write_text(source)
    hashes.append(hash_of(file))
    for name in (
        "shared/__init__.py",
        "shared/inner.py",
        "shared/levels.py",
        "late_one.py",
        "my_study.py",
    ):
        with (file.parent / name).open("a") as source_file:
            source_file.write("# changed\n")
        hashes.append(hash_of(file))
    assert len(set(hashes)) == len(hashes)


def test_the_hash_covers_nothing_else(file: Path) -> None:
    file.write_text("import json, numpy, studies\n" + GOOD)
    before = hash_of(file)
    for name in ("other.py", "json.py", "numpy.py", "studies/__init__.py", "search_spaces.py"):
        (file.parent / name).parent.mkdir(exist_ok=True)
        (file.parent / name).write_text("raise RuntimeError('not to be imported')\n")
    assert hash_of(file) == before


def test_a_copy_elsewhere_has_the_same_hash(file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy" / file.name
    copy.parent.mkdir()
    copy.write_text(GOOD)
    assert hash_of(copy) == hash_of(file)


def test_a_changed_import_is_read_afresh(file: Path) -> None:
    file.write_text("from depths import DEPTHS\n" + GOOD.replace("(2, 4)", "DEPTHS"))
    (file.parent / "depths.py").write_text("DEPTHS = (2, 4)\n")
    assert load_definition(str(file))[1].factors == {"depth": (2, 4)}
    (file.parent / "depths.py").write_text("DEPTHS = (2, 4, 16)\n")
    assert load_definition(str(file))[1].factors == {"depth": (2, 4, 16)}


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    assert mistake_of(tmp_path / "none.py") == f"{tmp_path}/none.py: no such file"
    assert mistake_of(tmp_path) == f"{tmp_path}: no such file"


def test_no_study_in_it(file: Path) -> None:
    file.write_text("A = 1\n")
    assert mistake_of(file) == f"{file}: defines no STUDY"
    file.write_text(GOOD.replace("STUDY =", "my_study ="))
    assert mistake_of(file) == f"{file}: defines no STUDY; call my_study so"


def test_a_study_of_the_wrong_type(file: Path) -> None:
    file.write_text("STUDY = {'factors': 3}\n")
    assert mistake_of(file) == f'{file}: STUDY must be a Study; got {{"factors": 3}}'


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a = 1\na / 0\n", ":2: ZeroDivisionError: division by zero"),
        ("a = (\n", ":1: SyntaxError: '(' was never closed"),
        ("\nimport nowhere_at_all\n", ":2: ModuleNotFoundError: No module named 'nowhere_at_all'"),
        (
            "import sys\nsys.exit(3)\n",
            ":2: SystemExit: 3, which would end the command; raise an error instead",
        ),
        ("import sys\nsys.exit()\n", ":2: SystemExit, which would end the command"),
        ("raise KeyboardInterrupt\n", ":1: KeyboardInterrupt, which would end the command"),
        ("\nraise GeneratorExit\n", ":2: GeneratorExit, which would end the command"),
        ("import json\n\njson.loads('{')\n", ":3: JSONDecodeError: Expecting property name"),
        ("a = '\0'\n", ": SyntaxError: source code string cannot contain null bytes"),
        ("from . import a\n", ":1: ImportError: attempted relative import"),
    ],
)
def test_what_fails_is_told_with_file_and_line(file: Path, source: str, expected: str) -> None:
    file.write_text(source)
    assert mistake_of(file).startswith(f"{file}{expected}")


def test_a_failing_import_is_told_with_its_own_file_and_line(file: Path) -> None:
    file.write_text("import broken\n" + GOOD)
    (file.parent / "broken.py").write_text("\n\n1 / 0\n")
    assert mistake_of(file) == f"{file.parent}/broken.py:3: ZeroDivisionError: division by zero"
    (file.parent / "broken.py").write_text("\n\nif\n")
    assert mistake_of(file) == f"{file.parent}/broken.py:3: SyntaxError: invalid syntax"


def test_mistakes_of_the_definition_name_file_line_and_field(file: Path) -> None:
    file.write_text(GOOD.replace("(2, 4)", "(0, 4)").replace("search=", "replicates=0, search="))
    assert mistake_of(file).splitlines() == [
        f"{file}:3: replicates must be a whole number from 1 to 1000; got 0",
        f"{file}:3: each level of factors.depth must be a whole number from 1 to 200; got 0",
    ]


def test_a_file_that_may_not_be_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert mistake_of(file) == f"{file}: cannot be read (Permission denied)"

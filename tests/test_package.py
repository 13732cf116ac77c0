"""What is installed: the wheel's and the source archive's files, and what an import of `studies` loads."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import studies
from tests.structure import PACKAGES

ROOT = Path(__file__).resolve().parents[1]
BESIDE = (
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "MANIFEST.in",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "constraints.txt",
)
BUILD = (
    "from setuptools import build_meta; print(build_meta.build_wheel('out'), build_meta.build_sdist('out'))"
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and the source archive of a copy, without a network, and return their folder."""
    copy = tmp_path_factory.mktemp("package")
    ignored = shutil.ignore_patterns("__pycache__")
    for folder in (*PACKAGES, "tests", "docs", "examples"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=ignored)
    for name in BESIDE:
        shutil.copy(ROOT / name, copy / name)
    (copy / "out").mkdir()
    subprocess.run([sys.executable, "-c", BUILD], cwd=copy, check=True, capture_output=True)
    return copy / "out"


def test_the_wheel_holds_the_four_packages_typed_and_no_tests(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(names)
    assert "reports/templates/report.html.j2" in names
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == set(PACKAGES)


def test_the_source_archive_holds_what_the_readme_names(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as files:
        names = {name.partition("/")[2] for name in files.getnames()}
    pages = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").iterdir()}
    pages |= {path.relative_to(ROOT).as_posix() for path in (ROOT / "examples" / "cluster").iterdir()}
    assert {
        *pages,
        "examples/from_question_to_prediction.ipynb",
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "LICENSE",
        "constraints.txt",
    } <= names


HEAVY = {"torch", "ray", "pandas", "optuna", "numpy", "sqlalchemy"}


def test_an_import_loads_nothing_heavy_until_a_name_is_asked_for() -> None:
    code = (
        "import sys, studies\n"
        f"assert not {HEAVY} & set(sys.modules), 'import studies'\n"
        "assert set(studies.__all__) <= set(dir(studies))\n"
        "from studies import UsageError\n"
        f"assert not {HEAVY} & set(sys.modules), 'an error'\n"
        "from studies import Metric, Search, Study\n"
        "assert not {'torch', 'ray', 'pandas', 'sqlalchemy'} & set(sys.modules), 'a study'\n"
        "from studies import study\n"
        "assert study.Study is Study\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_a_name_that_is_not_exported_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'studies' has no attribute 'Stduy'"):
        studies.Stduy  # noqa: B018


def test_a_star_import_gives_what_is_public() -> None:
    names: dict[str, object] = {}
    exec("from studies import *", names)
    assert {*studies.__all__} == {*names} - {"__builtins__"}

"""The house's arrows, read from the imports: who may call whom, and which libraries live where."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests import structure

ROOT = Path(__file__).resolve().parent.parent
WINGS = ("search_spaces", "trainables", "reports")
LIBRARIES = {
    "search_spaces": set(),
    "trainables": {
        *(
            "torch",
            "numpy",
            "numba",
            "llvmlite",
            "threadpoolctl",
            "sklearn",
            "scipy",
            "statsmodels",
            "safetensors",
            "ray",
            "pandas",
            "pyarrow",
        ),
        *("PIL", "torchinfo", "onnx", "onnxscript", "onnxruntime"),
        *("litert_torch", "ai_edge_litert", "ai_edge_quantizer"),
    },
    "reports": {"pandas", "numpy", "scipy", "statsmodels", "matplotlib", "jinja2", "markupsafe"},
}
TABLES = ("trainables/data/tables/", "trainables/datasets/csv.py")
ONLY_IN = {
    "ray": ("trainables/trial.py", "studies/raytune/", "studies/cluster/"),
    "optuna": ("studies/search/", "studies/exchange/optuna.py"),
    "sqlalchemy": ("studies/database/",),
    "alembic": ("studies/database/",),
    # A wing that trains has no use for frames, but for reading a user's table, and rows to predict.
    "pandas": ("studies/", "reports/", "trainables/use/", *TABLES),
    "rich": ("studies/terminal/",),
    "mlflow": ("studies/exchange/mlflow.py",),
    "wandb": ("studies/exchange/wandb.py",),
    # Run by an environment of its own: nothing else may import what is not installed here.
    **dict.fromkeys(
        ("litert_torch", "ai_edge_litert", "ai_edge_quantizer"), ("trainables/use/exported/tflite_worker.py",)
    ),
}
VALUES_ONLY = "optuna.distributions"
"""The one module of Optuna that says which values there are and tunes nothing."""


def sources(package: str) -> list[Path]:
    """Return every Python file of a package."""
    return sorted((ROOT / package).rglob("*.py"))


@cache
def top_level(path: Path) -> frozenset[str]:
    """Return the first parts of a file's imports."""
    names = structure.imported_names(path)
    return frozenset(name.partition(".")[0] for name in names if not f"{name}.".startswith(f"{VALUES_ONLY}."))


@pytest.mark.parametrize("wing", WINGS)
def test_a_wing_imports_neither_the_hall_nor_another_wing(wing: str) -> None:
    others = {"studies", "tests", *WINGS} - {wing}
    assert sources(wing)
    assert {str(path): top_level(path) & others for path in sources(wing) if top_level(path) & others} == {}


@pytest.mark.parametrize("wing", WINGS)
def test_a_wing_keeps_to_its_libraries(wing: str) -> None:
    allowed = LIBRARIES[wing] | {wing} | set(sys.stdlib_module_names)
    assert {str(path): top_level(path) - allowed for path in sources(wing) if top_level(path) - allowed} == {}


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_lives_in_its_room(library: str) -> None:
    users = [
        path.relative_to(ROOT).as_posix()
        for package in ("studies", *WINGS)
        for path in sources(package)
        if library in top_level(path)
    ]
    assert users, f"nobody uses {library}: take it out of the dependencies"
    assert [user for user in users if not user.startswith(ONLY_IN[library])] == []


def _leaves_the_encoding_to_the_locale(call: ast.Call) -> bool:
    """Say whether a call opens a text, or hears a program, without saying in which encoding."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    given = {keyword.arg for keyword in call.keywords}
    modes = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    if name in ("read_text", "write_text"):
        return "encoding" not in given
    if name in ("open", "fdopen"):
        is_text = any(set(mode) <= set("rwxat+") for mode in modes) or "newline" in given
        return "encoding" not in given and is_text
    is_program = name in ("run", "Popen", "check_output")
    return is_program and bool({"text", "universal_newlines"} & given) and "encoding" not in given


@pytest.mark.parametrize("package", ["studies", *WINGS])
def test_no_text_is_read_in_the_locales_encoding(package: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources(package)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and _leaves_the_encoding_to_the_locale(node)
    ]
    assert found == []


def test_the_database_knows_nothing_of_reports() -> None:
    assert [path for path in sources("studies/database") if "reports" in top_level(path)] == []


def test_nothing_imports_the_tests() -> None:
    for package in ("studies", *WINGS):
        assert [path for path in sources(package) if "tests" in top_level(path)] == []


def test_every_file_says_what_lives_there() -> None:
    for package in ("studies", *WINGS, "tests"):
        for path in sources(package):
            text = path.read_text(encoding="utf-8")
            if text.strip():
                first = (ast.get_docstring(ast.parse(text)) or "").splitlines()[:1]
                assert first, f"{path.relative_to(ROOT)} has no first sentence"
                assert first[0].endswith((".", "?", ":")), f"{path.relative_to(ROOT)}: {first[0]}"


MAX_MODULES = 25


def test_no_two_folders_import_each_other() -> None:
    assert structure.two_way_pairs() == []


def test_no_module_imports_its_way_back_to_itself() -> None:
    assert structure.circles() == []


def test_no_folder_is_crowded() -> None:
    sizes = structure.sizes_of_folders()
    assert {folder: size for folder, size in sizes.items() if size > MAX_MODULES} == {}


@pytest.mark.parametrize("package", structure.PACKAGES)
def test_no_room_imports_a_door(package: str) -> None:
    """A package's root holds doors and re-exports; a study of the catalog imports what a user's file would."""
    doors = {
        module.name
        for module in structure.modules().values()
        if module.folder == package and not module.is_package and package != "search_spaces"
    }
    found = {
        module.name: sorted(module.imports & doors)
        for module in structure.modules().values()
        if not module.is_door and not module.name.startswith("studies.catalog.") and module.imports & doors
    }
    assert found == ALLOWED_DOORS.get(package, {})


ALLOWED_DOORS = {"trainables": {"studies.raytune.experiment": ["trainables.trial"]}}
"""The trainable that Tune is handed is the door of its wing."""


def _helpers(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the name and the code of each function of a module that is no test, without its docstring."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("test_"):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            yield node.name, "\n".join(map(ast.unparse, [*node.decorator_list, node.args, *body]))


def test_no_helper_of_the_tests_is_written_twice() -> None:
    places: dict[tuple[str, str], list[str]] = {}
    for path in sources("tests"):
        for helper in _helpers(path):
            places.setdefault(helper, []).append(f"{path.relative_to(ROOT)}: {helper[0]}")
    assert [found for found in places.values() if len(found) > 1] == []

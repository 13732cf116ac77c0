"""The structure of the code, counted: files, folders, imports, and the files that a name passes on its way.

`python -m tests.structure` prints it; `tests/test_house.py` holds the code to its rules.
"""

import ast
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("studies", "search_spaces", "trainables", "reports")
FOLLOWED = ("dropout", "delta_rms")
"""A hyperparameter and a measure, whose ways through the code are counted."""
DOOR = "studies.run"
"""The command whose way through the code is counted."""


@dataclass(frozen=True, kw_only=True)
class Module:
    """A Python file: its dotted name (a package's own for `__init__`), and the internal modules that it imports."""

    name: str
    path: Path
    imports: frozenset[str]

    @property
    def is_package(self) -> bool:
        """Whether it is a folder's `__init__`."""
        return self.path.name == "__init__.py"

    @property
    def folder(self) -> str:
        """The dotted name of the folder that it lies in."""
        return self.name if self.is_package else self.name.rpartition(".")[0]

    @property
    def is_door(self) -> bool:
        """Whether it is a door or re-export: a module of a package's root, or what `python -m` runs."""
        return "." not in self.folder or self.name.endswith("__main__")


@cache
def modules() -> Mapping[str, Module]:
    """Return every module of the packages by its dotted name."""
    paths = {_name(path): path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))}
    return {
        name: Module(name=name, path=path, imports=frozenset(_imported(path, paths)) - {name})
        for name, path in paths.items()
    }


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_names(path: Path) -> Iterator[str]:
    """Yield the full name of everything that a file imports, wherever in the file: modules, and what is in them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the arrows"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _imported(path: Path, known: Mapping[str, Path]) -> Iterator[str]:
    """Yield the internal modules that a file imports."""
    for name in imported_names(path):
        while name and name not in known:
            name = name.rpartition(".")[0]
        if name:
            yield name


def two_way_pairs() -> list[tuple[str, str]]:
    """Return the pairs of folders that import each other, doors apart."""
    arrows = {
        (module.folder, modules()[name].folder)
        for module in modules().values()
        if not module.is_door
        for name in module.imports
        if modules()[name].folder != module.folder
    }
    return sorted((a, b) for a, b in arrows if a < b and (b, a) in arrows)


def circles() -> list[list[str]]:
    """Return the groups of modules in which each one imports its way to every other (Tarjan 1972)."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        order[name] = lowest[name] = len(order)
        stack.append(name)
        for other in sorted(modules()[name].imports):
            if other not in order:
                visit(other)
            if other in stack:
                lowest[name] = min(lowest[name], lowest[other])
        if lowest[name] == order[name]:
            place = stack.index(name)
            group = stack[place:]
            del stack[place:]
            if len(group) > 1:
                found.append(sorted(group))

    for name in modules():
        if name not in order:
            visit(name)
    return found


def sizes_of_folders() -> dict[str, int]:
    """Return how many modules each folder holds, `__init__` and doors left out."""
    sizes: dict[str, int] = {}
    for module in modules().values():
        if not module.is_package and not module.is_door:
            sizes[module.folder] = sizes.get(module.folder, 0) + 1
    return sizes


def files_with(word: str) -> list[str]:
    """Return the modules in which `word` occurs as a name, an attribute, an argument or a text of its own."""
    return [
        module.name
        for module in modules().values()
        if word in _words(module.path.read_text(encoding="utf-8"))
    ]


def _words(text: str) -> set[str]:
    words: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        match node:
            case (
                ast.Name(id=word) | ast.Attribute(attr=word) | ast.keyword(arg=str(word)) | ast.arg(arg=word)
            ):
                words.add(word)
            case ast.Constant(value=str(word)):
                words.add(word)
    return words


def reached_from(name: str) -> set[str]:
    """Return the modules of `studies` that are imported on the way from `name`, however late, the database's apart."""
    reached: set[str] = set()
    waiting = [name]
    while waiting:
        at = waiting.pop()
        if at not in reached:
            reached.add(at)
            waiting += modules()[at].imports
    return {
        each
        for each in reached
        if each.startswith("studies.") and ".database." not in each and not modules()[each].is_package
    }


def figures() -> dict[str, str]:
    """Return what is counted, each figure with what it says."""
    files = [module for module in modules().values() if not module.is_package]
    lines = [len(module.path.read_text(encoding="utf-8").splitlines()) for module in files]
    sizes = sizes_of_folders()
    largest = max(sizes, key=lambda folder: sizes[folder])
    return {
        "files": f"{len(files)}",
        "lines of code": f"{sum(lines):,}",
        "median lines of a file": f"{statistics.median(lines):.0f}",
        "files under 40 lines": f"{sum(n < 40 for n in lines) / len(lines):.0%}",
        "files over 250 lines": f"{sum(n > 250 for n in lines) / len(lines):.1%}",
        "internal imports a file": f"{statistics.mean(len(module.imports) for module in files):.1f}",
        "modules of the largest folder": f"{sizes[largest]} ({largest})",
        "modules beside the doors of studies": f"{len([m for m in files if m.folder == 'studies'])}",
        "two-way pairs of folders": f"{len(two_way_pairs())}",
        "import circles": f"{len(circles())}",
        **{f"files that {word} passes": f"{len(files_with(word))}" for word in FOLLOWED},
        f"files that {DOOR} passes": f"{len(reached_from(DOOR))}",
    }


if __name__ == "__main__":
    for said, figure in figures().items():
        print(f"{said:40} {figure}")

"""Which modules beside a Python file it imports, found by reading import statements, without executing any."""

import ast
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

OURS = {"studies", "search_spaces", "trainables", "reports"}
INSTALLED = {
    *("alembic", "jinja2", "matplotlib", "numpy", "optuna", "pandas", "pydantic", "ray", "rich"),
    *("safetensors", "scipy", "sklearn", "sqlalchemy", "statsmodels", "torch"),
}
"""What is installed with Studies."""
NOT_LOCAL = {*OURS, *INSTALLED, *sys.stdlib_module_names}
"""Names of modules that are never the user's own, whatever lies beside the file."""


def local_imports(path: Path) -> dict[str, Path]:
    """Return the modules that `path` imports from its own folder, directly or through each other, by dotted name.

    Imports inside functions count, those made by name at run time (importlib) cannot be seen.
    """
    found: dict[str, Path] = {}
    waiting = [("", path)]
    while waiting:
        for name in _imported_names(*waiting.pop()):
            source = _source(path.parent, name)
            if name not in found and source is not None:
                found[name] = source
                waiting.append((name, source))
    return found


def _source(folder: Path, name: str) -> Path | None:
    if name.partition(".")[0] in NOT_LOCAL:
        return None
    place = folder.joinpath(*name.split("."))
    candidates = (place / "__init__.py", place.with_name(f"{place.name}.py"))
    return next((source for source in candidates if source.is_file()), None)


def _imported_names(module: str, source: Path) -> Iterator[str]:
    """Yield the dotted names of modules that `source` may import, their packages included."""
    try:
        tree = ast.parse(source.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return  # executing it tells the user, with file and line
    package = module if source.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = _imported_from(node, package)
        else:
            continue
        for name in names:
            parts = name.split(".")
            yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))


def _imported_from(node: ast.ImportFrom, package: str) -> list[str]:
    try:
        base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
    except ImportError:  # a relative import that leaves its package fails when executed, too
        return []
    return [base, *(f"{base}.{alias.name}" for alias in node.names)]

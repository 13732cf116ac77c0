"""A user's own study: a Python file anywhere that defines STUDY, executed, and hashed with its local imports."""

import hashlib
import importlib
import sys
import traceback
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from studies.errors import UsageError
from studies.local_imports import NOT_LOCAL, local_imports
from studies.mistakes import show
from studies.study import Study

_ADVICE = (
    "A study's file says `from studies.study import Study` and defines STUDY = Study(question=..., ...)."
)


def load_file(path: Path) -> tuple[Study, str]:
    """Return STUDY of the file at `path`, and the SHA-256 of its source and of its local imports.

    Local imports are modules in the file's folder (`local_imports`); they are importable while the file is executed,
    and read afresh each time. Raises UsageError if the file cannot be read, if executing it fails (with file and
    line), or if STUDY is missing or no Study.
    """
    path = path.resolve()
    if not path.is_file():
        raise UsageError([f"{path}: no such file"], _ADVICE)
    try:
        source = path.read_bytes()
    except OSError as error:
        raise UsageError([f"{path}: cannot be read ({error.strerror})"], _ADVICE) from error
    imports = local_imports(path)
    module = _execute(path, source, imports)
    return _study_of(module, path), _hash(path.parent, {path, *imports.values()})


def _study_of(module: ModuleType, path: Path) -> Study:
    if not hasattr(module, "STUDY"):
        others = [name for name, value in vars(module).items() if isinstance(value, Study)]
        hint = f"; call {others[0]} so" if others else ""
        raise UsageError([f"{path}: defines no STUDY{hint}"], _ADVICE)
    if not isinstance(module.STUDY, Study):
        raise UsageError([f"{path}: STUDY must be a Study; got {show(module.STUDY)}"], _ADVICE)
    return module.STUDY


def _execute(path: Path, source: bytes, imports: Iterable[str]) -> ModuleType:
    module = ModuleType(f"study_file_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}")
    module.__file__, module.__package__ = str(path), ""
    sys.modules[module.__name__] = module  # dataclasses look their module up
    try:
        with _importable(path.parent, {name.partition(".")[0] for name in imports}):
            exec(compile(source, path, "exec"), vars(module))
    except (Exception, SystemExit) as error:
        del sys.modules[module.__name__]
        where = _where(error, path)
        if isinstance(error, UsageError):
            raise UsageError([f"{where}: {mistake}" for mistake in error.mistakes], error.advice) from error
        what = error.msg if isinstance(error, SyntaxError) else error
        raise UsageError(
            [f"{where}: {type(error).__name__}: {what}"], "Correct the file; nothing was trained."
        ) from error
    return module


@contextmanager
def _importable(folder: Path, names: Collection[str]) -> Iterator[None]:
    """Let modules called `names` be imported from `folder`, whatever else of that name is loaded, for a while."""

    def take_out() -> dict[str, ModuleType]:
        return {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in names}

    others = take_out()
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        if str(folder) in sys.path:
            sys.path.remove(str(folder))
        take_out()
        sys.modules.update(others)


def _where(error: BaseException, path: Path) -> str:
    """Return file and line of the user's own code that failed, the last such line of the traceback."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if _is_own(Path(frame.filename), path.parent)]
    return f"{own[-1].filename}:{own[-1].lineno}" if own else str(path)


def _is_own(source: Path, folder: Path) -> bool:
    parts = source.relative_to(folder).parts if source.is_relative_to(folder) else ()
    return bool(parts) and parts[0] not in NOT_LOCAL and "site-packages" not in parts


def _hash(folder: Path, sources: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for source in sorted(sources):
        content = source.read_bytes()
        digest.update(f"{source.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()

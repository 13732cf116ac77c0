"""Loads a user's own study: a Python file that defines STUDY, executed, and hashed with its local imports."""

import ast
import hashlib
import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from studies import catalog
from studies.base.errors import UsageError
from studies.base.messages import show, unknown
from studies.definition.study import Study
from studies.user_files.calls import Call
from trainables.user_code.code import OWN, Source, UserCode

_ADVICE = "A study's file says `from studies import Study` and defines STUDY = Study(question=..., ...)."

_DECLARE = (
    "A hyperparameter of your own build() is declared with its default: "
    "Study(hyperparameters={'num_heads': 4}, ...)."
)


@dataclass(frozen=True, kw_only=True)
class StudyFile:
    """The content of a study's file: its STUDY, its code, and the SHA-256 of its source with its local imports."""

    study: Study
    code: UserCode
    source_hash: str


def load_file(path: Path) -> StudyFile:
    """Load the file at `path`; build() or train() in it becomes the study's model, load() its dataset.

    Local imports are modules in the file's folder (`local_imports`). Raises UsageError if the file cannot be read, if
    executing it fails (with file and line), or if STUDY is missing or no Study.
    """
    path = path.resolve()
    if not path.is_file():
        raise UsageError([f"{path}: no such file"], _ADVICE)
    try:
        source = path.read_bytes()
    except OSError as error:
        raise UsageError([f"{path}: cannot be read ({error.strerror})"], _ADVICE) from error
    return load_source(source, path, local_imports(source, path.parent))


def load_source(text: bytes, path: Path, imports: Mapping[str, Path]) -> StudyFile:
    """Return the study that a file at `path` with this text would define, whether or not it is there.

    The modules beside it are read from `imports`, by dotted name, and may lie in another folder: they count as beside
    it, at the same place. Raises UsageError as `load_file` does.
    """
    modules = {name: _source(name, module, path.parent) for name, module in imports.items()}
    code = UserCode(file=Source(path=str(path), text=text), modules=modules)
    with naming_file(code):
        module = code.module
    return StudyFile(
        study=with_user_code(_study_of(module, path), code), code=code, source_hash=_hash(path.parent, code)
    )


def _source(name: str, path: Path, folder: Path) -> Source:
    """Return the source of the module of this dotted name, as it lies or would lie in `folder`."""
    is_package = path.name == "__init__.py"
    parts = [*name.split("."), "__init__"] if is_package else name.split(".")
    return Source(
        path=str(folder.joinpath(*parts).with_suffix(".py")), text=path.read_bytes(), is_package=is_package
    )


def _study_of(module: ModuleType, path: Path) -> Study:
    if not hasattr(module, "STUDY"):
        others = [name for name, value in vars(module).items() if isinstance(value, Study)]
        hint = f"; call {others[0]} so" if others else ""
        raise UsageError([f"{path}: defines no STUDY{hint}"], _ADVICE)
    if not isinstance(module.STUDY, Study):
        raise UsageError([f"{path}: STUDY must be a Study; got {show(module.STUDY)}"], _ADVICE)
    return module.STUDY


def with_user_code(study: Study, code: UserCode) -> Study:
    """Return the study with the file's build() or train() as its model and load() as its dataset, if defined there.

    Functions imported from an installed package count only if the study asks for them: model="own", dataset="own".
    """
    own: dict[str, str] = {}
    if code.defines("build") or code.defines("train"):
        own["model"] = OWN
    if code.defines("load"):
        own["dataset"] = OWN
    # A new request must obey today's rules, even if STUDY was read from a storage.
    return replace(study, as_recorded=False, **own) if own or study.as_recorded else study  # type: ignore[arg-type]


@contextmanager
def naming_file(code: UserCode, what: str = "", *, at: str | None = None) -> Iterator[None]:
    """Tell whatever the user's code raises as a mistake, with its file and line; `what` says what was asked of it.

    `at` is the place to name where no line of the user's file is involved. The user's Ctrl-C is passed on; SystemExit
    and the like are mistakes. A long call is reported.
    """
    path = Path(code.file.path)
    call = Call(f"{what.partition('(')[0]}() of {path}" if what else str(path))
    try:
        with call.watched():
            yield
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and call.is_interrupted:
            raise
        where = _where(error, code)
        where = at if at is not None and where == str(path) else where
        if isinstance(error, UsageError):
            undeclared = any("no such hyperparameter" in mistake for mistake in error.mistakes)
            advice = f"{error.advice} {_DECLARE}" if undeclared else error.advice
            raise UsageError([f"{where}: {mistake}" for mistake in error.mistakes], advice) from error
        raise UsageError(
            [f"{where}: {what}{_said(error, is_plain=where == at)}"], correct_it(code)
        ) from error


def _said(error: BaseException, *, is_plain: bool) -> str:
    """Return an error's type and message, of a plain ValueError the message alone."""
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg}"
    if is_plain and type(error) is ValueError:
        return str(error)
    words = f"{type(error).__name__}: {error}".removesuffix(": ")
    ends = "" if isinstance(error, Exception) else ", which would end the command; raise an error instead"
    return words + ends


def _where(error: BaseException, code: UserCode) -> str:
    """Return file and line of the user's code that failed, the last such line of the traceback."""
    path = Path(code.file.path)
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if _is_own(Path(frame.filename), path.parent)]
    if not own:
        return str(path)
    last = own[-1]
    return place(code, last.filename, last.lineno, last.name)


def place(code: UserCode, file: str, line: int | None, function: str) -> str:
    """Return file and line, or, where the file's text came from Python and is not written yet, function and text."""
    if file != code.file.path or lies_there(code.file):
        return f"{file}:{line}"
    lines = code.file.text.decode().splitlines()
    told = lines[line - 1].strip() if line is not None and 0 < line <= len(lines) else ""
    return f"{function}(), at `{told}`"


def lies_there(source: Source) -> bool:
    """Return whether the file of a source holds its text."""
    try:
        return Path(source.path).read_bytes() == source.text
    except OSError:
        return False


def correct_it(code: UserCode | None) -> str:
    """Return the advice for a mistake in the user's code."""
    what = "file" if code is None or lies_there(code.file) else "cell"
    return f"Correct the {what}; nothing was trained."


def _is_own(source: Path, folder: Path) -> bool:
    parts = source.relative_to(folder).parts if source.is_relative_to(folder) else ()
    return bool(parts) and parts[0] not in NOT_LOCAL and "site-packages" not in parts


def _hash(folder: Path, code: UserCode) -> str:
    digest = hashlib.sha256()
    sources = {Path(source.path): source.text for source in (code.file, *code.modules.values())}
    for path, text in sorted(sources.items()):
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(text)}\0".encode())
        digest.update(text)
    return digest.hexdigest()


OURS = {"studies", "search_spaces", "trainables", "reports"}
INSTALLED = {
    *("alembic", "grpc", "jinja2", "matplotlib", "numpy", "optuna", "pandas", "PIL", "psutil", "pyarrow"),
    *("pydantic", "ray", "rich", "safetensors", "scipy", "sklearn", "sqlalchemy", "statsmodels", "torch"),
    *("numba", "threadpoolctl", "torchinfo"),
}
"""Packages that are installed with Studies."""
NOT_LOCAL = {*OURS, *INSTALLED, *sys.stdlib_module_names}
"""Names of modules that are never the user's own, even if a file of that name lies beside the study's."""


def local_imports(text: bytes, folder: Path) -> dict[str, Path]:
    """Return the modules that a file's text imports from `folder`, directly or through each other, by dotted name.

    Imports inside functions count; imports by name at run time (importlib) cannot be found.
    """
    found: dict[str, Path] = {}
    waiting = [("", text)]
    while waiting:
        package, each = waiting.pop()
        for name in _imported_names(package, each):
            source = _module_source(folder, name)
            if name not in found and source is not None:
                found[name] = source
                is_package = source.name == "__init__.py"
                waiting.append((name if is_package else name.rpartition(".")[0], _text_of(source)))
    return found


def _text_of(source: Path) -> bytes:
    try:
        return source.read_bytes()
    except OSError:
        return b""  # the error is reported when the module is imported


def _module_source(folder: Path, name: str) -> Path | None:
    if name.partition(".")[0] in NOT_LOCAL:
        return None
    place = folder.joinpath(*name.split("."))
    candidates = (place / "__init__.py", place.with_name(f"{place.name}.py"))
    return next((source for source in candidates if source.is_file()), None)


def _imported_names(package: str, text: bytes) -> Iterator[str]:
    """Yield the dotted names of modules that a module of `package` may import, including their packages."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return  # the error is reported with file and line when the file is executed
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
    except ImportError:  # a relative import outside its package fails when executed, too
        return []
    return [base, *(f"{base}.{alias.name}" for alias in node.names)]


class Found(NamedTuple):
    """A study and its name; for a file also its code and the hash of its source.

    Both are None for a study of the catalog, whose source is part of Studies.
    """

    name: str
    study: Study
    source_hash: str | None = None
    code: UserCode | None = None


def names_file(name_or_path: str) -> bool:
    """Return whether a study is named by its file's path, rather than by its name in the catalog."""
    return name_or_path.endswith(".py") or os.sep in name_or_path


def load_definition(name_or_path: str) -> Found:
    """Return a study of the catalog, or of a Python file that defines STUDY.

    Raises UsageError that lists the existing names, or says what is wrong with the file.

    >>> load_definition("depth_study").study.replicates
    10
    """
    if names_file(name_or_path):
        path = Path(name_or_path)
        file = load_file(path)
        return Found(path.stem, file.study, file.source_hash, file.code)
    if name_or_path not in catalog.names():
        is_file = Path(f"{name_or_path}.py").is_file()
        advice = f"{name_or_path}.py is in this folder" if is_file else "For a file of your own"
        raise UsageError(
            [unknown(name_or_path, "study", catalog.names())], f"{advice}: give its path, ./{name_or_path}.py"
        )
    study = importlib.import_module(f"{catalog.__name__}.{name_or_path}").STUDY
    assert isinstance(study, Study)
    return Found(name_or_path, study)

"""The source of functions that a notebook's cells or a script define, with all that they refer to, as one module."""

import __future__

import ast
import builtins
import inspect
import linecache
import symtable
import sys
import textwrap
from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple, final

from studies.base.errors import UsageError
from studies.user_files.literals import literal

ROLES = ("load", "build", "train")
"""The functions of a study, by the names that its module gives them."""
MAIN = "__main__"
"""The module of what cells and scripts define."""
_ADVICE = (
    "What a study's functions use goes with them as text, so that any process can run them: functions and classes "
    "defined in cells, imports, and plain constants. Nothing was trained."
)
_NOTEBOOK = "IPython"


def module_text(functions: Mapping[str, object], header: str) -> str:
    """Return a module that defines `functions` by their roles (ROLES), below its `header`.

    It holds the sources of the functions and of the functions and classes of cells that they refer to, import lines for
    modules and what is defined there, and the values of constants (`literals.literal`). The same definitions give the
    same text, in whichever order the cells were run. Raises UsageError that names everything that cannot be written
    down: lambdas, closures, values such as arrays, names that are not defined, and functions whose source is unknown or
    is no longer what was run.
    """
    collection = _Collection()
    for role, function in functions.items():
        collection.add_role(role, function)
    collection.finish(functions)
    return collection.text(functions, header)


class _Piece(NamedTuple):
    """The source of a function or class, the namespace in which its names are looked up, and whether annotations of
    its cell are kept as text."""

    name: str
    text: str
    namespace: Mapping[str, Any]
    has_future: bool


@final
class _Collection:
    """What a module needs, found by following names from its functions."""

    def __init__(self) -> None:
        self._values: dict[str, object] = {}
        self._imports: set[str] = set()
        self._constants: dict[str, str] = {}
        self._definitions: list[str] = []
        self._has_future = False
        self._mistakes: list[str] = []

    def add_role(self, role: str, function: object) -> None:
        """Add the function of a role, and all that it refers to."""
        if not callable(function):
            self._mistakes.append(f"{role}= must be a function; got a {type(function).__name__}")
            return
        name = getattr(function, "__name__", role)
        name = name if isinstance(name, str) and name.isidentifier() else role
        try:
            self._add_value(name, function, f"{role}()")
        except ValueError as error:
            self._mistakes.append(f"{role}= {error}")

    def finish(self, functions: Mapping[str, object]) -> None:
        """Raise UsageError with every mistake; a helper must not bear the name of a role that is another's."""
        # A train() may call its own build().
        for role in ({*ROLES, "STUDY"} - ({"build"} if "train" in functions else set())) | set(functions):
            if role in self._values and self._values[role] is not functions.get(role):
                self._mistakes.append(
                    f"{role} is used for something else than the study's own {role}: give that another name"
                )
        if self._mistakes:
            raise UsageError(list(dict.fromkeys(self._mistakes)), _ADVICE)

    def text(self, functions: Mapping[str, object], header: str) -> str:
        """Return the module."""
        roles = [
            f"{role} = {function.__name__}"  # type: ignore[attr-defined]
            for role, function in functions.items()
            if role not in self._values
        ]
        constants = [f"{name} = {text}" for name, text in sorted(self._constants.items())]
        blocks = [header, "\n".join(sorted(self._imports)), "\n".join(constants)]
        whole = "\n\n".join(filter(None, [*blocks, *self._definitions, "\n".join(roles)])) + "\n"
        if not self._has_future:
            return whole
        tree = ast.parse(whole)
        after = tree.body[0].end_lineno if ast.get_docstring(tree, clean=False) is not None else 0
        lines = whole.splitlines(keepends=True)
        return "".join([*lines[:after], "\nfrom __future__ import annotations\n", *lines[after:]])

    def _add_value(self, name: str, value: object, user: str) -> None:
        """Add what a name stands for; raise ValueError that says why it cannot be written down."""
        if name in self._values:
            if self._values[name] is not value:
                raise ValueError(
                    f"{name} means two different things: a cell was run again with another one, so run the cells that "
                    "use it again as well"
                )
            return
        self._values[name] = value
        if isinstance(value, ModuleType):
            self._imports.add(_import_line(name, value))
        elif _is_of_a_cell(value):
            piece = _piece(value)
            if piece.name != name:
                self._add_value(piece.name, value, user)
                self._definitions.append(f"{name} = {piece.name}")
            else:
                self._follow(piece)
                self._definitions.append(piece.text)
        else:
            self._add_constant(name, value)

    def _add_constant(self, name: str, value: object) -> None:
        try:
            self._constants[name] = literal(value)
        except ValueError as error:
            line = _imported_from(name, value)
            if line is None:
                raise ValueError(f"{error}: make it inside the function that uses it, or in load()") from None
            self._imports.add(line)

    def _follow(self, piece: _Piece) -> None:
        """Add what a function or class refers to."""
        self._has_future |= piece.has_future
        changed = set(_changed_names(piece.text))
        self._mistakes += [
            f"{piece.name} changes the global {each}: keep it inside a function" for each in sorted(changed)
        ]
        for name in sorted(set(_free_names(piece.text)) - changed):
            try:
                value = _looked_up(name, piece.namespace)
                if value is not builtins:
                    self._add_value(name, value, piece.name)
                    self._add_submodules(name, value, piece.text)
            except ValueError as error:
                self._mistakes.append(f"{piece.name} uses {name}, which {error}")

    def _add_submodules(self, name: str, value: object, text: str) -> None:
        """Import submodules that are reached as attributes, as `torch.utils.data` after `import torch`."""
        if not isinstance(value, ModuleType):
            return
        for chain in _chains(text, name):
            module: ModuleType = value
            for attribute in chain:
                found = sys.modules.get(f"{module.__name__}.{attribute}")
                is_reached = getattr(module, attribute, None) is found
                if found is None or not is_reached:
                    break
                module = found
            if module is not value and module.__name__.startswith(f"{value.__name__}."):
                self._imports.add(f"import {module.__name__}")


def _is_of_a_cell(value: object) -> bool:
    """Return whether a value is a function or class that a cell, or the script itself, has defined."""
    return callable(value) and getattr(value, "__module__", None) == MAIN and hasattr(value, "__name__")


def _looked_up(name: str, namespace: Mapping[str, Any]) -> object:
    """Return what a global name stands for, the module `builtins` for what every module has."""
    injected = _comes_with_the_notebook(namespace.get(name))
    if hasattr(builtins, name) and (name not in namespace or injected):
        found = getattr(builtins, name)
        return found if _comes_with_the_notebook(found) and name not in ("open", "exit", "quit") else builtins
    if name in ("__name__", "__doc__"):
        return builtins
    if name == "get_ipython":
        raise ValueError("is a magic or shell command of the notebook: say it in Python")
    if name not in namespace:
        raise ValueError("is not defined")
    value: object = namespace[name]
    return value


def _comes_with_the_notebook(value: object) -> bool:
    """Return whether IPython has put a value into the namespace of cells, as its own `open`, which wraps Python's."""
    if isinstance(value, FunctionType):
        module = value.__globals__.get("__name__")
    else:
        module = getattr(value, "__module__", None) or type(value).__module__
    return isinstance(module, str) and module.partition(".")[0] == _NOTEBOOK


def _piece(value: Any) -> _Piece:
    """Return the source of a function or class of a cell."""
    if inspect.isclass(value):
        return _class_piece(value)
    function = inspect.unwrap(value)
    if not isinstance(function, FunctionType):
        raise ValueError(f"is a {type(value).__name__}: write a function with def")
    if function.__name__ == "<lambda>":
        raise ValueError("is a lambda: write a function with def")
    if "<locals>" in function.__qualname__ or function.__code__.co_freevars:
        raise ValueError("is defined inside another function: define it in a cell of its own, not indented")
    if "." in function.__qualname__:
        raise ValueError("is a method of a class: write a function that calls it")
    node, lines = _function_node(function)
    if value is not function and not node.decorator_list:
        raise ValueError("is wrapped by another function: write the wrapper as a decorator, with @")
    if not _holds(lines, function.__code__):
        raise ValueError(_OUTDATED)
    return _Piece(
        node.name,
        _segment(node, lines),
        function.__globals__,
        bool(function.__code__.co_flags & _ANNOTATIONS),
    )


_FUTURES = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names) & ~0xFF
_ANNOTATIONS = __future__.annotations.compiler_flag
_OUTDATED = "has a source that has changed since it was run: run its cell, or the script, again"
_UNKNOWN = (
    "has no source that Python knows, as what is typed at its prompt: define it in a notebook or in a file"
)


def _function_node(function: FunctionType) -> tuple[ast.FunctionDef | ast.AsyncFunctionDef, list[str]]:
    """Return where a function is defined, and the lines of that cell or file."""
    code = function.__code__
    tree, lines = _parsed(code.co_filename)
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.name != code.co_name:
            continue
        if min([node.lineno, *(each.lineno for each in node.decorator_list)]) == code.co_firstlineno:
            return node, lines
    raise ValueError(_OUTDATED)


def _class_piece(cls: type) -> _Piece:
    """Return the source of a class: found by its methods, else among all cells, where that is not ambiguous."""
    if "." in cls.__qualname__:
        raise ValueError(
            "is defined inside a function or class: define it in a cell of its own, not indented"
        )
    methods = [inspect.unwrap(each) for each in map(_function_of, vars(cls).values()) if each is not None]
    own = [
        each for each in methods if each.__qualname__.startswith(f"{cls.__qualname__}.") and _has_lines(each)
    ]
    namespace = vars(sys.modules[MAIN]) if not own else own[0].__globals__
    files = list(dict.fromkeys(each.__code__.co_filename for each in own)) or _files_of_cells()
    found: dict[str, bool] = {}
    for file in files:
        try:
            tree, lines = _parsed(file)
        except ValueError:
            continue
        is_as_run = all(_holds(lines, each.__code__) for each in own)
        nodes = (each for each in tree.body if isinstance(each, ast.ClassDef) and each.name == cls.__name__)
        found |= dict.fromkeys((_segment(node, lines) for node in nodes), is_as_run)
    texts = [text for text, is_as_run in found.items() if is_as_run]
    flags = sum({each.__code__.co_flags & _ANNOTATIONS for each in own})
    if not texts:
        raise ValueError(_OUTDATED if found else _UNKNOWN)
    if len(texts) > 1:
        raise ValueError(
            "is a class that cells define in several ways: restart the kernel and run the cells again"
        )
    return _Piece(cls.__name__, texts[0], namespace, bool(flags))


def _function_of(member: object) -> FunctionType | None:
    """Return the function of a class's member: a method, or what a property or classmethod wraps."""
    for name in ("__func__", "fget"):
        member = getattr(member, name, None) or member
    return member if isinstance(member, FunctionType) else None


def _has_lines(function: FunctionType) -> bool:
    return bool(linecache.getlines(function.__code__.co_filename))


def _files_of_cells() -> list[str]:
    """Return the names under which the sources of cells, and of the script, are known."""
    script = getattr(sys.modules[MAIN], "__file__", None)
    cells = [name for name in linecache.cache if "ipykernel_" in name or name.startswith("<ipython-input")]
    return [*cells, *([script] if isinstance(script, str) else [])]


def _parsed(file: str) -> tuple[ast.Module, list[str]]:
    lines = linecache.getlines(file)
    if not lines:
        raise ValueError(_UNKNOWN)
    try:
        return ast.parse("".join(lines)), lines
    except SyntaxError:
        raise ValueError(_OUTDATED) from None


def _segment(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, lines: list[str]) -> str:
    """Return the lines of a definition, with its decorators."""
    first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
    return textwrap.dedent("".join(lines[first - 1 : node.end_lineno])).rstrip() + "\n"


def _holds(lines: list[str], code: CodeType) -> bool:
    """Return whether the source of a cell or file, once compiled, holds just this code: else it is not what was run.

    The whole is compiled, as a name that it imports is used by other instructions.
    """
    flags = code.co_flags & _FUTURES | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    waiting = [compile("".join(lines), code.co_filename, "exec", flags=flags, dont_inherit=True)]
    while waiting:
        each = waiting.pop()
        if each.co_qualname == code.co_qualname and _is_same(each, code):
            return True
        waiting += [const for const in each.co_consts if isinstance(const, CodeType)]
    return False


def _is_same(one: CodeType, other: CodeType) -> bool:
    """Return whether two code objects do the same, wherever they stand."""
    if (one.co_code, one.co_names, one.co_varnames, one.co_freevars, one.co_cellvars) != (
        other.co_code,
        other.co_names,
        other.co_varnames,
        other.co_freevars,
        other.co_cellvars,
    ) or len(one.co_consts) != len(other.co_consts):
        return False
    return all(
        _is_same(mine, its)
        if isinstance(mine, CodeType) and isinstance(its, CodeType)
        else repr(mine) == repr(its)
        for mine, its in zip(one.co_consts, other.co_consts, strict=True)
    )


def _free_names(text: str) -> Iterator[str]:
    """Yield the names that a definition takes from its module, decorators, defaults, bases and annotations included."""
    whole = symtable.symtable(text, "<cell>", "exec")
    yield from (
        symbol.get_name()
        for symbol in whole.get_symbols()
        if symbol.is_referenced() and not symbol.is_assigned()
    )
    yield from (symbol.get_name() for symbol in _inner_symbols(whole) if symbol.is_global())


def _changed_names(text: str) -> Iterator[str]:
    """Yield the globals that a definition assigns."""
    inner = _inner_symbols(symtable.symtable(text, "<cell>", "exec"))
    yield from (each.get_name() for each in inner if each.is_declared_global() and each.is_assigned())


def _inner_symbols(table: symtable.SymbolTable) -> Iterator[symtable.Symbol]:
    for child in table.get_children():
        yield from child.get_symbols()
        yield from _inner_symbols(child)


def _chains(text: str, name: str) -> Iterator[list[str]]:
    """Yield the attributes that are asked for of a name, as ["utils", "data"] of torch in `torch.utils.data`."""
    for node in ast.walk(ast.parse(text)):
        chain: list[str] = []
        reached: ast.AST = node
        while isinstance(reached, ast.Attribute):
            chain.insert(0, reached.attr)
            reached = reached.value
        if chain and isinstance(reached, ast.Name) and reached.id == name:
            yield chain


def _import_line(name: str, module: ModuleType) -> str:
    full = next((each for each in (module.__name__, f"os.{name}") if sys.modules.get(each) is module), None)
    if full is None or full == MAIN:
        raise ValueError("is a module that cannot be imported by its name")
    return f"import {full}" if name == full else f"import {full} as {name}"


def _imported_from(name: str, value: object) -> str | None:
    """Return the line that imports a value from the package that has it under its name; None if none has."""
    own = getattr(value, "__name__", None)
    names = [own, name] if isinstance(own, str) else [name]
    for module in (getattr(value, "__module__", None), type(value).__module__):
        if not isinstance(module, str) or module in (MAIN, "builtins"):
            continue
        parts = module.split(".")
        for end in range(1, len(parts) + 1):
            package = ".".join(parts[:end])
            for each in names:
                # The shallowest package that exports it is the one whose names last.
                if each.isidentifier() and _attribute(package, each) is value:
                    return f"from {package} import {each}" + ("" if each == name else f" as {name}")
    return None


def _attribute(module: str, name: str) -> object:
    try:
        return getattr(sys.modules[module], name)
    except (KeyError, AttributeError):
        return None

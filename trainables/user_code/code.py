"""A user's own study file as source, with the modules beside it: any process, on any machine, can execute it."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:  # a study's file is read before torch is loaded
    from torch import nn

    from trainables.base.hyperparameters import Hyperparameters
    from trainables.user_code.loop import Loop

OWN = "own"
"""The model name for a study file's build(), and the dataset name for its load()."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """The source of one module, and its path for tracebacks."""

    path: str
    text: bytes
    is_package: bool = False


@dataclass(frozen=True, kw_only=True)
class UserCode:
    """A study file and the modules beside it that it imports, by dotted name.

    It is executed once per process, when first needed. The modules beside it can be imported only while the file or one
    of its functions runs; they then take precedence over loaded modules of the same name.
    """

    file: Source
    modules: Mapping[str, Source] = field(default_factory=dict)

    @property
    def module(self) -> ModuleType:
        """The file's module; raises what executing the file raises."""
        if "module" not in self._loaded:
            module = ModuleType(f"study_file_{hashlib.sha256(self.file.path.encode()).hexdigest()[:12]}")
            module.__file__, module.__package__ = self.file.path, ""
            module.__loader__ = _Finder({module.__name__: self.file})
            sys.modules[module.__name__] = module  # where dataclasses look up their module
            try:
                with self.importable():
                    exec(compile(self.file.text, self.file.path, "exec"), vars(module))
            except BaseException:
                del sys.modules[module.__name__]
                raise
            self._loaded["module"] = module
        return self._loaded["module"]

    def function(self, name: str) -> Callable[..., Any] | None:
        """Return the file's object called `name` if it is callable, else None."""
        found = getattr(self.module, name, None)
        return cast(Callable[..., Any], found) if callable(found) else None

    def defines(self, name: str) -> bool:
        """Return whether the file or a module beside it defines this function, rather than importing it elsewhere."""
        found = self.function(name)
        is_defined_somewhere = inspect.isroutine(found) or inspect.isclass(found)
        own = {self.module.__name__, *self.modules}
        return found is not None and (not is_defined_somewhere or getattr(found, "__module__", None) in own)

    def build(
        self, hyperparameters: Hyperparameters, input_shape: tuple[int, ...], num_classes: int
    ) -> nn.Module:
        """Return what the file's build() returns."""
        module = self.module
        with self.importable():
            return cast("nn.Module", module.build(hyperparameters, input_shape, num_classes))

    @property
    def loop(self) -> Loop | None:
        """The file's train(), None if it has none; the modules beside it can be imported while it runs an epoch."""
        function = self.function("train")
        if function is None or not self.defines("train"):
            return None

        @functools.wraps(function)
        def train(*arguments: Any, **named: Any) -> Any:
            with self.importable():
                rows = function(*arguments, **named)
            return self._step_by_step(rows) if isinstance(rows, Iterator) else rows

        return train

    def _step_by_step(self, rows: Iterator[Any]) -> Iterator[Any]:
        """Yield what `rows` yields; the modules beside the file can be imported while it works."""
        try:
            while True:
                with self.importable():
                    try:
                        row = next(rows)
                    except StopIteration:
                        return
                yield row
        finally:
            with self.importable():
                getattr(rows, "close", lambda: None)()

    def load(self) -> object:
        """Return what the file's load() returns."""
        module = self.module
        with self.importable():
            return module.load()

    @contextmanager
    def importable(self) -> Iterator[None]:
        """Make the modules beside the file importable inside the context."""
        finder = _Finder(self.modules)
        others = _take_out(finder.top_level)
        sys.modules.update(self._beside)
        sys.meta_path.insert(0, finder)
        try:
            yield
        finally:
            sys.meta_path.remove(finder)
            self._beside.update(_take_out(finder.top_level))
            sys.modules.update(others)

    @property
    def _loaded(self) -> dict[str, ModuleType]:
        return cast(dict[str, ModuleType], self.__dict__.setdefault("_executed", {}))

    @property
    def _beside(self) -> dict[str, ModuleType]:
        return cast(dict[str, ModuleType], self.__dict__.setdefault("_imported", {}))

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the source only: another process executes it again."""
        return {"file": self.file, "modules": self.modules}


def _take_out(top_level: set[str]) -> dict[str, ModuleType]:
    """Remove the modules of these names and their submodules from sys.modules, and return them."""
    return {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in top_level}


class _Finder(MetaPathFinder, InspectLoader):
    """Imports modules from their source text, wherever that came from; tracebacks show its lines."""

    def __init__(self, modules: Mapping[str, Source]) -> None:
        self._modules = modules
        self.top_level = {name.partition(".")[0] for name in modules}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname in self._modules:
            source = self._modules[fullname]
            spec = ModuleSpec(fullname, self, origin=source.path, is_package=source.is_package)
            spec.has_location = True
            return spec
        if any(name.startswith(f"{fullname}.") for name in self._modules):
            return ModuleSpec(fullname, None, is_package=True)  # a folder without __init__.py
        return None

    def is_package(self, fullname: str) -> bool:
        return self._modules[fullname].is_package

    def get_source(self, fullname: str) -> str:
        return importlib.util.decode_source(self._modules[fullname].text)

    def get_code(self, fullname: str) -> CodeType:
        source = self._modules[fullname]
        return compile(source.text, source.path, "exec")

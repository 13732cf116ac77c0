"""What a user's own study file brings, checked before anything is trained: its data, and its networks on one batch."""

import inspect
from typing import TYPE_CHECKING, Any

from studies.errors import UsageError
from studies.study import Study
from studies.study_file import told_in
from trainables.own_code import OWN, OwnCode

if TYPE_CHECKING:
    from trainables.datasets import Dataset

ARGUMENTS = {"build": ("hyperparameters", "input_shape", "num_classes"), "load": ()}
_ADVICE = "Correct the file; nothing was trained."


def check_own_code(study: Study, code: OwnCode | None) -> None:
    """Raise UsageError where the study asks its file for what is not in it, or cannot be called as it will be."""
    mistakes = []
    for field, name in (("model", "build"), ("dataset", "load")):
        is_there = code is not None and code.function(name) is not None
        if getattr(study, field) == OWN and not is_there:
            mistakes.append(
                f"{field} {OWN} is what {name}() in the study's own file makes, and there is no {name}()"
            )
        elif getattr(study, field) == OWN and code is not None:
            mistakes += _signature_mistakes(code, name)
    if study.hyperparameters and study.model != OWN:
        names = ", ".join(study.hyperparameters)
        where = "" if code is None else f"{code.file.path}: "
        mistakes.append(
            f"{where}hyperparameters ({names}) are read by build() in the study's own file; model is {study.model}"
        )
    if mistakes:
        raise UsageError(mistakes, _ADVICE)


def _signature_mistakes(code: OwnCode, name: str) -> list[str]:
    function, arguments = code.function(name), ARGUMENTS[name]
    assert function is not None
    try:
        signature = inspect.signature(function)
        signature.bind(*arguments)
    except ValueError:  # what is written in C tells no signature
        return []
    except TypeError:
        wanted = f"({', '.join(arguments)})"
        return [f"{place_of(code, name)}: {name}{wanted} is how it is called; it takes {signature}"]
    return []


def place_of(code: OwnCode, name: str) -> str:
    """Return file and line at which a function of the file is defined."""
    function: Any = code.function(name)
    defined = getattr(function, "__code__", None) or getattr(
        getattr(function, "__init__", None), "__code__", None
    )
    return code.file.path if defined is None else f"{defined.co_filename}:{defined.co_firstlineno}"


def load_own(code: OwnCode) -> "Dataset":
    """Return the data of the file's load(); UsageError says what is wrong with it, and where."""
    from trainables.own_data import own_dataset

    with told_in(code, "load() raised "):
        loaded = code.load()
    try:
        return own_dataset(loaded)
    except ValueError as error:
        said = str(error).removeprefix("dataset 'own': ")
        raise UsageError([f"{place_of(code, 'load')}: load(): {said}"], _ADVICE) from error

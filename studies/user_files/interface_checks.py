"""Checks what a user's own study file provides before anything is trained: its functions and its data."""

import inspect
from typing import TYPE_CHECKING, Any

from studies.base.errors import UsageError
from studies.definition.study import Study
from studies.user_files.loader import correct_it, naming_file, place
from trainables.user_code.code import OWN, UserCode

if TYPE_CHECKING:
    from trainables.data.dataset import Dataset

ARGUMENTS = {
    "build": ("hyperparameters", "input_shape", "num_classes"),
    "train": ("hyperparameters", "data", "seed"),
    "load": (),
}


def check_user_code(study: Study, code: UserCode | None) -> None:
    """Raise UsageError if the study needs a function that its file lacks, or that does not take the arguments."""
    mistakes = []
    for field, names in (("model", ("train", "build")), ("dataset", ("load",))):
        if getattr(study, field) != OWN:
            continue
        # The user's own train() may call build() in any way, so only one of the two is checked.
        found = next((name for name in names if code is not None and code.function(name) is not None), None)
        if code is None or found is None:
            called = " or ".join(f"{name}()" for name in reversed(names))
            mistakes.append(
                f"{field} {OWN} is what {called} in the study's own file makes, and there is no {called}"
            )
        else:
            mistakes += _signature_mistakes(code, found)
    where = "" if code is None else f"{code.file.path}: "
    if study.hyperparameters and study.model != OWN:
        listed = ", ".join(study.hyperparameters)
        mistakes.append(
            f"{where}hyperparameters ({listed}) are read by build() or train() in the study's own file; model is "
            f"{study.model}"
        )
    if study.metrics and (study.model != OWN or code is None or code.function("train") is None):
        listed = ", ".join(metric.name for metric in study.metrics)
        mistakes.append(
            f"{where}metrics ({listed}) are measured by train() in the study's own file, and there is no train(); "
            "without it networks are classifiers, whose metrics are known"
        )
    if mistakes:
        raise UsageError(mistakes, correct_it(code))


def _signature_mistakes(code: UserCode, name: str) -> list[str]:
    function, arguments = code.function(name), ARGUMENTS[name]
    assert function is not None
    try:
        signature = inspect.signature(function)
        signature.bind(*arguments)
    except ValueError:  # functions written in C may have no signature
        return []
    except TypeError:
        wanted = f"({', '.join(arguments)})"
        return [f"{place_of(code, name)}: {name}{wanted} is how it is called; it takes {signature}"]
    return []


def place_of(code: UserCode, name: str) -> str:
    """Return file and line where a function of the file is defined."""
    function: Any = code.function(name)
    defined = getattr(function, "__code__", None) or getattr(
        getattr(function, "__init__", None), "__code__", None
    )
    if defined is None:
        return code.file.path
    return place(code, defined.co_filename, defined.co_firstlineno, name)


def load_user_data(code: UserCode, *, measured: bool = False) -> "Dataset":
    """Return the data of the file's load(); raise UsageError that says what is wrong with it, and where.

    With `measured`, targets that are real numbers are kept as they are and not taken for classes.
    """
    from trainables.user_code.data import user_dataset

    with naming_file(code, "load() raised "):
        loaded = code.load()
    try:
        return user_dataset(loaded, measured=measured)
    except ValueError as error:
        said = str(error).removeprefix("dataset 'own': ")
    except Exception as error:  # an object of the user's own may raise anything when it is read
        said = f"what it returns cannot be read: {type(error).__name__}: {error}"
    raise UsageError([f"{place_of(code, 'load')}: load(): {said}"], correct_it(code))

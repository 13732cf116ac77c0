"""What a user's own study file brings, checked before anything is trained: its data, and its networks on one batch."""

import inspect
from typing import TYPE_CHECKING, Any

from studies.base.errors import UsageError
from studies.definition.study import Study
from studies.user_files.loader import naming_file
from trainables.user_code.code import OWN, OwnCode

if TYPE_CHECKING:
    from trainables.data.dataset import Dataset

ARGUMENTS = {
    "build": ("hyperparameters", "input_shape", "num_classes"),
    "train": ("hyperparameters", "data", "seed"),
    "load": (),
}
_ADVICE = "Correct the file; nothing was trained."


def check_own_code(study: Study, code: OwnCode | None) -> None:
    """Raise UsageError where the study asks its file for what is not in it, or cannot be called as it will be."""
    mistakes = []
    for field, names in (("model", ("train", "build")), ("dataset", ("load",))):
        if getattr(study, field) != OWN:
            continue
        # A training loop of one's own calls build() as it likes.
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


def load_own(code: OwnCode, *, measured: bool = False) -> "Dataset":
    """Return the data of the file's load(); UsageError says what is wrong with it, and where.

    With `measured` targets that are real numbers stay what they are, and are no classes.
    """
    from trainables.user_code.data import own_dataset

    with naming_file(code, "load() raised "):
        loaded = code.load()
    try:
        return own_dataset(loaded, measured=measured)
    except ValueError as error:
        said = str(error).removeprefix("dataset 'own': ")
    except Exception as error:  # whatever an object of the user's own raises when it is read
        said = f"what it returns cannot be read: {type(error).__name__}: {error}"
    raise UsageError([f"{place_of(code, 'load')}: load(): {said}"], _ADVICE)

"""Writes a study file for the user: the annotated source of another study, with load() and build() as comments."""

import os
from pathlib import Path

from studies import catalog
from studies.base.errors import StudiesError, UsageError
from studies.definition.overrides import check_name
from studies.user_files.loader import load_definition


def write_study_file(path: Path, source: str) -> None:
    """Write the file of study `source`, a name of the catalog or a path, to `path`, where it runs unchanged.

    A study of the catalog is followed by load() and build(), as comments.

    Raises UsageError if `source` is no study, or if `path` exists or is not a valid path; StudiesError if it cannot be
    written.
    """
    _check(path)
    load_definition(source)
    content = _source_of(source).read_bytes()
    if source in catalog.names():
        content += commented_functions().encode()
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError as error:
        raise _exists(path) from error
    except OSError as error:
        path.unlink(missing_ok=True)
        raise StudiesError(
            f"{path} cannot be written ({error.strerror})", "Give another path; nothing was written."
        ) from error


def _check(path: Path) -> None:
    if path.suffix != ".py":
        raise UsageError(
            [f"a study's file must end in .py; got {path}"],
            f"For example: studies new {path.name}.py",
        )
    try:
        check_name(path.stem)
    except UsageError as error:
        raise UsageError(
            error.mistakes, "The file's name is the study's name: give the file another."
        ) from error
    if os.path.lexists(path):
        raise _exists(path)
    if not path.parent.is_dir():
        raise UsageError(
            [f"{path}: the folder {path.parent} does not exist"], "Make it first, or give another path."
        )


def _exists(path: Path) -> UsageError:
    return UsageError(
        [f"{path} exists already and was left as it is"], "Give another name, or delete the file first."
    )


def _source_of(study: str) -> Path:
    if study in catalog.names():
        return Path(catalog.__path__[0]) / f"{study}.py"
    return Path(study)


INTRODUCTION = """\
Your own data and networks: take the # off load(), off build(), or off both. `studies plan` then tries
them on one batch and says what is wrong, with its line. Hyperparameters that Studies does not know are declared
with their defaults, Study(hyperparameters={"num_heads": 4}, ...), and may then be factors, nuisances or fixed."""

LOAD = '''\
def load():
    """Return inputs (examples, ...) and one class for each, a whole number or a name.

    {"inputs": ..., "targets": ..., "classes": ..., "official_test": rows, "scale": True} says more: names of the
    classes, rows of a published test set, and that columns be scaled by each block's training part.
    """
    from sklearn.datasets import load_wine

    wine = load_wine()
    return {"inputs": wine.data, "targets": wine.target, "classes": wine.target_names, "scale": True}
'''

BUILD = '''\
def build(hyperparameters, input_shape, num_classes):
    """Return a torch module from inputs (examples, *input_shape) to logits (examples, num_classes).

    It is called once for each replicate, with the global random generators seeded: set no seed here.
    """
    import math

    from torch import nn

    widths = [math.prod(input_shape), *hyperparameters.widths]
    layers = [nn.Flatten()]
    for fan_in, fan_out in zip(widths[:-1], widths[1:]):
        layers.append(nn.Linear(fan_in, fan_out, bias=not hyperparameters.batch_norm))
        if hyperparameters.batch_norm:
            layers.append(nn.BatchNorm1d(fan_out))
        layers += [nn.ReLU(), nn.Dropout(hyperparameters.dropout)]
    return nn.Sequential(*layers, nn.Linear(widths[-1], num_classes))
'''


def commented_functions() -> str:
    """Return the introduction, load() and build() as comments."""
    paragraphs = [INTRODUCTION, LOAD, BUILD]
    lines = [line for text in paragraphs for line in ("", "", *text.splitlines())]
    return "".join(f"# {line}".rstrip() + "\n" if line else "\n" for line in _joined(lines))


def _joined(lines: list[str]) -> list[str]:
    """Replace empty lines within a paragraph by a blank, so that they become comments too."""
    return [
        " " if not line and 0 < place < len(lines) - 1 and lines[place - 1] and lines[place + 1] else line
        for place, line in enumerate(lines)
    ]

"""Classes too rare to be in every part of every block: dropped or merged as the study asks, else refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from studies.base.errors import UsageError
from studies.base.messages import show
from studies.definition.study import Study
from studies.planning.plan import Plan
from studies.user_files.interface_checks import place_of
from trainables.user_code.code import OWN

if TYPE_CHECKING:  # a mistake in a command is told before numpy and scikit-learn are loaded
    from trainables.data.class_presence import Missing
    from trainables.data.dataset import Dataset
    from trainables.data.splits import Splits

MAX_TOLD = 5
"""Most classes listed one by one; a column of measurements taken for classes would give thousands."""

_NAMES = {"train": "training", "validation": "validation", "test": "test"}
_NOTHING = "Nothing was trained."


def prepared(study: Study, dataset: Dataset) -> Dataset:
    """Return the dataset as `study` trains on it, without rare classes where it asks for that, and with notes.

    Raises UsageError where too few classes are left.
    """
    from trainables.data.rare_classes import without_rare_classes

    if study.min_class_count is not None:
        if not dataset.num_classes:
            raise UsageError(
                [f"min_class_count is for classes, and dataset {dataset.name} has real numbers for targets"],
                f"Leave min_class_count out. {_NOTHING}",
            )
        try:
            dataset = without_rare_classes(
                dataset, study.min_class_count, merge=study.rare_classes == "merge"
            )
        except ValueError as error:
            raise UsageError(
                [f"dataset {dataset.name}: {error}"], f"Set a smaller min_class_count. {_NOTHING}"
            ) from error
    absent = _absent_from_official_test(dataset)
    return replace(dataset, notes=(*dataset.notes, *absent)) if absent else dataset


def _absent_from_official_test(dataset: Dataset) -> tuple[str, ...]:
    """Return a note about classes that the official test set lacks, which is never changed; empty if it has all."""
    if dataset.official_test is None or not dataset.num_classes:
        return ()
    present = set(dataset.targets[dataset.official_test].tolist())
    absent = [name for index, name in enumerate(dataset.classes) if index not in present]
    if not absent:
        return ()
    listed = ", ".join(absent[:20]) + (f" and {len(absent) - 20} more" if len(absent) > 20 else "")
    return (f"the official test set has no row of {'class' if len(absent) == 1 else 'classes'} {listed}",)


def check_classes(plan: Plan, dataset: Dataset) -> None:
    """Raise UsageError as `splits_with_every_class` does, but make splits only where some class is rare."""
    from trainables.data.class_presence import classes_without_place

    if not dataset.num_classes or classes_without_place(dataset, _sizes(plan.study)):
        splits_with_every_class(plan, dataset)


def splits_with_every_class(plan: Plan, dataset: Dataset) -> Splits:
    """Return every split that the plan trains on.

    Raises UsageError that names each class missing from a part of a block, with the rows that it needs.
    """
    from trainables.data.class_presence import classes_without_place, missing_classes
    from trainables.data.splits import split_blocks

    study, sizes = plan.study, _sizes(plan.study)
    try:
        splits = split_blocks(dataset, seed=plan.seed, blocks=range(study.all_looks[-1]), sizes=sizes)
    except ValueError as error:
        if dataset.num_classes:
            _refuse(plan, dataset, classes_without_place(dataset, sizes))
        raise UsageError(
            [f"{_place(plan, dataset)}: {_rows(len(dataset.targets))} cannot be split{_at(sizes)}: {error}"],
            f"Add rows{_or_another(sizes)}. {_NOTHING}",
        ) from error
    if dataset.num_classes:
        _refuse(plan, dataset, missing_classes(dataset, splits))
    return splits


def _sizes(study: Study) -> tuple[float | None, ...]:
    """Return the fractions of the training part that are trained on."""
    sizes = study.factors.get("train_size", (study.fixed.get("train_size"),))
    return tuple(None if size is None else float(size) for size in sizes)  # type: ignore[arg-type]


def _refuse(plan: Plan, dataset: Dataset, missing: Sequence[Missing]) -> None:
    if missing:
        told = [_sentence(plan, dataset, each) for each in missing[:MAX_TOLD]]
        if len(missing) > MAX_TOLD:
            told.append(
                f"{_place(plan, dataset)}: {len(missing):,} of {dataset.num_classes:,} classes have too few rows, the "
                f"rarest {_rows(min(each.rows for each in missing))}: a target names classes{_measurements(dataset)}"
            )
        raise UsageError(told, _advice(plan, dataset, missing))


def _sentence(plan: Plan, dataset: Dataset, missing: Missing) -> str:
    """Return a sentence: the class, its rows, the parts that lack it, and how many rows it needs."""
    from trainables.data.class_presence import rows_needed

    sizes = _sizes(plan.study)
    outside = "" if dataset.official_test is None else " outside the official test set"
    parts = "training, validation and test" if dataset.official_test is None else "training and validation"
    where = "; ".join(
        f"{num} of {plan.study.all_looks[-1]} blocks {'has' if num == 1 else 'have'} none in the {_NAMES[part]} part"
        f"{_at([size]) if part == 'train' else ''}"
        for (size, part), num in _worst(missing).items()
    )
    return (
        f"{_place(plan, dataset)}: class {dataset.classes[missing.index]} has {_rows(missing.rows)}{outside} and needs "
        f"at least {rows_needed(dataset, missing.index, sizes)} to be in the {parts} part of every block"
        f"{_at(sizes)}{': ' if where else ''}{where}"
    )


def _place(plan: Plan, dataset: Dataset) -> str:
    """Return where the data come from: the line of the user's own load(), else the dataset's name."""
    if plan.study.dataset == OWN and plan.code is not None:
        return f"{place_of(plan.code, 'load')}: load()"
    return f"dataset {dataset.name}"


def _worst(missing: Missing) -> dict[tuple[float | None, str], int]:
    """Return the number of blocks that lack the class, by part; of training parts only the smallest that lacks it."""
    found: dict[str, tuple[float | None, int]] = {}
    for (size, part), num in sorted(missing.lacking.items(), key=lambda item: item[0][0] or 1.0):
        found.setdefault(part, (size, num))
    return {(size, part): num for part, (size, num) in found.items()}


def _at(sizes: Sequence[float | None]) -> str:
    smallest = min((size for size in sizes if size is not None), default=1.0)
    return f" with train_size {show(smallest)}" if smallest < 1 else ""


def _or_another(sizes: Sequence[float | None]) -> str:
    return " or give another train_size" if _at(sizes) else ""


def _advice(plan: Plan, dataset: Dataset, missing: Sequence[Missing]) -> str:
    """Return what the user can do: add rows, use a larger train_size, or leave these classes out."""
    from trainables.data.class_presence import splittable_counts

    ways = ["add rows"]
    if any(part == "train" for each in missing for _, part in each.lacking) or (
        _at(_sizes(plan.study)) and not all(each.lacking for each in missing)
    ):
        ways.append("give a larger train_size")
    count = max(each.rows for each in missing) + 1
    if plan.study.rare_classes == "merge":
        ways.append("set a larger min_class_count, which merges more classes")
    elif (splittable_counts(dataset) >= count).sum() >= 2:
        ways.append(
            f"--set min_class_count={count} drops the classes with fewer rows, and --set rare_classes=merge beside it "
            "makes them one class other"
        )
    *first, last = ways
    listed = f"{', '.join(first)}, or {last}" if first else last
    return f"{listed[0].upper()}{listed[1:]}. {_NOTHING}"


def _measurements(dataset: Dataset) -> str:
    """Return a hint for measured numbers, where the names of all classes are numbers; empty otherwise."""
    try:
        [float(name) for name in dataset.classes]
    except ValueError:
        return ""
    return "; for measurements write a train() with metrics of its own"


def _rows(count: int) -> str:
    return f"{count:,} {'row' if count == 1 else 'rows'}"

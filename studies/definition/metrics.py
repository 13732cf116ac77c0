"""The metrics that a study declares for its own training loop: their rules and their canonical form."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from search_spaces.rules import is_real
from studies.base.messages import mistake, show, unknown
from trainables.base.metrics import COLUMNS, OBJECTIVES, VALIDATION, Direction, Metric

_DIRECTIONS = tuple(str(direction) for direction in Direction)
_NAMES = tuple(field.name for field in fields(Metric))


def declared_metrics(entry: object) -> tuple[Metric, ...]:
    """Return a study's declared metrics, the primary one first; raise ValueError with the mistakes as its arguments.

    Each is a Metric, or its plain form such as {"name": "rmse", "direction": "min", "unit": "kg", "failure": 90}. A
    single metric is the primary one.
    """
    if not isinstance(entry, list | tuple):
        raise ValueError(mistake("metrics", "a list of metrics, each made with Metric(...)", entry))
    forms = [asdict(each) if isinstance(each, Metric) else each for each in entry]
    wrong = [
        problem
        for place, form in enumerate(forms, start=1)
        for problem in _problems(f"metrics[{place}]", form)
    ]
    if not wrong:
        wrong = list(_disagreements(forms))
    if wrong:
        raise ValueError(*wrong)
    metrics = [_metric(form, is_only=len(forms) == 1) for form in forms]
    return tuple(sorted(metrics, key=lambda metric: not metric.primary))


def plain_metrics(metrics: Sequence[Metric]) -> list[dict[str, Any]]:
    """Return metrics as JSON data, without the fields that are None."""
    return [
        {name: value for name, value in asdict(metric).items() if value is not None} for metric in metrics
    ]


def objective_among(metrics: Sequence[Metric], objective: object) -> str:
    """Return the objective of a study that declares metrics: the primary one unless it names another.

    Raises ValueError if it names none of them.
    """
    names = [VALIDATION + metric.name for metric in metrics]
    if objective == OBJECTIVES[0]:
        return names[0]
    if objective not in names:
        raise ValueError(
            mistake("objective", f"one of {', '.join(names)}, the study's own metrics", objective, names)
        )
    return str(objective)


def _metric(form: Mapping[str, Any], *, is_only: bool) -> Metric:
    smallest = form.get("smallest_effect")
    return Metric(
        name=form["name"],
        direction=Direction(form["direction"]),
        unit=form.get("unit", ""),
        failure=float(form["failure"]),
        primary=is_only or form.get("primary", False),
        smallest_effect=None if smallest is None else float(smallest),
    )


def _problems(field: str, form: object) -> Iterator[str]:
    """Yield what is wrong with one metric."""
    if not isinstance(form, Mapping):
        yield mistake(field, "made with Metric(name=..., direction=..., unit=..., failure=...)", form)
        return
    yield from (
        unknown(f"{field}.{name}", "field of a metric", _NAMES) for name in form if name not in _NAMES
    )
    name = form.get("name")
    if not isinstance(name, str) or not name.isidentifier():
        yield mistake(f"{field}.name", "a name such as rmse, without spaces", name)
    elif name in COLUMNS or name.startswith(("train_", "val_", "test_")):
        yield (
            f"{field}.name must not be {name}: loss and accuracy are a classifier's cross-entropy in nats and share of "
            "right answers, and train_, val_ and test_ are put before a name for the part that it is of; use a name "
            "such as mse"
        )
    if form.get("direction") not in _DIRECTIONS:
        yield mistake(
            f"{field}.direction", f"one of {', '.join(_DIRECTIONS)}", form.get("direction"), _DIRECTIONS
        )
    unit = form.get("unit", "")
    if not isinstance(unit, str) or len(unit) > 20 or not unit.isprintable():
        yield mistake(f"{field}.unit", "a text of at most 20 characters", unit)
    if not is_real(form.get("failure"), -1e300, 1e300):
        yield mistake(
            f"{field}.failure", "a number: what a network scores that diverged or failed", form.get("failure")
        )
    if not isinstance(form.get("primary", False), bool):
        yield mistake(f"{field}.primary", "true or false", form["primary"])
    smallest = form.get("smallest_effect")
    if smallest is not None and not is_real(smallest, 0, 1e300, above=True):
        yield mistake(f"{field}.smallest_effect", "null or a number above 0", smallest)


def _disagreements(forms: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    names = [form["name"] for form in forms]
    if len({*names}) < len(names):
        yield f"metrics must have different names; got {show(names)}"
    primary = [form["name"] for form in forms if form.get("primary", False)]
    if len(forms) > 1 and len(primary) != 1:
        yield f"metrics must have exactly one that is primary=True, which is compared; got {show(primary)}"

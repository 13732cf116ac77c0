"""Which networks are scored on the validation and the test part together: those of blocks that no search has read."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from reports.inputs.early_stopping import stops_early
from studies.definition import plan_versions
from trainables.base.metrics import HOLDOUT

HOLDOUT_SCORES: Final = (f"{HOLDOUT}loss", f"{HOLDOUT}accuracy")
"""Log-loss in nats and accuracy (a fraction), each a mean over the examples of both parts."""

_PLATEAU: Final = "plateau"


def pools_holdout(plan: Mapping[str, Any], *, official_test: bool, has_loop: bool = False) -> bool:
    """Return whether a plan's extension blocks, those of its later looks, have `HOLDOUT_SCORES`.

    They must not have been read before: neither part by a search, nor the validation part by early stopping or by a
    schedule that waits for a plateau. An official test set is the same rows in every block, so that its share of the
    error would be too. A train() of the user's own (`has_loop`, which a recorded plan does not tell unless it declares
    metrics) says its scores by itself. Plans before version 4 have none.

    >>> pools_holdout({"plan_version": 4, "factors": {"depth": [3, 5]}}, official_test=False)
    True
    >>> pools_holdout({"plan_version": 4, "factors": {"schedule": ["cosine", "plateau"]}}, official_test=False)
    False
    """
    return (
        plan.get(plan_versions.FIELD, plan_versions.FIRST) >= plan_versions.UNTIL_CLEAR
        and not official_test
        and not has_loop
        and not plan.get("metrics")
        and not stops_early(plan)
        and _default(plan).get("patience") is None
        and _PLATEAU not in _schedules(plan)
    )


def holdout_columns(plan: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the columns of the scores that a plan's networks may have: none without later looks.

    Whether the data have an official test set, and there are none, a plan does not tell.

    >>> holdout_columns({"plan_version": 4, "looks": [10, 20]}), holdout_columns({"plan_version": 4, "looks": [10]})
    (('holdout_loss', 'holdout_accuracy'), ())
    """
    has_extensions = len(plan.get("looks") or ()) > 1
    return HOLDOUT_SCORES if has_extensions and pools_holdout(plan, official_test=False) else ()


def _default(plan: Mapping[str, Any]) -> Mapping[str, Any]:
    default: Mapping[str, Any] = plan.get("confirm", {}).get("default") or {}
    return default


def _schedules(plan: Mapping[str, Any]) -> Iterator[Any]:
    """Yield every schedule that a plan states."""
    name = "schedule"
    yield from plan.get("factors", {}).get(name, ())
    yield from _choices(plan.get("nuisances", {}).get(name))
    yield from (held[name] for held in (plan.get("fixed", {}), _default(plan)) if name in held)


def _choices(form: Any) -> Iterator[Any]:
    """Yield the choices of a nuisance, or of those that it has for each optimizer."""
    if not isinstance(form, Mapping):
        return
    if "choices" in form:
        yield from form["choices"]
        return
    for inner in form.values():
        yield from _choices(inner)

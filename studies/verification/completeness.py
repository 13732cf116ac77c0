"""Which trials a study that counts as complete should have, and has not."""

from collections.abc import Iterator
from typing import Any

from studies.base.states import Phase, StudyState, TrialState
from studies.run_log.run_events import ENDED
from studies.verification.check import named
from studies.verification.json_values import parsed
from studies.verification.record import Record


def missing_trials(record: Record) -> Iterator[str]:
    """Yield a line for each phase of a complete study that lacks trials; nothing for other studies."""
    if not record.is_complete:
        return
    plan, there = record.plan, set(record.by_number)
    unsearched = set(range(1, plan.num_search_trials + 1)) - there
    if unsearched:
        yield f"the study is complete without {named(unsearched)} of its search"
    unconfirmed = _confirm_numbers(record) - there
    if unconfirmed:
        yield f"the study is complete without {named(unconfirmed)} of its confirm phase"


def _confirm_numbers(record: Record) -> set[int]:
    """Return the numbers of the confirm trials that what was found in the search leads to, look by look."""
    first = record.plan.num_search_trials + 1
    if not record.cells:
        return set(range(first, first + _num_configurations(record)))
    cells = {trial["cell"] for trial in _candidates(record)}
    looks = range(_looks_done(record))
    return {first + look * len(record.cells) + cell - 1 for look in looks for cell in cells}


def _num_configurations(record: Record) -> int:
    """Return how many configurations a study without cells confirms: the best that got furthest, and the default."""
    confirm, candidates = record.plan.study.confirm, _candidates(record)
    furthest = max((trial["rung"] for trial in candidates), default=0)
    num_last = [trial["rung"] for trial in candidates].count(furthest)
    return min(confirm.best, num_last) + bool(confirm.default)


def _candidates(record: Record) -> list[dict[str, Any]]:
    """Return the search trials among which the confirm phase chooses: those with a result that did not fail."""
    return [
        trial
        for trial in record.trials
        if trial["phase"] == Phase.SEARCH
        and trial["state"] != TrialState.FAILED
        and trial["rung"] is not None
    ]


def _looks_done(record: Record) -> int:
    """Return how many looks the runs of the study completed."""
    events = record.rows.events
    ended = [parsed(detail) or {} for detail in events.loc[events["kind"] == ENDED, "detail"]]
    return max((int(run["looks"]) for run in ended if run.get("state") == StudyState.COMPLETE), default=1)

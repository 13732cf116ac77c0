"""Check I6: trials, networks and epochs add up, both in the rows and as the report counts them."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from reports.inputs.measures import outcome_measure
from reports.results.accounting import AccountingError, account
from studies.base.states import Outcome, Phase, StudyState, TrialState
from studies.base.wording import count, counted
from studies.definition.holdout import HOLDOUT_SCORES, pools_holdout
from studies.run_log.run_events import ENDED
from studies.verification.check import Check, named
from studies.verification.decisions import has_looks, looks_decided
from studies.verification.json_values import parsed
from studies.verification.record import Record
from trainables.user_code.code import OWN

RULE = "accounting adds up: trials, networks, epochs, layers, objectives"
_KEY = ["trial_number", "replicate"]


def check_accounting(record: Record) -> Check:
    """Compare every trial with its networks, rungs and layers, then count the study in both ways."""
    totals = _totals(record)
    return Check(
        name="I6",
        rule=RULE,
        looked_at=f"{counted(totals['started'], 'trial')} started, {counted(totals['networks'], 'network')} ended, "
        f"{count(totals['diverged'])} of them diverged",
        faults=[
            *_networks(record),
            *_test_scores(record),
            *_holdout_scores(record),
            *_rungs(record),
            *_layers(record),
            *missing_trials(record),
            *_as_reported(record, totals),
        ],
    )


def _networks(record: Record) -> Iterator[str]:
    """Yield faults: an ended trial must have all its networks, each on its own block; another must have none."""
    ended = [
        trial["number"]
        for trial in record.trials
        if trial["state"] in tuple(TrialState) and TrialState(trial["state"]).has_ended
    ]
    planned = record.networks[record.networks["trial_number"].isin(ended)]
    found = record.rows.replicates[[*_KEY, "block"]].rename(columns={"block": "found_block"})
    both = planned.merge(found, on=_KEY, how="outer", indicator=True)
    missing, extra = both["_merge"] == "left_only", both["_merge"] == "right_only"
    elsewhere = ~missing & ~extra & (both["block"] != both["found_block"])
    for rows, fault in (
        (missing, "not all of the networks are there"),
        (extra, "networks that should not be there"),
        (elsewhere, "networks on other blocks than planned"),
    ):
        if rows.any():
            yield f"{named(both.loc[rows, 'trial_number'])}: {fault}"


def _have(metrics: "pd.Series[Any]", name: str) -> "pd.Series[bool]":
    """Return for each replicate whether its metrics, JSON text, contain a number of that name."""

    def has(text: Any) -> bool:
        try:
            return isinstance(json.loads(text)[name], int | float)
        except (ValueError, TypeError, KeyError):
            return False

    return metrics.map(has).astype(bool)


def _test_scores(record: Record) -> Iterator[str]:
    """Yield faults: only the confirm phase reads the test part, and there every network that did not diverge."""
    rows = record.rows.replicates
    phases = {number: trial["phase"] for number, trial in record.by_number.items()}
    confirms = rows["trial_number"].map(phases) == Phase.CONFIRM
    outcome = outcome_measure(record.plan.to_dict())
    has_score = rows[outcome.name].notna() if outcome.name in rows else _have(rows["metrics"], outcome.name)
    early = rows.loc[~confirms & has_score, "trial_number"]
    without = rows.loc[confirms & ~has_score & (rows["outcome"] == Outcome.COMPLETE), "trial_number"]
    if len(early):
        yield f"{named(early)}: the test part was read in the search"
    if len(without):
        yield f"{named(without)}: ended without a test {outcome.kind}"


def _holdout_scores(record: Record) -> Iterator[str]:
    """Yield faults: scores on both held-out parts belong to every complete network of a later look, and to no other.

    A recorded plan does not tell a train() of the user's own, which has none, from a build(): where the model is the
    user's, such networks have all of these scores or none.
    """
    rows = record.rows.replicates
    found = pd.DataFrame({name: _have(rows["metrics"], name) for name in HOLDOUT_SCORES})
    some, every = found.any(axis=1), found.all(axis=1)
    late = {
        number
        for number, trial in record.by_number.items()
        if trial["phase"] == Phase.CONFIRM and record.look_of(number) > 0
    }
    plan = record.plan.to_dict()
    pools = pools_holdout(plan, official_test=record.official_test)
    asked = rows["trial_number"].isin(late) & pools
    complete = asked & (rows["outcome"] == Outcome.COMPLETE)
    if plan["model"] == OWN and not some[complete].any():
        complete &= False
    read = rows.loc[some & ~asked, "trial_number"]
    without = rows.loc[complete & ~every, "trial_number"]
    if len(read):
        yield f"{named(read)}: scored on validation and test part together, which only blocks of later looks are"
    if len(without):
        yield f"{named(without)}: ended without a score on validation and test part together"


def _rungs(record: Record) -> Iterator[str]:
    """Yield faults: a trial's rung must be that of its last decision, and its objective the value there."""
    decided = record.rows.rungs.sort_values(["trial_number", "epoch"])
    last = decided.drop_duplicates("trial_number", keep="last").set_index("trial_number")
    epochs, objectives = last["epoch"].to_dict(), last["objective"].to_dict()
    for number, trial in record.by_number.items():
        rung, objective = epochs.get(number), objectives.get(number)
        if trial["rung"] != rung:
            yield f"trial {number} says that it reached rung {trial['rung']}, and the last decision is on {rung}"
        if trial["objective"] is not None and rung == trial["epochs"] and trial["objective"] != objective:
            yield f"trial {number} has the objective {trial['objective']}, and {objective} at its last rung"


def _layers(record: Record) -> Iterator[str]:
    """Yield faults: each measured epoch must have all layers from 1 on once, and must have been reached."""
    rows = record.rows.layers
    gaps = (rows["num_rows"] != rows["last_layer"]) | (rows["num_layers"] != rows["last_layer"])
    depths = rows.groupby("trial_number")["last_layer"].transform("nunique")
    reached = rows["trial_number"].map({n: trial["epochs"] or 0 for n, trial in record.by_number.items()})
    wrong = rows.loc[gaps | (depths > 1) | (rows["epoch"] > reached), "trial_number"]
    if len(wrong):
        yield f"{named(wrong)}: layers are missing, there twice, or measured in epochs that were not reached"


def _totals(record: Record) -> dict[str, int]:
    """Count the study in its rows."""
    states = Counter(trial["state"] for trial in record.trials)
    outcomes = Counter(record.rows.replicates["outcome"])
    return {
        "started": sum(states.values()) - states["waiting"],
        **{state: states[state] for state in TrialState},
        "networks": len(record.rows.replicates),
        "diverged": outcomes[Outcome.DIVERGED],
        "epochs": len(record.rows.epochs),
    }


def _as_reported(record: Record, totals: Mapping[str, int]) -> Iterator[str]:
    """Yield faults: the report's own accounting, with all its rules, must give the same counts."""
    rows, plan = record.rows, record.plan.to_dict()
    created_at = pd.to_datetime(rows.study["created_at"], utc=True, errors="coerce")
    if pd.isna(created_at):
        yield f"created_at is not a time: {rows.study['created_at']}"
        return
    try:
        reported = account(
            _trials(record), record.replicates, rows.epochs, plan, created_at, rows.events
        ).overall
    except AccountingError as error:
        yield from error.mistakes
        return
    for name, num in totals.items():
        if reported[name] != num:
            yield f"{name}: {num} by the rows, {reported[name]} in the report's accounting"


def _trials(record: Record) -> pd.DataFrame:
    """Return the trials as the report takes them: a column for each factor, lists as tuples."""
    params: list[Mapping[str, Any]] = [trial["params"] or {} for trial in record.trials]
    levels = {
        name: pd.Series([_level(values.get(name)) for values in params], dtype="object")
        for name in record.plan.study.factors
    }
    return record.rows.trials.drop(columns="params").assign(**levels)


def _level(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def missing_trials(record: Record) -> Iterator[str]:
    """Yield a line for each phase of a complete study that lacks trials, and for trials that no decision named."""
    if has_looks(record):
        first = record.plan.num_search_trials + 1
        unasked = {number for number in record.by_number if number >= first} - _confirm_numbers(record)
        later = {number for number in unasked if record.look_of(number) > 0}
        if later:
            yield f"{named(later)} of later looks: the decision before does not name their cells"
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
    """Return the numbers of the confirm trials that follow from the results of the search, look by look."""
    first = record.plan.num_search_trials + 1
    if not record.cells:
        return set(range(first, first + _num_configurations(record)))
    cells = {trial["cell"] for trial in _candidates(record)}
    if has_looks(record):
        decided = {each["look"]: each["cells"] for each in looks_decided(record)}
        begun = {record.look_of(number) for number in record.by_number if number >= first}
        later = {look: decided.get(look, []) for look in begun - {0}}
        return {
            first + look * len(record.cells) + cell - 1
            for look, trained in {0: cells, **later}.items()
            for cell in trained
        }
    looks = range(_looks_done(record))
    return {first + look * len(record.cells) + cell - 1 for look in looks for cell in cells}


def _num_configurations(record: Record) -> int:
    """Return how many configurations a study without cells confirms: the best at the highest rung, and the default."""
    confirm, candidates = record.plan.study.confirm, _candidates(record)
    furthest = max((trial["rung"] for trial in candidates), default=0)
    num_last = [trial["rung"] for trial in candidates].count(furthest)
    return min(confirm.best, num_last) + bool(confirm.default)


def _candidates(record: Record) -> list[dict[str, Any]]:
    """Return the search trials that the confirm phase may choose: those with a result that did not fail."""
    return [
        trial
        for trial in record.trials
        if trial["phase"] == Phase.SEARCH
        and trial["state"] != TrialState.FAILED
        and trial["rung"] is not None
    ]


def _looks_done(record: Record) -> int:
    """Return how many looks are complete."""
    events = record.rows.events
    ended = [parsed(detail) or {} for detail in events.loc[events["kind"] == ENDED, "detail"]]
    return max((int(run["looks"]) for run in ended if run.get("state") == StudyState.COMPLETE), default=1)

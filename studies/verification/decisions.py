"""Check I4: ASHA's recorded decisions are those that it would make again."""

from collections.abc import Iterator

from studies.base.states import Decision, Phase
from studies.base.wording import counted
from studies.search.asha import Asha
from studies.verification.check import Check
from studies.verification.record import Record

RULE = "ASHA's stored decisions equal to a replay through fresh schedulers"


def check_decisions(record: Record) -> Check:
    """Replay the results at rungs in the order of the decisions, and find rungs reached without a decision."""
    return Check(
        name="I4",
        rule=RULE,
        looked_at=counted(len(record.rows.rungs), "decision"),
        faults=[*_replayed(record), *_missing(record)],
    )


def _replayed(record: Record) -> Iterator[str]:
    search = record.plan.study.search
    asha = Asha(
        rungs=search.rungs,
        reduction_factor=search.reduction_factor,
        mode=str(record.plan.study.direction),
    )
    in_order = record.rows.rungs.sort_values("sequence", kind="stable")
    decided: set[tuple[int, int]] = set()
    columns = ["trial_number", "epoch", "objective", "decision"]
    for number, epoch, objective, decision in in_order[columns].itertuples(index=False):
        trial, where = record.by_number.get(number), f"trial {number}, epoch {epoch}"
        is_ranked = trial is not None and trial["phase"] == Phase.SEARCH
        if trial is None or epoch not in search.rungs or (is_ranked and objective != objective):
            yield f"{where}: there is no such trial, no such rung or no objective"
        elif (number, epoch) in decided:
            yield f"{where}: decided more than once"
        else:
            expected = Decision.CONTINUE
            if trial["phase"] == Phase.SEARCH and asha.decides_at(epoch):
                expected = asha.decide(trial["cell"], number=number, epoch=epoch, objective=objective)
            if decision != expected:
                yield f"{where}: stored is {decision}, a replay says {expected}"
        decided.add((number, epoch))


def _missing(record: Record) -> Iterator[str]:
    rows = record.rows.rungs
    decided = set(zip(rows["trial_number"], rows["epoch"], strict=True))
    for trial in record.trials:
        if trial["phase"] != Phase.SEARCH:
            continue
        for rung in record.plan.study.search.rungs:
            if rung <= (trial["epochs"] or 0) and (trial["number"], rung) not in decided:
                yield f"trial {trial['number']}, epoch {rung}: the rung was reached and nothing is decided"

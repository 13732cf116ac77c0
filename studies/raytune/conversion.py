"""A worker's report as the database takes it: how its trial stands, what its rung came to, how its networks ended."""

from studies.base.states import Decision, Outcome, TrialState
from studies.database.results import Evaluation, RungResult
from trainables.base.records import EvaluationRecord, ReplicateRecord, TrialReport
from trainables.trials.assignment import Assignment


def trial_state(assignment: Assignment, report: TrialReport, decision: Decision | None) -> TrialState | None:
    """Return how the trial ended with this report, None where it goes on."""
    if report.error is not None:
        return TrialState.FAILED
    if report.epoch >= assignment.epochs:
        return TrialState.COMPLETE
    return TrialState.PRUNED if decision is Decision.STOP else None


def rung_result(assignment: Assignment, report: TrialReport, decision: Decision | None) -> RungResult | None:
    """Return what is recorded of a rung; where ASHA is not asked, as at the last one, a trial goes on."""
    if report.error is not None or report.epoch not in assignment.rungs:
        return None
    return RungResult(epoch=report.epoch, objective=report.objective, decision=decision or Decision.CONTINUE)


def stopped(record: ReplicateRecord) -> ReplicateRecord:
    """Return a replicate of a stopped trial: stopped, unless it diverged before."""
    if record.outcome is not Outcome.COMPLETE:
        return record
    return ReplicateRecord(
        replicate=record.replicate,
        block=record.block,
        outcome=Outcome.STOPPED,
        val_loss=record.val_loss,
        val_accuracy=record.val_accuracy,
        metrics=record.metrics,
    )


def evaluation(record: EvaluationRecord) -> Evaluation:
    return Evaluation(
        replicate=record.replicate,
        confusion=record.confusion,
        calibration=[
            {
                "low": part.low,
                "high": part.high,
                "count": part.count,
                "confidence": part.confidence,
                "accuracy": part.accuracy,
            }
            for part in record.calibration
        ],
    )

"""Check I3: every trial has ended exactly once, or can be resumed."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from studies.base.states import EventKind, Outcome, Phase, TrialState
from studies.base.wording import count, counted
from studies.verification.check import Check
from studies.verification.record import Record

RULE = "every trial ended or resumable, with one ending"
_ENDS = ("ended_at", "objective", "error", "stop_reason")
_OUTCOMES = {
    TrialState.COMPLETE: {Outcome.COMPLETE, Outcome.DIVERGED},
    TrialState.PRUNED: {Outcome.STOPPED, Outcome.DIVERGED},
    TrialState.FAILED: {Outcome.FAILED, Outcome.DIVERGED},
}
_NOT_WITH = {
    TrialState.COMPLETE: ("error", "stop_reason"),
    TrialState.PRUNED: ("error",),
    TrialState.FAILED: ("objective",),
}


def check_endings(record: Record) -> Check:
    """Compare each trial's state with everything that an ending records: its columns, networks and last decision."""
    endings = _Endings(record)
    return Check(
        name="I3",
        rule=RULE,
        looked_at=_counted(record),
        faults=[
            *(f"trial {number} is there {times} times" for number, times in endings.twice),
            *(
                f"trial {trial['number']} {fault}"
                for trial in record.trials
                for fault in endings.faults_of(trial)
            ),
        ],
    )


def _counted(record: Record) -> str:
    ended = sum(_has_ended(trial["state"]) for trial in record.trials)
    events = record.rows.events
    repeats = int((events["kind"] == EventKind.CONFLICT).sum())
    refused = f"; {counted(repeats, 'refused repeat')} noted as events" if repeats else ""
    return f"{count(ended)} of {counted(len(record.trials), 'trial')} ended{refused}"


class _Endings:
    """The recorded endings of trials and networks, by trial."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self.twice = [
            (number, times)
            for number, times in Counter(trial["number"] for trial in record.trials).items()
            if times > 1
        ]
        self._outcomes: dict[int, list[tuple[int, str]]] = defaultdict(list)
        networks = record.rows.replicates[["trial_number", "replicate", "outcome"]]
        for number, replicate, outcome in networks.itertuples(index=False):
            self._outcomes[number].append((replicate, outcome))
        decisions = record.rows.rungs[["trial_number", "epoch", "decision"]]
        self._stops: dict[int, int] = {
            number: epoch
            for number, epoch, decision in decisions.itertuples(index=False)
            if decision == "stop"
        }

    def faults_of(self, trial: dict[str, Any]) -> Iterator[str]:
        """Yield what is wrong with a trial's ending, to follow its number in a sentence."""
        if trial["state"] not in tuple(TrialState):
            yield f"has the state {trial['state']!r}, which does not exist"
            return
        state = TrialState(trial["state"])
        yield from self._networks_twice(trial["number"])
        yield from self._ended(trial, state) if state.has_ended else self._open(trial, state)

    def _networks_twice(self, number: int) -> Iterator[str]:
        times = Counter(replicate for replicate, _ in self._outcomes[number])
        for replicate, num in times.items():
            if num > 1:
                yield f"has {num} endings of replicate {replicate}"

    def _open(self, trial: dict[str, Any], state: TrialState) -> Iterator[str]:
        left = [name for name in _ENDS if trial[name] is not None]
        left += ["networks that ended"] if self._outcomes[trial["number"]] else []
        left += ["a decision to stop it"] if trial["number"] in self._stops else []
        if left:
            yield f"is {state}, and yet has {', '.join(left)}"
        if self._record.is_complete:
            yield f"is {state}, and yet the study is complete"

    def _ended(self, trial: dict[str, Any], state: TrialState) -> Iterator[str]:
        number, last = trial["number"], self._record.plan.study.confirm.epochs
        if trial["ended_at"] is None:
            yield f"is {state} without a time at which it ended"
        # Trials of the confirm phase are not ranked, and their objective may be undefined in every network.
        is_ranked = trial["phase"] == Phase.SEARCH
        if is_ranked and state is not TrialState.FAILED and trial["objective"] is None:
            yield f"is {state} without an objective"
        both = [name for name in _NOT_WITH[state] if trial[name] is not None]
        if both:
            yield f"is {state}, and yet has {', '.join(both)}: two endings"
        others = sorted({outcome for _, outcome in self._outcomes[number]} - _OUTCOMES[state])
        if others:
            yield f"is {state}, and yet has networks that ended as {', '.join(others)}: two endings"
        if state is TrialState.COMPLETE and trial["epochs"] != last:
            yield f"is complete after {trial['epochs']} of {last} epochs"
        yield from self._stopped(trial, state)

    def _stopped(self, trial: dict[str, Any], state: TrialState) -> Iterator[str]:
        stop = self._stops.get(trial["number"])
        if state is TrialState.PRUNED and trial["phase"] == Phase.CONFIRM:
            yield "was stopped in the confirm phase, where nothing is"
        elif state is TrialState.PRUNED and stop != trial["epochs"]:
            yield f"is pruned after epoch {trial['epochs']} without a decision to stop it there"
        elif state is not TrialState.PRUNED and stop is not None:
            yield f"is {state}, and yet ASHA stopped it at epoch {stop}: two endings"


def _has_ended(state: str) -> bool:
    return state in tuple(TrialState) and TrialState(state).has_ended

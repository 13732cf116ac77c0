"""Makes all checks of one study, on one snapshot and without writing anything."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from reports.inputs.decisions import Decision as LookDecision
from reports.results.results import decide
from studies.database.frames.raw_rows import Rows, read_rows
from studies.database.integrity import Integrity, check_integrity
from studies.database.lookup import find
from studies.database.store import Store
from studies.search.decision_inputs import decision_inputs
from studies.verification import (
    accounting,
    artifacts,
    budget,
    decisions,
    endings,
    epochs,
    frozen_plan,
    tokens,
    values,
)
from studies.verification.check import Check
from studies.verification.record import Record

DecideAgain = Callable[[], Sequence[LookDecision]]
"""Computes again what follows from each look."""
INTEGRITY_RULE = "the database's own integrity check, and its keys"


@dataclass(frozen=True, kw_only=True)
class Verification:
    """A study at one moment, and the result of every check."""

    study: str
    state: str
    plan_hash: str
    at: datetime
    checks: Sequence[Check]

    @property
    def is_sound(self) -> bool:
        """Whether every invariant holds."""
        return all(check.holds for check in self.checks)

    @property
    def advice(self) -> str:
        """Return what to do now, in one line."""
        failed = {check.name for check in self.checks if not check.holds}
        if not failed:
            return "Nothing to do."
        if "I7" in failed:
            return "Write nothing more to this storage: restore a copy of it that is sound."
        if failed == {"I8"}:
            return "The numbers are sound: copy the files back, or say with --output where they lie."
        return (
            "Rely on none of this study's numbers: restore a copy of the storage from before, or run the study again "
            "under another --name."
        )


def verify(
    store: Store, name: str, folder: Path, elsewhere: artifacts.FolderElsewhere | None = None
) -> Verification:
    """Check the study called `name`, whose files lie in `folder`, or `elsewhere`, where they are copied to.

    The study may be running: no lock is taken, and later writes are not seen, except that what follows from a look is
    computed from whole looks, which no longer change. Raises UsageError that lists the studies
    if there is none of that name, StorageError if nothing can be read.
    """
    with store.reading() as connection:
        integrity = check_integrity(connection)
        rows = read_rows(connection, name)
    if rows is None:
        find(store, name)
        raise AssertionError(f"study {name} appeared between two looks")
    return Verification(
        study=rows.study["name"],
        state=str(rows.study["state"]),
        plan_hash=str(rows.study["plan_hash"]),
        at=datetime.now(UTC),
        checks=list(
            _checks(
                rows,
                integrity,
                lambda: artifacts.check_artifacts(rows, folder, elsewhere),
                lambda: decide(decision_inputs(store, find(store, name))),
            )
        ),
    )


def _checks(
    rows: Rows, integrity: Integrity, check_files: Callable[[], Check], decide_again: DecideAgain
) -> Iterator[Check]:
    yield _made("plan", frozen_plan.RULE, lambda: frozen_plan.check_plan(rows))
    plan = frozen_plan.read_plan(rows)
    record = None if plan is None else Record(rows=rows, plan=plan)
    by_the_plan: tuple[tuple[str, str, Callable[[Record], Check]], ...] = (
        ("I1", epochs.RULE, epochs.check_epochs),
        ("I2", budget.RULE, budget.check_budget),
        ("I3", endings.RULE, endings.check_endings),
        ("I4", decisions.RULE, partial(decisions.check_decisions, decide=decide_again)),
        ("I5", tokens.RULE, tokens.check_tokens),
        ("I6", accounting.RULE, accounting.check_accounting),
    )
    for name, rule, check in by_the_plan:
        if record is None:
            yield Check(name=name, rule=rule, looked_at="nothing", faults=["there is no plan to judge by"])
        else:
            yield _made(name, rule, partial(check, record))
    yield Check(name="I7", rule=INTEGRITY_RULE, looked_at=integrity.asked, faults=integrity.faults)
    yield _made("I8", artifacts.RULE, check_files)
    yield _made("I9", values.RULE, lambda: values.check_values(rows, record))


def _made(name: str, rule: str, check: Callable[[], Check]) -> Check:
    """Run a check; if damaged rows make it raise, return it as failed.

    The check of all values names these rows.
    """
    try:
        return check()
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        why = " ".join(f"{type(error).__name__}: {error}".split())
        return Check(name=name, rule=rule, looked_at="what can be read", faults=[f"cannot be judged: {why}"])

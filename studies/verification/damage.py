"""How every command reports a damaged row: its table and key, what is wrong with it, and what to do."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from reports.inputs.errors import ReportError
from studies.base.errors import HeldError, StudiesError, UsageError
from studies.base.wording import count
from studies.database.as_stored import rows_shown_match
from studies.database.engines.problems import OutageError
from studies.database.schema import tables
from studies.database.store import Store

if TYPE_CHECKING:  # the checks need pandas, which commands that find nothing wrong need not wait for
    from studies.database.frames.raw_rows import Connection, Damaged, Rows, Table
    from studies.verification.record import Record

READ_BY_ALL: Final = (tables.trial, tables.event)
"""Tables that every command reads; the networks' results are checked where a page is made from them."""
MOST_TRIALS: Final = 5_000
"""Of a study with more trials, commands that only count most of them check those that they show."""
RESTORE: Final = "Write nothing more to it: restore a copy of it from before."


class DamagedError(StudiesError):
    """Rows of a study differ from what was written, or hold impossible values."""


def refuse_damaged(
    store: Store, *names: str, only: "Sequence[Table] | None" = None, of_page: bool = False
) -> None:
    """Raise DamagedError if a row of these studies is damaged by itself; `only` limits the tables that are checked.

    A study's own row is always checked. Without names, every study is. `of_page`: of a very large study only those
    rows are checked that its page is made from.
    """
    from studies.verification.values import damaged_values

    with store.reading() as connection:
        for name, rows in _rows(connection, names, only, of_page=of_page):
            record = _record(rows)
            _refuse(name, damaged_values(rows, record))


def refuse_damaged_trials(store: Store, *names: str) -> None:
    """Raise DamagedError if a trial or an event of these studies is damaged by itself; without names, of any study.

    Of a study with more than MOST_TRIALS trials only those are checked that a page shows: the best one, and those that
    run, wait, failed or confirm. `studies verify` checks each.
    """
    with store.reading() as connection:
        is_sound = rows_shown_match(connection, names, most_trials=MOST_TRIALS)
    if not is_sound:
        refuse_damaged(store, *names, only=READ_BY_ALL)


@contextmanager
def explaining_damage(store: Store, *names: str) -> Iterator[None]:
    """Turn what a door stumbles over into a DamagedError, where a row of these studies is damaged.

    Without names it may be a row of any study. An error that no damaged row explains is raised as it is.
    """
    try:
        yield
    except (DamagedError, HeldError, OutageError):
        raise
    except UsageError:
        # Mostly a mistake in a command, but a changed plan may raise it, too.
        refuse_damaged(store, *names, only=())
        raise
    except (
        StudiesError,
        ReportError,
        ArithmeticError,
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
    ):
        for looked_at in (names, ()):  # a page of one study may fail because of another study's row
            _look_for_damage(store, looked_at)
        raise


def _look_for_damage(store: Store, names: Sequence[str]) -> None:
    """Raise DamagedError if a row is damaged by itself, contradicts another, or fails the database's own check."""
    from studies.database.integrity import check_integrity
    from studies.verification.agreement import disagreements
    from studies.verification.values import damaged_values

    with store.reading() as connection:
        for name, rows in _rows(connection, names, None, of_page=False):
            record = _record(rows)
            _refuse(name, damaged_values(rows, record))
            if record is not None:
                _refuse(name, list(disagreements(record)))
        faults = check_integrity(connection).faults
    if faults:
        raise DamagedError(f"the storage {store.address} is damaged: {_first(faults)}", RESTORE)


def _rows(
    connection: "Connection", names: Sequence[str], only: "Sequence[Table] | None", *, of_page: bool
) -> "Iterator[tuple[str, Rows]]":
    from studies.database.frames.raw_rows import names_of, read_rows_in_parts

    for name in names or names_of(connection):
        for rows in read_rows_in_parts(connection, name, only, of_page=of_page):
            yield name, rows


def _record(rows: "Rows") -> "Record | None":
    from studies.verification.frozen_plan import read_plan
    from studies.verification.record import Record

    plan = read_plan(rows)
    return None if plan is None else Record(rows=rows, plan=plan)


def _refuse(name: str, faults: "Sequence[Damaged]") -> None:
    if faults:
        raise DamagedError(
            f"{name} holds a damaged row: {_first(faults)}",
            f"See all of them: studies verify {name}; then restore a copy of the storage from before.",
        )


def _first(faults: Sequence[object]) -> str:
    return f"{faults[0]}; and {count(len(faults) - 1)} more" if len(faults) > 1 else str(faults[0])

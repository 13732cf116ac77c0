"""Check I9: every stored value is what was written, can be parsed, lies in range and agrees with the others."""

from collections.abc import Sequence

from studies.base.wording import count, counted
from studies.database.frames.raw_rows import Damaged, Rows
from studies.verification import digests
from studies.verification.agreement import disagreements
from studies.verification.check import Check
from studies.verification.json_values import unreadable
from studies.verification.ranges import out_of_range
from studies.verification.record import Record
from trainables.user_code.code import OWN

RULE = "every stored value as it was written, in range, and in agreement with what it was made from"
NO_DIGESTS = "recorded before digests: values checked for range and agreement only"


def check_values(rows: Rows, record: Record | None) -> Check:
    """Check every value by itself and against its row's digest; if all are right, also against other values.

    With a damaged row, disagreements with it would add nothing.
    """
    compared = digests.compare(rows)
    damaged = damaged_values(rows, record, compared)
    faults = damaged or ([] if record is None else list(disagreements(record)))
    return Check(name="I9", rule=RULE, looked_at=_looked_at(rows, compared), faults=list(map(str, faults)))


def damaged_values(
    rows: Rows, record: Record | None, compared: digests.Digested | None = None
) -> Sequence[Damaged]:
    """Return what is wrong with rows by themselves, at most one fault per row.

    Of a very large study for its page, texts are taken as written where they match their digests: a million verdicts
    take as long to look through as the rest of the page.
    """
    is_classifier = record is not None and not record.plan.study.metrics and record.plan.study.model != OWN
    compared = digests.compare(rows) if compared is None else compared
    faults = [
        *rows.misplaced,
        *(() if rows.is_sample else unreadable(rows, is_classifier=is_classifier)),
        *out_of_range(rows, is_classifier=is_classifier),
        *compared.faults,
    ]
    first: dict[tuple[str, str], Damaged] = {}
    for fault in faults:
        first.setdefault((fault.table, fault.key), fault)
    return list(first.values())


def _looked_at(rows: Rows, compared: digests.Digested) -> str:
    num_rows = compared.num_with + compared.num_without
    if compared.num_with == 0 and compared.num_without and rows.study["digest"] is None:
        return f"{counted(num_rows, 'row')}, {NO_DIGESTS}"
    if compared.num_without:
        return f"{counted(num_rows, 'row')}, {count(compared.num_without)} of them {NO_DIGESTS}"
    return f"{counted(num_rows, 'row')} and their digests"

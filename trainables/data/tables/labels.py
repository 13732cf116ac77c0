"""The target column: which of its texts are labels, which are missing, and which differ in spelling only."""

from collections.abc import Mapping, Sequence

import pandas as pd

from trainables.data.column_facts import ColumnFacts, Findings, quoted, shortened
from trainables.data.tables.spellings import alike, is_missing


def labels_of(cells: pd.Series, *, kind: str | None, join: bool, findings: Findings) -> pd.Series:
    """Return each row's label as text, NaN where it is missing.

    If the other labels are texts, None, NA and the like are classes; if they are numbers, such a cell is missing unless
    the user states that the column is a `category`. With `join`, labels that differ in spelling only become one.
    """
    name = str(cells.name)
    if kind not in (None, "category"):
        findings.mistakes.append(
            f"columns.{name} is {kind}, and {name} is the target: it can be category, where NA and the like are "
            "classes, or be left out of columns"
        )
    labels = _as_texts(cells)
    labels = labels.where(labels.str.strip() != "")
    counts = {str(label): int(count) for label, count in labels.value_counts().items()}
    absent = [label for label in counts if is_missing(label)]
    others = pd.Series([label for label in counts if label not in absent], dtype="str")
    if absent and kind is None and pd.to_numeric(others, errors="coerce").notna().all():
        labels = labels.where(~labels.isin(absent))
    elif absent:
        rows = ", ".join(f"{label!r} ({counts[label]:,} rows)" for label in absent)
        findings.tell(
            f"{rows} is a class, as the other labels are texts; leave rows without a label out", name
        )
    labels = _joined(labels, counts, findings) if join else _noting_alike(labels, counts, findings)
    examples = tuple(shortened(str(label)) for label in labels.dropna().unique()[:3])
    num_missing, num = int(labels.isna().sum()), labels.nunique()
    findings.facts.append(
        ColumnFacts(
            name=name, kind="target", num_missing=num_missing, examples=examples, becomes=f"{num:,} classes"
        )
    )
    return labels


def _as_texts(cells: pd.Series) -> pd.Series:
    """Return typed labels as texts; whole numbers have no decimal point, even if some labels are missing."""
    if pd.api.types.is_float_dtype(cells) and (cells.dropna() % 1 == 0).all():
        cells = cells.astype("Int64")
    return cells.astype("str").where(cells.notna())


def _noting_alike(labels: pd.Series, counts: Mapping[str, int], findings: Findings) -> pd.Series:
    groups = alike(counts)
    if groups:
        shown = "; ".join(
            ", ".join(f"{label!r} ({counts[label]:,} rows)" for label in each) for each in groups[:3]
        )
        findings.tell(
            f"labels that differ by a space, case or number form are classes of their own ({shown}); to make them one: "
            "--set join_labels=true",
            str(labels.name),
        )
    return labels


def _joined(labels: pd.Series, counts: Mapping[str, int], findings: Findings) -> pd.Series:
    """Replace labels that differ in spelling only by the most frequent spelling."""
    spelling: dict[str, str] = {}
    for group in alike(counts):
        most = _most_frequent(group, counts).strip()
        spelling |= dict.fromkeys(group, most)
        findings.tell(f"labels {quoted(group)} are joined as {most!r}", str(labels.name))
    return labels.map(lambda label: spelling.get(label, label), na_action="ignore")


def _most_frequent(group: Sequence[str], counts: Mapping[str, int]) -> str:
    return max(sorted(group), key=lambda label: counts[label])

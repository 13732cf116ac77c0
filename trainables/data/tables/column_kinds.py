"""The kind of each column of a table, stated by the user or found from its cells: numbers, categories, text or none."""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from trainables.data.column_encoding import TRUE_FALSE
from trainables.data.column_facts import ColumnFacts, Findings, quoted, shortened
from trainables.data.tables.cells import TextCells
from trainables.data.tables.columns import Column, categories, numbers, words
from trainables.data.tables.encoding import typed_values
from trainables.data.tables.number_formats import COMMA, POINT, read_numbers
from trainables.data.tables.spellings import is_missing

NUMBERS_SHARE = 0.5
"""If more than this share of a column's cells are numbers, the others are mistakes."""

NAMES_SHARE = 0.5
"""A column with more distinct texts than this share of its rows holds names or identifiers."""

MIN_NAMES = 10
"""A column with no more distinct texts than this is categorical, however few rows there are."""

NUM_EXAMPLES = 3

LOOKED_AT = 100
"""Number of rows from which examples are taken."""


def column_of(name: str, cells: pd.Series, kind: str | None, findings: Findings) -> Column | None:
    """Return a table's column, None if it is left out.

    `kind` is the kind that the user states (`table_options.KINDS`), None if it follows from the cells. Decisions and
    mistakes are added to `findings`, mistakes with their row.
    """
    note = partial(_note, findings, name, cells)
    if kind == "ignore":
        note("ignored", int(cells.isna().sum()), "left out, as asked")
        return None
    column: Column | None
    if kind in ("category", "text"):
        texts = TextCells.of(name, cells, is_missing_text=kind == "text")
        column = categories(texts, findings) if kind == "category" else words(texts, findings)
    elif isinstance(cells.dtype, pd.CategoricalDtype):
        texts = TextCells.of(name, cells, is_missing_text=False)
        column = categories(texts, findings)
    elif isinstance(cells.dtype, pd.StringDtype):
        texts = TextCells.of(name, cells, is_missing_text=True)
        found = _by_its_texts(texts, kind, findings)
        if isinstance(found, str):
            note(found, int(texts.missing.sum()), "left out")
            return None
        column = found
    elif cells.isna().all():
        column = None
    else:
        column = numbers(name, typed_values(cells), findings)
    if column is None or column.missing.all():
        findings.tell("empty, left out", name)
        note("empty", len(cells), "left out")
        return None
    note(_kind_of(column, kind), int(column.missing.sum()), _becomes(column))
    return column


def _note(findings: Findings, name: str, cells: pd.Series, kind: str, num_missing: int, becomes: str) -> None:
    # Not with pandas, which has a large overhead per column: a table may have thousands of columns.
    first = dict.fromkeys(str(cell) for cell in cells.iloc[:LOOKED_AT].tolist() if cell is not None)
    examples = [shortened(text) for text in first if not is_missing(text)][:NUM_EXAMPLES]
    findings.facts.append(
        ColumnFacts(name=name, kind=kind, num_missing=num_missing, examples=tuple(examples), becomes=becomes)
    )


def _kind_of(column: Column, kind: str | None) -> str:
    if column.is_number:
        return "number"
    return "text" if kind == "text" else "category"


def _becomes(column: Column) -> str:
    """Return which features a network gets from a column."""
    missing = " + 1 missing" if column.has_missing else ""
    if column.is_number:
        return f"1 scaled feature{missing}"
    return f"{len(column.names):,} features (0/1){missing}"


def _by_its_texts(cells: TextCells, kind: str | None, findings: Findings) -> Column | str | None:
    """Return a column of texts as the kind that its texts have; a text says why it is left out instead."""
    _tell_missing(cells, findings)
    if not cells.texts:
        return None
    if {text.lower() for text in cells.texts} <= {"true", "false"}:
        values = np.array([text.lower() == "true" for text in cells.texts], np.float64)
        return replace(
            numbers(cells.name, cells.spread(values), findings),
            reading=TRUE_FALSE,
        )
    forced = kind if kind in (POINT, COMMA) else None
    read = read_numbers(cells.texts, cells.counts, forced)
    is_number = ~np.isnan(read.values)
    share = cells.counts[is_number].sum() / cells.num_present
    if share > NUMBERS_SHARE or (kind is not None and is_number.any()):
        if read.unsettled is not None:
            findings.mistakes.append(_unsettled(cells, read.unsettled))
        if read.note:
            findings.tell(f"read with {read.note}", cells.name)
        return replace(_with_others(cells, read.values, kind, findings), reading=read.reading)
    if kind is not None:
        findings.mistakes.append(
            f"column {cells.name} has no number, and columns.{cells.name} is {kind}; its cells: {quoted(cells.texts)}"
        )
    if len(cells.texts) > max(MIN_NAMES, NAMES_SHARE * cells.num_present):
        findings.tell(
            "left out, as nearly every row has a text of its own (more different ones than half the rows); to take "
            "it: --set columns.NAME=category, or =text for its words",
            cells.name,
        )
        return "names"
    return categories(cells, findings)


def _tell_missing(cells: TextCells, findings: Findings) -> None:
    if cells.absent and cells.texts:
        findings.tell(
            f"{quoted(cells.absent, 5)} count{'s' if len(cells.absent) == 1 else ''} as missing", cells.name
        )


def _unsettled(cells: TextCells, text: str) -> str:
    row = int(np.argmax(cells.codes == cells.texts.index(text))) + 1
    return (
        f"row {row}, column {cells.name}: {text!r} may be read with a decimal comma or a decimal point, and no other "
        f"cell settles it: say --set columns.{cells.name}={COMMA} or --set columns.{cells.name}={POINT}"
    )


def _with_others(
    cells: TextCells, values: NDArray[np.float64], kind: str | None, findings: Findings
) -> Column:
    """Return a column of numbers; other texts are mistakes or, if the user states that it holds numbers, missing."""
    others = np.flatnonzero(np.isnan(values))
    if len(others) and kind is not None:
        told = quoted(cells.texts[each] for each in others)
        findings.tell(
            f"{int(cells.counts[others].sum()):,} cells that are no numbers count as missing ({told})",
            cells.name,
        )
    elif len(others):
        rows = np.flatnonzero(np.isin(cells.codes, others))
        findings.mistakes += [
            f"row {row + 1}, column {cells.name}: {shortened(cells.texts[cells.codes[row]])!r} among numbers"
            for row in rows
        ]
    return numbers(cells.name, cells.spread(values), findings)

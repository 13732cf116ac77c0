"""Numbers as people write them: decimal commas, thousands separators, currency and percent signs."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

POINT, COMMA = "number:decimal_point", "number:decimal_comma"
"""The two ways to read numbers, named as in the user's options."""

MAX_LENGTH = 100
"""A longer text is not a number."""

_MINUS = "\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d"
_SPACE = " \u00a0\u2007\u2009\u202f"
_SIGN = rf"[+\-{_MINUS}]?"
_CELL = re.compile(
    rf"(?P<sign>{_SIGN})[{_SPACE}]*(?P<before>[$€£¥]?)[{_SPACE}]*(?P<sign2>{_SIGN})"
    rf"(?P<body>[0-9.,](?:[0-9.,'’{_SPACE}]*[0-9])?)(?P<exponent>(?:[eE]{_SIGN}[0-9]+)?)"
    rf"[{_SPACE}]*(?P<after>[$€£¥%]?)"
)


def _body(decimal: str, thousands: str) -> re.Pattern[str]:
    """Return the pattern of a number's digits; groups of three share one separator and have no leading zero."""
    groups = rf"[1-9][0-9]{{0,2}}(?P<group>[{thousands}'’{_SPACE}])[0-9]{{3}}(?:(?P=group)[0-9]{{3}})*"
    return re.compile(rf"(?P<whole>{groups}|[0-9]*)(?:[{decimal}](?P<fraction>[0-9]+))?")


_BODIES = {POINT: _body(".", ","), COMMA: _body(",", ".")}


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """A text that looks like a number, rewritten in pandas' format for each way in which it can be read.

    `sign` is a currency sign, a percent sign or empty.
    """

    readings: dict[str, str]
    sign: str
    body: str
    has_long_minus: bool

    @property
    def is_open(self) -> bool:
        """Whether the two ways of reading it differ, as for 1,234."""
        return len(set(self.readings.values())) > 1

    @property
    def is_probably_a_point(self) -> bool:
        """Whether it is a plain number like 1.234, whose point is a decimal one unless other texts suggest a comma."""
        return "," not in self.body and self.sign in ("", "%")


@dataclass(frozen=True, kw_only=True)
class NumbersRead:
    """Texts read as numbers, NaN where one is none; `note` says what was read beyond plain numbers.

    `unsettled` is a text that can be read in two ways if no other text decides which; otherwise None. `reading` is the
    way in which they were read, POINT or COMMA.
    """

    values: NDArray[np.float64]
    note: str = ""
    unsettled: str | None = None
    reading: str = POINT


def written(text: str) -> Written | None:
    """Return the ways to read a text as a number, None if it does not look like one.

    >>> written("− 1 234,5 €").readings
    {'number:decimal_comma': '-1234.5'}
    >>> written("1,234").is_open, written("126/83")
    (True, None)
    """
    cell = _CELL.fullmatch(text.strip()) if len(text) <= MAX_LENGTH else None
    if cell is None or (cell["sign"] and cell["sign2"]) or (cell["before"] and cell["after"]):
        return None
    sign = "-" if (cell["sign"] or cell["sign2"] or "+") != "+" else ""
    exponent = re.sub(f"[{_MINUS}]", "-", cell["exponent"])
    readings = {}
    for reading, form in _BODIES.items():
        digits = form.fullmatch(cell["body"])
        if digits is not None and (digits["whole"] or digits["fraction"]):
            whole, fraction = re.sub("[^0-9]", "", digits["whole"]), digits["fraction"]
            readings[reading] = f"{sign}{whole}{'' if fraction is None else '.' + fraction}{exponent}"
    if not readings:
        return None
    return Written(
        readings=readings,
        sign=cell["before"] or cell["after"],
        body=cell["body"],
        has_long_minus=re.search(f"[{_MINUS}]", text) is not None,
    )


def read_numbers(texts: Sequence[str], counts: NDArray[np.int64], reading: str | None = None) -> NumbersRead:
    """Return the values of a column's distinct texts; `counts` says how many cells have each.

    `reading` is POINT or COMMA if the user states it. Otherwise the cells that can be read in one way only decide: a
    single mark followed by other than three digits (1,5), or by three with the other mark before it (1.234,5). Plain
    numbers get exactly the values that pandas reads.
    """
    plain = pd.to_numeric(pd.Series(texts, dtype="str"), errors="coerce").to_numpy(
        np.float64, na_value=np.nan
    )
    cells = [written(text) for text in texts]
    settled = reading or _settled(cells, counts)
    if settled is None:
        open_ones = (
            text for text, cell in zip(texts, cells, strict=True) if cell is not None and cell.is_open
        )
        either = [np.nan if cell is None else 0.0 for cell in cells]
        return NumbersRead(values=np.where(np.isnan(plain), either, plain), unsettled=next(open_ones))
    signs = _common_signs(cells, counts)
    forms = [
        cell.readings.get(settled) if cell is not None and cell.sign in signs else None for cell in cells
    ]
    values = pd.to_numeric(pd.Series(forms, dtype="str"), errors="coerce").to_numpy(
        np.float64, na_value=np.nan
    )
    takes_plain = np.array(
        [cell is None or (settled == POINT and cell.sign in signs) for cell in cells], bool
    )
    values = np.where(takes_plain & ~np.isnan(plain), plain, values)
    used = [
        cell for cell, value in zip(cells, values, strict=True) if cell is not None and not np.isnan(value)
    ]
    return NumbersRead(values=values, note=_format_reading(used, settled), reading=settled)


def _settled(cells: Sequence[Written | None], counts: NDArray[np.int64]) -> str | None:
    """Return the reading that most cells indicate, POINT if none has a mark, None if it stays undecided."""
    votes: Counter[str] = Counter()
    for cell, count in zip(cells, counts, strict=True):
        if cell is None or ("," not in cell.body and "." not in cell.body):
            continue
        if not cell.is_open:
            votes[next(iter(cell.readings))] += int(count)
        else:
            votes["a point" if cell.is_probably_a_point else "open"] += int(count)
    if votes[COMMA] > votes[POINT] + votes["a point"]:
        return COMMA
    if votes[POINT]:
        return POINT
    return None if votes["open"] or votes[COMMA] else POINT


def _common_signs(cells: Sequence[Written | None], counts: NDArray[np.int64]) -> tuple[str, ...]:
    """Return the signs that the column's numbers may have: 5 beside 5 % is another number, 5 beside $5 is the same."""
    votes: Counter[str] = Counter()
    for cell, count in zip(cells, counts, strict=True):
        if cell is not None:
            votes[cell.sign] += int(count)
    most = max(votes, key=lambda sign: votes[sign], default="")
    if most == "%":
        return ("%",)
    currencies = [sign for sign in votes if sign not in ("", "%")]
    return ("", *([max(currencies, key=lambda sign: votes[sign])] if currencies else []))


def _format_reading(cells: Sequence[Written], reading: str) -> str:
    """Say what was read beyond plain numbers."""
    decimal = "," if reading == COMMA else "."
    signs = dict.fromkeys(cell.sign for cell in cells if cell.sign)
    parts = [
        *(["a decimal comma"] if decimal == "," and any("," in cell.body for cell in cells) else []),
        *(
            ["thousands separators"]
            if any(re.search(f"[^0-9{decimal}]", cell.body) for cell in cells)
            else []
        ),
        *(f"{sign} signs" for sign in signs),
        *(["a typographic minus"] if any(cell.has_long_minus for cell in cells) else []),
    ]
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))

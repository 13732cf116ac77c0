"""Which words and numbers a text may not contain: the lint that every sentence of a report passes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reports.statistics.gates import Gate

# "Best" is a term of the report in these places: "the best configuration", "at best", "its best cell".
_FORBIDDEN = {
    "prove": r"\b(dis)?prov(e[sdn]?|ing|en)\b",
    "no effect": r"\bno effects?\b",
    "optimal": r"\b(sub)?optimal(ly)?\b",
    "cause": r"\bcaus(e[sd]?|ing|al|ally|ation)\b",
    "significant": r"(?<!statistically )\b(in)?significan(t|tly|ce)\b(?! digits?)",
}
_SUPERLATIVE = (
    r"(?<!at )\bbest\b(?! (configurations?|cells?|found|trials?|models?|three|validation))"
    r"|\b(worst|fastest|slowest|strongest|weakest|superior|inferior|unbeatable|perfect)\b"
    r"|\b(most|least) (stable|accurate|robust|reliable|effective)\b"
)
_CLAIMS = {Gate.DIRECTION, Gate.MEANINGFUL}
_NUMBER = re.compile(r"(?<![\w.])(<\s*)?([-−]?\d[\d,\u202f]*(?:\.\d+)?(?:e[-+−]?\d+)?)(\s*%)?")


def forbidden_words(text: str, gates: Iterable[Gate] = ()) -> list[str]:
    """Forbidden words in a text, each as found; a superlative counts unless a gate of the text licenses a direction.

    >>> forbidden_words("This proves that depth has no effect.")
    ['proves', 'no effect']
    """
    patterns = [*_FORBIDDEN.values(), *([] if _CLAIMS & set(gates) else [_SUPERLATIVE])]
    return [match.group(0) for pattern in patterns for match in re.finditer(pattern, text, re.IGNORECASE)]


def unlisted_numbers(text: str, numbers: Any) -> list[str]:
    """Numbers printed in a text that are a rounding of none of `numbers` (any nesting of mappings and lists).

    A printed number stands for a value that rounds to it in its last digit, as it is, negated, or as a
    percentage; "< 0.001" for any value below it. Texts among `numbers` count with the numbers inside them.

    >>> unlisted_numbers("higher by 0.08 [0.06 to 0.11]", {"estimate": 0.0812, "ci": [0.0605, 0.1]})
    ['0.11']
    """
    values = [*_flat(numbers)]
    return [match.group(0).strip() for match in _NUMBER.finditer(text) if not _listed(match, values)]


def _flat(numbers: Any) -> Iterator[float]:
    if isinstance(numbers, Mapping):
        for value in numbers.values():
            yield from _flat(value)
    elif isinstance(numbers, str):
        yield from (_value(match.group(2)) for match in _NUMBER.finditer(numbers))
    elif isinstance(numbers, Iterable):
        for value in numbers:
            yield from _flat(value)
    elif numbers is not None and not isinstance(numbers, bool) and math.isfinite(numbers):
        yield float(numbers)


def _value(printed: str) -> float:
    return float(re.sub("[,\u202f]", "", printed).replace("−", "-"))


def _listed(match: re.Match[str], values: list[float]) -> bool:
    below, printed, _ = match.groups()
    shown = abs(_value(printed))
    if below:
        return any(0 <= value < shown for value in values)
    mantissa, _, exponent = re.sub("[,\u202f]", "", printed).replace("−", "-").partition("e")
    step = 10.0 ** (-len(mantissa.partition(".")[2]) + int(exponent or 0))
    slack = 0.5 * step * (1 + 1e-9) + 1e-12
    return any(abs(scale * abs(value) - shown) <= slack for value in values for scale in (1.0, 100.0))

"""Texts that differ in spelling only, and texts that stand for a missing value."""

import unicodedata
from collections.abc import Iterable

MISSING = frozenset(
    [
        *("", "?", "-", "--", "–", "—", ".", "na", "n/a", "n.a.", "#n/a", "#n/a n/a", "#na", "nan", "-nan"),
        *("null", "none", "<na>", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan"),
    ]
)
"""Texts for missing values, in lower case: pandas' list, and marks such as a dash."""


def is_missing(text: str) -> bool:
    """Return whether a cell's text stands for a missing value.

    >>> is_missing(" N/A"), is_missing("0")
    (True, False)
    """
    return text.strip().lower() in MISSING


def spelling_key(text: str) -> str:
    """Return a key that is equal for texts which differ only by spaces, case, or the form of a number.

    >>> spelling_key("yes "), spelling_key("1.0"), spelling_key("TRUE"), spelling_key("01")
    ('yes', '1', 'true', '1')
    """
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    try:
        return f"{float(folded):.17g}" if folded[:1] in "+-.0123456789" and "_" not in folded else folded
    except ValueError:
        return folded


def alike(texts: Iterable[str]) -> list[list[str]]:
    """Return each group of texts that differ in spelling only.

    >>> alike(["yes", "no", "yes ", "Yes"])
    [['yes', 'yes ', 'Yes']]
    """
    groups: dict[str, list[str]] = {}
    for text in texts:
        groups.setdefault(spelling_key(text), []).append(text)
    return [group for group in groups.values() if len(group) > 1]

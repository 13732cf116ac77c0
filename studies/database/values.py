"""Conversion of values to forms that both databases store: no NaN, no NUL characters, no tuples."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, Final

from studies.base.errors import UsageError

_PLAIN: Final = frozenset({str, int, bool})


def finite(value: float | None) -> float | None:
    """Return a number as both databases store it: NaN and infinities become None."""
    if value is None:
        return None
    value = float(value)
    return value if isfinite(value) else None


def readable(text: str) -> str:
    """Return a text as both databases store it: NUL and lone surrogates are escaped.

    >>> readable("a\\0b")
    'a\\\\x00b'
    """
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")


def refuse_unstorable(*, name: str, question: str, seed: int) -> None:
    """Raise UsageError for values that one of the databases cannot store unchanged."""
    mistakes = [
        f"{field}: must be text without NUL characters and lone surrogates; given {text!r}"
        for field, text in (("name", name), ("question", question))
        if readable(text) != text
    ]
    if not -(2**63) <= seed < 2**63:
        mistakes.append(f"seed: must fit into 64 bits; given {seed}")
    if mistakes:
        raise UsageError(mistakes, "Change these; nothing was written.")


def plain_json(value: Any) -> Any:
    """Return a value as both databases store it: lists, dicts, and None in place of NaN."""
    kind = type(value)  # the fast path: nearly all of a result's hundreds of values have one of these types
    if kind is float:
        return value if isfinite(value) else None
    if value is None or kind in _PLAIN:
        return value
    if isinstance(value, float):
        return finite(value)
    if isinstance(value, str | int):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain_json(item) for key, item in value.items()}
    return [plain_json(item) for item in value] if isinstance(value, Sequence) else value

"""Values as both databases store them: no NaN, no NUL, no tuples."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any


def finite(value: float | None) -> float | None:
    """Return a number that both databases store: NaN and infinities become NULL."""
    if value is None:
        return None
    value = float(value)
    return value if isfinite(value) else None


def readable(text: str) -> str:
    """Return a text that both databases store: NUL and lone surrogates are written out.

    >>> readable("a\\0b")
    'a\\\\x00b'
    """
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")


def plain_json(value: Any) -> Any:
    """Return a value as both databases store it: lists, dicts, and no NaN."""
    if isinstance(value, Mapping):
        return {str(key): plain_json(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain_json(item) for item in value]
    return finite(value) if isinstance(value, float) else value

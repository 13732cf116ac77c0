"""Values as both databases store them: no NaN, no NUL, no tuples."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, Final

from studies.base.errors import UsageError

_PLAIN: Final = frozenset({str, int, bool})


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


def refuse_unstorable(*, name: str, question: str, seed: int) -> None:
    """Refuse what one of the databases cannot keep as it is given, so that neither takes it."""
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
    """Return a value as both databases store it: lists, dicts, and no NaN."""
    kind = type(value)  # each of the hundreds of values in a result is almost always of one of these
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

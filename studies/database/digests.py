"""Digests: 48 bits of BLAKE2b over a row's values, stored in the row when it is written.

A value that has changed since then no longer matches the digest, even where no other value contradicts it. The digest
covers one row alone, so it stays right for a repeated write that is ignored, a write that waited in the spool and a
copied trial, and damage can be attributed to a row. It detects damage, not deliberate change.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from hashlib import blake2b
from json import dumps
from math import nan
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import JSON, Column, String, Table

NUM_BYTES: Final = 6
"""48 bits are exact as a float, as which number columns are read, and miss a change with probability 1 in 3e14."""
_NOT_COVERED: Final[Mapping[str, tuple[str, ...]]] = {
    # Changed by every write or by the lease: other checks cover these, and no report is made from them.
    "study": (
        *("id", "sequence", "updated_at", "fencing_token"),
        *("holder_host", "holder_process", "held_since", "stop_requested_at"),
    )
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_MINUS_ZERO: Final = struct.pack("<d", -0.0)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The columns that a table's digests cover, in order: numbers, times included, and then texts."""

    numbers: tuple[Column[Any], ...]
    texts: tuple[Column[Any], ...]


@cache
def layout(table: Table) -> Layout:
    """Return which columns of a table its digests cover."""
    without = ("digest", *_NOT_COVERED.get(table.name, ()))
    covered = [column for column in table.columns if column.name not in without]
    # Seeds are covered as text, because a float cannot hold each of them exactly.
    texts = [column for column in covered if isinstance(column.type, String | JSON) or column.name == "seed"]
    return Layout(numbers=tuple(each for each in covered if each not in texts), texts=tuple(texts))


def sealed(table: Table, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of equal columns with their digests; columns that they lack count as NULL."""
    seal = _seal(table, tuple(rows[0]))
    return [{**row, "digest": seal(row)} for row in rows]


def sealed_row(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return one row with its digest."""
    return sealed(table, [row])[0]


@lru_cache(maxsize=64)
def _seal(table: Table, columns: tuple[str, ...]) -> Callable[[Mapping[str, Any]], int]:
    """Return a function from rows with these columns to their digests."""
    covered = layout(table)
    numbers = [column.name for column in covered.numbers]
    texts = [column.name for column in covered.texts]
    pack = struct.Struct(f"<{len(numbers)}d").pack
    is_fast = len(numbers) > 1 and set(numbers) <= set(columns)
    values_of = itemgetter(*numbers) if is_fast else lambda row: tuple(map(row.get, numbers))

    def seal(row: Mapping[str, Any]) -> int:
        values = values_of(row)
        try:
            packed = pack(*values)
        except struct.error:  # None or a time, which few rows contain
            packed = pack(*map(_number, values))
        if _MINUS_ZERO in packed:
            packed = pack(*map(_number, values))
        return digest(packed, [_text(row.get(name)) for name in texts] if texts else ())

    return seal


def digest(numbers: bytes, texts: Sequence[str | None] = ()) -> int:
    """Return the digest of a row's numbers, packed as little-endian doubles with NaN for NULL, and its texts."""
    content = b"".join((numbers, *map(_framed, texts))) if texts else numbers
    return int.from_bytes(blake2b(content, digest_size=NUM_BYTES).digest())


def _number(value: Any) -> float:
    """Return a number or time as it is read back: minus zero as zero, because SQLite does not keep the sign."""
    if value is None:
        return nan
    if isinstance(value, datetime):
        return (value - _EPOCH) / _MICROSECOND
    return float(value) + 0.0


def _text(value: Any) -> str | None:
    """Return a value as both databases store it: a state as its text, other values as Python's JSON."""
    if value is None or isinstance(value, str):
        return value if value is None else str(value)
    return dumps(value)


def _framed(text: str | None) -> bytes:
    """Return a text with its length, so that different lists of texts never give the same bytes."""
    if text is None:
        return b"\0"
    encoded = text.encode("utf-8", "surrogateescape")
    return b"\1" + len(encoded).to_bytes(8, "little") + encoded

"""A table that comes in parts as the bytes of a file: CSV, JSON lines or Parquet."""

import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reports.pages.rendering import csv_parts
from studies.base.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    Tables = Iterable[pd.DataFrame]
    Encode = Callable[[Tables], Iterator[bytes]]


def to_csv(parts: "Tables") -> Iterator[bytes]:
    """Yield CSV with the names first; texts that a spreadsheet would run as a formula get an apostrophe in front."""
    for number, part in enumerate(parts):
        names, *rows = csv_parts(part)
        yield from rows if number else (names, *rows)


def to_json_lines(parts: "Tables") -> Iterator[bytes]:
    """Yield one JSON object a row and line."""
    for part in parts:
        text: str = part.to_json(orient="records", lines=True, double_precision=15, force_ascii=False)
        yield text.encode()


def to_parquet(parts: "Tables") -> Iterator[bytes]:
    """Yield a Parquet file, one row group for each part."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink, writer = Sink(), None
    for part in parts:
        table = pa.Table.from_pandas(part, preserve_index=False)
        if writer is None:
            writer = pq.ParquetWriter(sink, table.schema)
        writer.write_table(table)
        yield sink.take()
    if writer is not None:
        writer.close()
    yield sink.take()


class Sink(io.RawIOBase):
    """A file that is only written to, whose bytes are taken out as they come."""

    def __init__(self) -> None:
        super().__init__()
        self._written, self._position = bytearray(), 0

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        """Take any buffer."""
        size = memoryview(content).nbytes
        self._written += memoryview(content).cast("B")
        self._position += size
        return size

    def tell(self) -> int:
        return self._position

    def take(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken


FORMATS: Final[dict[str, tuple[str, "Encode"]]] = {
    ".csv": ("CSV", to_csv),
    ".jsonl": ("JSON lines", to_json_lines),
    ".parquet": ("Parquet", to_parquet),
}
"""Formats by the ending of a file's name."""


def encoder_for(path: Path) -> "Encode":
    """Return the function for a file's ending; raise UsageError with the known ones for another."""
    if path.suffix.lower() not in FORMATS:
        known = ", ".join(f"{ending} ({name})" for ending, (name, _) in FORMATS.items())
        raise UsageError([f"{path}: its ending names no format"], f"End it in one of: {known}.")
    return FORMATS[path.suffix.lower()][1]

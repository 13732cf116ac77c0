"""`--frames`: every frame of a study as CSV or Parquet files."""

import io
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from studies.base.steps import Tell
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.exchange.destinations import check_folder, make_folder

if TYPE_CHECKING:
    import pandas as pd

    from reports.inputs.inputs import ReportInputs

FORMATS: Final = ("csv", "parquet")


def check(folder: Path, study: StudyRow) -> None:
    """Raise UsageError unless the frames can be written into `folder`."""
    check_folder("--frames", folder, study)


def export(store: Store, study: StudyRow, folder: Path, *, file_format: str, tell: Tell) -> str:
    """Write the frames that the study's page offers, and its evaluations and files; return what was written.

    Each file appears whole or not at all and replaces the one of an earlier export. In CSV, numbers have seven
    significant digits, and a text that a spreadsheet would run as a formula gets an apostrophe in front; Parquet keeps
    every digit. Values that are neither numbers, times nor texts are JSON. Raises StudiesError where the record
    contradicts itself.
    """
    from reports.pages.atomic_files import write_whole
    from reports.pages.page import page_frames
    from reports.pages.rendering import csv_parts
    from studies.results.report_inputs import explaining_contradictions, report_inputs

    tell("Reading the frames")
    inputs = report_inputs(store, study, whole=True)
    with explaining_contradictions(study.name):
        found = _plain_frames(page_frames(inputs) | _not_on_the_page(inputs))
    as_bytes: Callable[[pd.DataFrame], bytes | Iterable[bytes]] = (
        csv_parts if file_format == "csv" else _parquet
    )
    make_folder(folder, study)
    tell(f"Writing {len(found)} frames")
    for name, frame in found.items():
        write_whole(folder / f"{name}.{file_format}", as_bytes(frame))
    return f"{len(found)} frames of {study.name}: {folder}"


def every_recorded_frame(inputs: "ReportInputs") -> "dict[str, pd.DataFrame]":
    """Return every frame of what was recorded, by name, without nested values."""
    from reports.pages.page import recorded_frames

    return _plain_frames(recorded_frames(inputs) | _not_on_the_page(inputs))


def _not_on_the_page(inputs: "ReportInputs") -> "dict[str, pd.DataFrame]":
    """Return what is recorded of which the page offers no frame."""
    return {"evaluation": inputs.evaluation, "artifacts": inputs.artifacts}


def _plain_frames(frames: "Mapping[str, pd.DataFrame]") -> "dict[str, pd.DataFrame]":
    return {name: _plain(frame) for name, frame in frames.items()}


def _parquet(frame: "pd.DataFrame") -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, engine="pyarrow", index=False)
    return buffer.getvalue()


def _plain(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Return a frame without columns of mixed or nested values: theirs are texts; every other column is as it was."""
    import pandas as pd

    return pd.DataFrame({str(name): _column(frame[name]) for name in frame.columns}, index=frame.index)


def _column(column: "pd.Series[Any]") -> "pd.Series[Any]":
    import pandas as pd

    if not (pd.api.types.is_object_dtype(column) or isinstance(column.dtype, pd.CategoricalDtype)):
        return column
    values = [None if _is_missing(value) else value for value in column.tolist()]
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) > 1 or not kinds <= {str, bool, int, float}:
        values = [value if isinstance(value, str | None) else json.dumps(value) for value in values]
    return pd.Series(values, index=column.index, dtype=object)


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and value != value)

"""The command `studies monitor MODEL`: says whether data have changed since a model was made; exits with 1 on drift."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from studies._cli import run_door

if TYPE_CHECKING:
    from trainables.use.model import Model
    from trainables.use.monitoring.drift_record import DriftRecord
    from trainables.use.monitoring.reference import Reference
    from trainables.use.monitoring.watching import Batch

NO_DRIFT, DRIFT = 0, 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare a file's rows with a model's reference, write a page and a JSON file, and return the exit code."""
    return run_door(_parser(), arguments, _work)


def _work(options: argparse.Namespace) -> int:
    from reports.pages.monitor_page import MonitorInputs, write_monitor_page
    from reports.wording.drift_words import lines
    from studies.base.wording import printable
    from studies.results.saved_models import explaining
    from studies.terminal.output import show_json

    page = _page(options)
    with explaining():
        record, kind = _compare(options)
    inputs = MonitorInputs(
        record=record.as_json(),
        kind=kind,
        model=str(options.model),
        input=str(options.input),
        baseline=None if options.baseline is None else str(options.baseline),
        generated_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    numbers = write_monitor_page(inputs, page)
    if options.json:
        show_json(record.as_json())
    else:
        print(printable("\n".join([*lines(inputs.record, kind), str(page), str(numbers)])))
    return DRIFT if record.is_drift else NO_DRIFT


def _compare(options: argparse.Namespace) -> "tuple[DriftRecord, str]":
    """Return what the comparison found, and the model's kind of input; raise DatasetError."""
    from trainables.use.monitoring.thresholds import Thresholds, read_thresholds
    from trainables.use.monitoring.watching import as_reference, watch

    thresholds = Thresholds() if options.thresholds is None else read_thresholds(options.thresholds)
    model, reference = _opened(options.model, trust_code=options.trust_code)
    if options.baseline is not None:
        reference = as_reference(model, reference, _batches(model, options.baseline, options))
    record = watch(model, reference, _batches(model, options.input, options), thresholds)
    return record, reference.kind


def _opened(folder: Path, *, trust_code: bool) -> "tuple[Model, Reference]":
    """Return the model of a folder, and the reference beside its weights."""
    from trainables.use.model import load_model
    from trainables.use.monitoring.reference import read_reference

    return load_model(folder, trust_code=trust_code), read_reference(folder)


def _batches(model: "Model", path: Path, options: argparse.Namespace) -> "Iterator[Batch]":
    """Return a file's rows in batches as the model takes them, with their classes where --target names them."""
    from trainables.use.input_files import InputFile

    file = InputFile(
        path=path, target=options.target, text_column=options.column, ignored=tuple(options.ignore)
    )
    for rows in file.chunks(model.preprocessing):
        yield rows.examples, None if rows.labels is None else list(rows.labels)


def _page(options: argparse.Namespace) -> Path:
    """Return where the page goes; raise UsageError where it, or the JSON beside it, would replace what is read."""
    from studies.base.errors import UsageError

    page: Path = options.output or Path(f"monitor_{options.input.stem}.html")
    if page.suffix != ".html":
        raise UsageError(
            [f"--output names a page and must end in .html; got {page}"],
            f"For example: --output {page.with_suffix('.html')}",
        )
    read = [path for path in (options.input, options.baseline, options.thresholds) if path is not None]
    for written in (page, page.with_suffix(".json")):
        if any(written.resolve() == path.resolve() for path in read):
            raise UsageError([f"{written} is read, and would be replaced"], "Give another --output.")
    return page


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="studies monitor",
        description="Compare new rows with those that a model was measured on: inputs, confidence, predicted classes "
        "and, with labels, accuracy. Writes a page and a JSON file. Exit codes: 0 no drift, 1 drift, 2 bad input.",
        epilog="Example: studies monitor runs/depth_study/models/best --input november.csv",
    )
    parser.add_argument(
        "model", metavar="MODEL", type=Path, help="a model's folder, such as runs/NAME/models/best"
    )
    parser.add_argument(
        "--input",
        required=True,
        type=Path,
        metavar="FILE",
        help="the rows to watch: CSV, Parquet, .npy, images (a file or a folder) or lines of text",
    )
    parser.add_argument(
        "--baseline",
        type=Path,
        metavar="FILE",
        help="compare with these rows in place of those the model was measured on",
    )
    parser.add_argument(
        "--target",
        metavar="COLUMN",
        help="the column of true classes, so that accuracy is compared, too",
    )
    parser.add_argument(
        "--column", metavar="NAME", help="the column with the texts, where a table has several"
    )
    parser.add_argument(
        "--ignore", metavar="NAME", action="append", default=[], help="a column to leave out (repeatable)"
    )
    parser.add_argument(
        "--thresholds",
        type=Path,
        metavar="FILE",
        help='what counts as drift, as JSON: {"false_alarms": 0.01, "distance": 0.1}',
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="where the page goes (default: monitor_INPUT.html here); its numbers go beside it as .json",
    )
    parser.add_argument("--json", action="store_true", help="print what was found as one JSON object")
    parser.add_argument(
        "--trust-code", action="store_true", help="run the model's own module, kept beside its weights"
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


if __name__ == "__main__":
    sys.exit(main())

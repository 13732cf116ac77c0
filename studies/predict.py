"""The command `studies predict MODEL --input FILE`: what a study's best model says of new examples."""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from studies._cli import run_door
from studies.base.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from trainables.use.prediction import Predicted

SECONDS_BETWEEN_LINES = 5.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Predict the examples of a file, and return the exit code."""
    return run_door(_parser(), arguments, _work)


def _work(options: argparse.Namespace) -> int:
    from reports.pages.atomic_files import write_whole
    from studies.exchange.table_files import encoder_for, to_csv
    from studies.results.saved_models import explaining, load
    from trainables.use.input_files import InputFile
    from trainables.use.prediction import predict_file

    encode = to_csv if options.output is None else encoder_for(options.output)
    _check_output(options.output, options.input)
    model = load(
        options.model,
        ensemble=options.ensemble,
        calibrated=options.calibrated,
        trust_code=options.trust_code,
        engine=options.engine,
    )
    file = InputFile(path=options.input, text_column=options.column, ignored=tuple(options.ignore))
    with explaining():
        content = encode(_tables(predict_file(model, file), quiet=options.quiet))
        if options.output is not None:
            write_whole(options.output, content)
            return 0
        for part in content:
            sys.stdout.buffer.write(part)
        sys.stdout.buffer.flush()
    return 0


def _check_output(output: Path | None, read: Path) -> None:
    """Raise UsageError for a place where nothing can be written, before anything is computed."""
    if output is None:
        return
    if output.resolve() == read.resolve():
        raise UsageError([f"--output {output} is read, and would be replaced"], "Give another file.")
    if output.is_dir():
        raise UsageError([f"--output {output} is a folder"], f"Name a file in it: {output / 'predicted.csv'}")
    if not output.parent.is_dir():
        raise UsageError(
            [f"--output {output}: there is no folder {output.parent}"], "Make it, or give another file."
        )


def _tables(predicted: "Iterator[Predicted]", *, quiet: bool) -> "Iterator[pd.DataFrame]":
    """Yield the tables; how far it is and what was decided are told on standard error."""
    from studies.base.wording import printable

    started = told = time.monotonic()
    num_rows = 0
    for part in predicted:
        num_rows += len(part.table)
        if not quiet:
            for note in part.notes:
                print(printable(f"note: {note}"), file=sys.stderr)
            if time.monotonic() - told > SECONDS_BETWEEN_LINES:
                told = time.monotonic()
                print(f"{num_rows:,} rows, {num_rows / (told - started):,.0f} a second", file=sys.stderr)
        yield part.table
    if not quiet:
        seconds = time.monotonic() - started
        print(f"{num_rows:,} rows predicted in {seconds:.1f} s", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="studies predict",
        description="Predict new examples with the model that a study left. The result has a row for each: its number "
        "or file, the prediction, its probability, and the probability of each class.",
        epilog="Example: studies predict runs/depth_study/models/best --input new.csv --output predicted.csv",
    )
    parser.add_argument(
        "model", metavar="MODEL", type=Path, help="the folder of a model, OUTPUT/NAME/models/best"
    )
    parser.add_argument(
        "--input",
        metavar="FILE",
        type=Path,
        required=True,
        help="a table (.csv, .csv.gz, .parquet), an array (.npy), an image or a folder of them, lines of text (.txt)",
    )
    parser.add_argument(
        "--output",
        metavar="FILE",
        type=Path,
        help=".csv, .jsonl or .parquet (default: CSV on standard output)",
    )
    parser.add_argument(
        "--column", metavar="NAME", help="the column with the texts, where a table has several"
    )
    parser.add_argument(
        "--ignore", metavar="NAME", action="append", default=[], help="a column to leave out (repeatable)"
    )
    parser.add_argument("--ensemble", action="store_true", help="average the probabilities of all replicates")
    parser.add_argument(
        "--calibrated",
        action="store_true",
        help="soften the probabilities by the temperature that was fitted on validation data",
    )
    parser.add_argument(
        "--engine",
        choices=("torch", "onnx", "onnx-int8"),
        default="torch",
        help="what computes: torch (the default), or onnxruntime with a file that studies export wrote into MODEL",
    )
    parser.add_argument(
        "--trust-code", action="store_true", help="run the code in the model's folder that builds its network"
    )
    parser.add_argument("--quiet", action="store_true", help="print errors only, beside the predictions")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


if __name__ == "__main__":
    sys.exit(main())

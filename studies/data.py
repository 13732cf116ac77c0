"""The command `studies data NAME`: downloads and checks a dataset's files, and describes the dataset."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from studies._cli import run_door

if TYPE_CHECKING:
    from trainables.data.tables.table_options import TableOptions

TABLE_FIELDS = ("target", "columns", "header", "join_labels")
MAX_TOLD = 10
TOLD_BY_COLUMNS = ("shape", "augmentations")


def main(arguments: Sequence[str] | None = None) -> int:
    """Download the missing files of a dataset, describe it, and return the exit code."""
    return run_door(_parser(), arguments, _work)


def _work(options: argparse.Namespace) -> int:
    from studies.base.errors import UsageError
    from studies.base.messages import unknown
    from studies.base.wording import printable
    from studies.execution.dataset_download import fetch
    from trainables import datasets
    from trainables.data.dataset_files import DatasetError
    from trainables.data.tables.table_options import is_user_file

    if is_user_file(options.name):
        return _look(options)
    if options.settings:
        raise UsageError(
            [f"--set says how a file of your own is read, and {options.name} is none"],
            "Leave it out, or name a file: studies data csv:PATH --set target=COLUMN",
        )
    if options.name in ("csv", "parquet"):
        raise UsageError(
            [f"{options.name} stands for a file of your own, and needs its path"],
            f"Look at its columns: studies data {options.name}:PATH --set target=COLUMN",
        )
    if options.name not in datasets.names():
        raise UsageError(
            [unknown(options.name, "dataset", datasets.names())],
            "For a file of your own give csv:PATH or parquet:PATH.",
        )
    publication = datasets.publication(options.name)
    if publication is not None:
        fetch(publication, tell=lambda text: print(printable(text), file=sys.stderr))
    try:
        described = datasets.load(options.name).describe()
    except DatasetError as error:
        raise UsageError([f"dataset {options.name}: {error.message}"], error.advice) from error
    _print_described(described)
    return 0


def _look(options: argparse.Namespace) -> int:
    """Show each column of the user's own file, and what cannot be used."""
    from studies.base.errors import UsageError
    from studies.base.wording import printable
    from studies.terminal.columns import column_lines, column_rows
    from trainables import datasets
    from trainables.data.dataset_files import DatasetError

    options_of_table = _table(options)
    try:
        found = datasets.look(options.name, table=options_of_table)
        lines = [*column_lines(column_rows(found.facts)), "", *found.notes]
        print(printable("\n".join(lines).rstrip()))
        if options_of_table.target is not None:
            described = datasets.load(options.name, table=options_of_table).describe()
            _print_described(
                {name: value for name, value in described.items() if name not in TOLD_BY_COLUMNS}
            )
    except DatasetError as error:
        raise UsageError([f"dataset {options.name}: {error.message}"], error.advice) from error
    if options_of_table.target is None:
        if found.mistakes:
            raise UsageError(
                found.mistakes[:MAX_TOLD],
                "Correct the file, or say what a column is: --set columns.NAME=KIND",
            )
        print("\nName the column of the classes: --set target=COLUMN")
    return 0


def _table(options: argparse.Namespace) -> "TableOptions":
    """Return how the file is to be read; raise UsageError for fields of a study that do not apply to a table."""
    from studies.base.errors import UsageError
    from studies.base.messages import unknown
    from studies.definition.overrides import derive
    from studies.definition.settings import parse_setting

    settings = dict(parse_setting(text) for text in options.settings)
    wrong = [name for name in settings if name not in TABLE_FIELDS and not name.startswith("columns.")]
    if wrong:
        raise UsageError(
            [unknown(name, "field of a table", [*TABLE_FIELDS, "columns.NAME"]) for name in wrong],
            "For example: --set target=species --set columns.id=ignore",
        )
    from studies.definition.parts import Search
    from studies.definition.study import Study

    # A study's own validation is used; `-` stands for a target where the user names none.
    a_study = Study(question="Which columns?", factors={"depth": (1,)}, search=Search(trials_per_cell=1))
    wanted = derive(a_study, settings={"dataset": options.name, "target": "-", **settings}).table
    return wanted if "target" in settings else replace(wanted, target=None)


def _print_described(described: Mapping[str, str]) -> None:
    from studies.base.wording import printable

    width = max(map(len, described))
    for name, value in described.items():
        print(printable(f"{name:<{width}}  {value}"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="studies data",
        description="Fetch the files of a dataset that are missing into the folder that STUDIES_DATA names (default: "
        "data), check all of them by SHA-256, and say what the dataset is.",
        epilog="Example: studies data fashion_mnist",
    )
    parser.add_argument(
        "name", metavar="NAME", help="a dataset, as --set dataset=NAME takes it: a file of your own, too"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        dest="settings",
        metavar="FIELD=VALUE",
        help="how a file of your own is read: target=COLUMN, columns.NAME=number, category, text or ignore, "
        "header=false, join_labels=true; repeatable",
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""The door to a dataset's files: `studies data NAME` fetches and checks them, and says what it is."""

import argparse
import sys
from collections.abc import Sequence

from studies.options import run_door


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch what is missing of a dataset, describe it, and return the exit code."""
    return run_door(_parser(), arguments, _work)


def _work(options: argparse.Namespace) -> int:
    from studies.errors import UsageError
    from studies.fetching import fetch
    from studies.mistakes import unknown
    from studies.terminal.words import printable
    from trainables import datasets
    from trainables.data.dataset_files import DatasetError

    if datasets.is_own_file(options.name):
        raise UsageError(
            [f"{options.name} is a file of your own: there is nothing to fetch"],
            f"Run a study on it: studies run depth_study --set dataset={options.name} --set target=COLUMN",
        )
    if options.name == "csv":
        raise UsageError(
            ["csv stands for a file of your own: there is nothing to fetch"],
            "Run a study on it: studies run depth_study --set dataset=csv:PATH --set target=COLUMN",
        )
    if options.name not in datasets.names():
        raise UsageError(
            [unknown(options.name, "dataset", datasets.names())],
            "For a file of your own there is nothing to fetch.",
        )
    publication = datasets.publication(options.name)
    if publication is not None:
        fetch(publication, tell=lambda text: print(printable(text), file=sys.stderr))
    try:
        described = datasets.load(options.name).describe()
    except DatasetError as error:
        raise UsageError([f"dataset {options.name}: {error.message}"], error.advice) from error
    width = max(map(len, described))
    for name, value in described.items():
        print(printable(f"{name:<{width}}  {value}"))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="studies data",
        description="Fetch the files of a dataset that are missing into the folder that STUDIES_DATA names (default: "
        "data), check all of them by SHA-256, and say what the dataset is.",
        epilog="Example: studies data fashion_mnist",
    )
    parser.add_argument("name", metavar="NAME", help="a dataset, as --set dataset=NAME takes it")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


if __name__ == "__main__":
    sys.exit(main())

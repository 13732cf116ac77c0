"""The command `studies`: lists the subcommands, and runs one of them."""

import importlib
import sys
from collections.abc import Sequence

from studies.base.messages import unknown

DOORS = {
    "run": "run a study, or resume it where it stopped",
    "plan": "say what a run would train; nothing is run",
    "list": "list recorded studies, or those to run (--catalog)",
    "status": "say how a study stands: progress, best, failures",
    "stop": "ask the run of a study to stop, from any machine",
    "logs": "print what a run has done so far, or follow it (-f)",
    "submit": "hand a study to a Ray cluster as a job",
    "show": "print a study's plan and results, or one trial",
    "report": "make a study's report again from the database",
    "export": "hand a study to other tools: files, Optuna, trackers",
    "predict": "say what a study's model says of new examples",
    "monitor": "say whether data have changed since a model was made",
    "verify": "check that what is recorded of a study is sound",
    "delete": "delete a study: its rows and its folder",
    "new": "write a study file of your own that runs",
    "data": "fetch a dataset, or say how to get it",
    "database": "check, upgrade or copy the database of studies",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the subcommand that the first argument names and return its exit code; without one, list them."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    if not words or words[0] in ("-h", "--help", "help"):
        print(_overview())
        return 0
    door, *rest = words
    if door not in DOORS:
        print(f"error: {unknown(door, 'command', DOORS)}", file=sys.stderr)
        print("See what each does: studies", file=sys.stderr)
        return 2
    exit_code: int = importlib.import_module(f"studies.{_module(door)}").main(rest)
    return exit_code


def _overview() -> str:
    doors = "\n".join(f"  studies {door:<9} {about}" for door, about in DOORS.items())
    return (
        "Studies compares hyperparameters with the statistics that license the answer.\n\n"
        f"{doors}\n\n"
        "Each explains itself with --help. `python -m studies run` does the same.\n\n"
        "Example (about a minute):\n  studies run depth_study --profile smoke"
    )


def _module(door: str) -> str:
    return "database.__main__" if door == "database" else door


if __name__ == "__main__":
    sys.exit(main())

"""The command `studies stop NAME`: asks the run of a study to stop, from any machine."""

import argparse
import sys
from collections.abc import Sequence

from studies._cli import run_door
from studies.planning.command_line import add_storage
from studies.storage.paths import locate


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask the run of a study to stop and return the exit code, which is 0 also if there is no run."""
    return run_door(_parser(), arguments, _work)


def _work(options: argparse.Namespace) -> int:
    from studies.base.wording import printable
    from studies.database.lookup import find
    from studies.database.store import Store

    with Store.open(locate(options.storage, options.output).storage, create=False) as store:
        study = find(store, options.name)
        holder = store.request_stop(study.id)
    if holder is None:
        print(printable(f"no run of {study.name} is going on; there is nothing to stop"))
        return 0
    asked = (
        f"asked process {holder.process} on {holder.host} to stop {study.name}; "
        "it ends within seconds, and what was recorded is kept\n"
        f"See it end: studies status {study.name} --watch"
    )
    print(printable(asked))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="studies stop",
        description="Ask the run of a study to stop, from any machine that reaches the database. "
        "It stops as after Ctrl-C: in order, with everything recorded, and the same command resumes it.",
        epilog="Example: studies stop depth_study",
    )
    parser.add_argument("name", metavar="NAME", help="a study in the database (studies list)")
    add_storage(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""The door to a run: `studies run STUDY`."""

import argparse
import json
import sys
from collections.abc import Sequence

from studies._cli import add_resources, add_storage, add_variant, request_of, resources_of, run_door
from studies.base.first_signals import ending_at_once
from studies.base.steps import Steps, telling_steps


def main(arguments: Sequence[str] | None = None) -> int:
    """Run or resume a study and return the exit code."""
    return run_door(_parser(), arguments, _work)


def _work(options: argparse.Namespace) -> int:
    with telling_steps(quiet=options.quiet) as steps:
        return _run(options, steps)


def _run(options: argparse.Namespace, steps: Steps) -> int:
    steps.tell_early("loading Studies")
    with ending_at_once():
        from studies.execution.session import run
        from studies.storage.paths import locate
        from studies.terminal.answer import answer_lines
        from studies.terminal.display import showing_run

    steps.tell_early("reading the study")
    locations = locate(options.storage, options.output)
    result = run(
        request_of(options),
        locations=locations,
        resources=resources_of(options),
        showing=showing_run(locations, quiet=options.quiet, before=steps.close),
        telling=steps.tell,
        take_over=options.take_over,
    )
    steps.close()
    for line in answer_lines(result):
        print(line, file=sys.stderr if options.json else sys.stdout)
    if options.json:
        print(json.dumps(result.report))
    return 0


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options that a command's words give; raise SystemExit where they are none of this door's."""
    return _parser().parse_args(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="studies run",
        description="Run a study, or resume it where it stopped: the same command always finds its own study.",
        epilog="Example: studies run depth_study --profile smoke",
    )
    add_variant(parser)
    add_resources(parser)
    add_storage(parser)
    parser.add_argument(
        "--grow-from",
        metavar="NAME",
        help="copy from this study every cell that agrees, and train the rest only, for example after "
        "--set factors.depth=[3,5,7,9]",
    )
    parser.add_argument(
        "--take-over",
        action="store_true",
        help="take the study from the run that holds it, which cannot write from then on; only for one known to be "
        "dead on another machine, or hung: after a crash on this one the plain command goes on at once",
    )
    group = parser.add_argument_group("what is shown")
    group.add_argument("--quiet", action="store_true", help="show nothing but the answer")
    group.add_argument("--json", action="store_true", help="print the report's JSON on standard output")
    return parser


if __name__ == "__main__":
    sys.exit(main())

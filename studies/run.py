"""The command `studies run STUDY`: runs a study, or resumes it."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from studies._cli import run_door
from studies.base.errors import UsageError
from studies.base.first_signals import ending_at_once
from studies.base.steps import Steps, telling_steps
from studies.execution.detaching import Detached, Order, detach
from studies.planning.command_line import request_of, resources_of, run_parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run or resume a study and return the exit code."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    return run_door(run_parser(), arguments, lambda options: _work(options, words))


def _work(options: argparse.Namespace, words: Sequence[str]) -> int:
    order = Order.taken()
    if options.detach and order is None:
        return _detach(options, words)
    with telling_steps(quiet=options.quiet) as steps:
        return _run(options, steps, order)


def _detach(options: argparse.Namespace, words: Sequence[str]) -> int:
    begun = detach(words)
    if not isinstance(begun, Detached):
        return begun
    from studies.storage.paths import locate

    if options.json:
        print(json.dumps(begun.as_json()))
    elif options.quiet:
        print(begun.log)
    else:
        print("\n".join(begun.lines(locate(options.storage, options.output).arguments)))
    return 0


def _run(options: argparse.Namespace, steps: Steps, order: Order | None) -> int:
    steps.tell_early("loading Studies")
    with ending_at_once():
        _tell_mistakes(options)
        from studies.execution.session import run
        from studies.run_log.log_file import RunLog
        from studies.storage.paths import locate
        from studies.terminal.answer import answer_lines
        from studies.terminal.display import logging_too, showing_run

    def begun(study: str, log: Path) -> None:
        if order is not None:
            steps.close()
            order.tell(study, log)

    steps.tell_early("reading the study")
    locations = locate(options.storage, options.output)
    quiet = options.quiet or order is not None  # the log of a detached run has the progress
    result = run(
        request_of(options),
        locations=locations,
        resources=resources_of(options),
        showing=logging_too(showing_run(locations, quiet=quiet, before=steps.close), locations),
        telling=steps.tell,
        take_over=options.take_over,
        log=RunLog(takes_output=order is not None),
        begun=begun,
    )
    steps.close()
    for line in answer_lines(result, sharing=not options.quiet):
        print(line, file=sys.stderr if options.json else sys.stdout)
    if options.json and order is None:
        print(json.dumps(result.report))
    return 0


def _tell_mistakes(options: argparse.Namespace) -> None:
    """Raise UsageError for what is wrong with a study of the catalog, before anything else is loaded.

    A file of the user's own is left to the run, which executes it once.
    """
    from studies.planning.request import draft
    from studies.user_files.loader import names_file

    request = request_of(options)
    if names_file(request.study):
        return
    try:
        draft(request)
    except UsageError as error:
        from studies.storage.paths import locate

        locations = locate(options.storage, options.output)
        if locations.is_unused():
            raise
        from studies.execution.older_studies import with_older_named

        raise with_older_named(error, request, locations) from error


if __name__ == "__main__":
    sys.exit(main())

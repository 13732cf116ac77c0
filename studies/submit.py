"""The command `studies submit STUDY`: hands a study to a Ray cluster as a job, and follows its log."""

import argparse
import os
import shlex
import sys
from collections.abc import Sequence

from studies._cli import run_door
from studies.base.errors import UsageError
from studies.base.first_signals import ending_at_once
from studies.base.steps import Steps, telling_steps
from studies.base.stop_signal import RunInterruptedError
from studies.cluster.job_server import EXAMPLE, JobServer
from studies.planning.command_line import (
    add_live,
    add_resources,
    add_reuse,
    add_storage,
    add_until,
    add_variant,
    request_of,
    resources_of,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Submit a study and return the exit code of its run, or 0 if that is not followed."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    return run_door(_parser(), arguments, lambda options: _work(options, words))


def _work(options: argparse.Namespace, words: Sequence[str]) -> int:
    server = JobServer(_address(options.address))
    with telling_steps(quiet=options.quiet) as steps:
        return _submit(options, words, server, steps)


def _submit(options: argparse.Namespace, words: Sequence[str], server: JobServer, steps: Steps) -> int:
    steps.tell_early("loading Studies")
    with ending_at_once():
        from studies.execution.submission import prepare, submit
        from studies.storage.paths import locate

    steps.tell_early("reading the study")
    locations = locate(options.storage, options.output)
    options.address = "auto"  # where the job's driver runs
    submission = prepare(
        request_of(options),
        locations,
        resources_of(options),
        command=shlex.join(["studies", "submit", *words]),
        sent=options.send,
        with_studies=options.send_studies,
        take_over=options.take_over,
    )
    for note in submission.notes:
        _say(f"note: {note}", steps)
    job = submit(submission, server, steps.tell)
    steps.close()
    if options.quiet:
        print(job.id)
    else:
        what = "submitted as" if job.is_new else "runs already, submitted before as"
        _say(f"{submission.name} {what} job {job.id} of {server.url}", steps)
    watching = "\n".join(job.watching(locations.arguments))
    if options.detach:
        print(watching, file=sys.stderr if options.quiet else sys.stdout)
        return 0
    try:
        ended = job.follow(_write, lambda text: _say(f"note: {text}", steps))
    except KeyboardInterrupt as interrupt:
        print(f"\nThe job {job.id} goes on.\n{watching}", file=sys.stderr)
        return RunInterruptedError.by(interrupt, "").exit_code
    exit_code = job.exit_code(ended, locations.storage)
    if exit_code:
        print(f"The job {job.id} has ended with exit code {exit_code}.", file=sys.stderr)
        print(f"Go on with: {submission.command}", file=sys.stderr)
    return exit_code


def _address(given: str | None) -> str:
    """Return the URL that is given, or that Ray's own variables name; UsageError if there is none."""
    found = given or os.environ.get("RAY_API_SERVER_ADDRESS") or os.environ.get("RAY_ADDRESS")
    if not found:
        raise UsageError(["no cluster is given"], f"Give --address {EXAMPLE}, the URL of its dashboard.")
    return found


def _write(text: str) -> None:
    from studies.base.wording import printable

    sys.stdout.write(printable(text.expandtabs()))
    sys.stdout.flush()


def _say(line: str, steps: Steps) -> None:
    from studies.base.wording import printable

    steps.clear()
    print(printable(line), file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="studies submit",
        description="Hand a study to a Ray cluster as a job, and follow its log; its exit code is that of the run. "
        "Ctrl-C leaves the job running, and the same command follows it again: a job that runs is never submitted "
        "twice.",
        epilog=f"Example: studies submit depth_study --address {EXAMPLE} --storage postgresql://ann@db/studies "
        "--output /shared/runs",
    )
    add_variant(parser)
    add_until(parser)
    add_live(parser)
    add_resources(
        parser,
        address=f"the URL of the cluster's dashboard, such as {EXAMPLE} (default: RAY_API_SERVER_ADDRESS, else "
        "RAY_ADDRESS)",
        may_start_ray=False,
    )
    add_storage(parser)
    add_reuse(parser)
    group = parser.add_argument_group("what is sent")
    group.add_argument(
        "--send",
        action="append",
        default=[],
        metavar="PATH",
        help="a file or folder below this one that the study's code reads; repeatable. A study's own file, the modules "
        "beside it that it imports, and a table named by a relative path are sent anyway",
    )
    group.add_argument(
        "--send-studies",
        action="store_true",
        help="send Studies itself as well, for a cluster that has its requirements but not Studies",
    )
    group = parser.add_argument_group("what is shown")
    group.add_argument(
        "--detach", action="store_true", help="do not follow the log: say how to watch the job, and end"
    )
    group.add_argument("--quiet", action="store_true", help="show nothing but the job's id and its log")
    return parser


if __name__ == "__main__":
    sys.exit(main())

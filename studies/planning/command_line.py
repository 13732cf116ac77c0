"""Command-line options shared by the commands that plan or run a study: study, variant, storage and resources."""

import argparse
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from studies.base.errors import UsageError
from studies.base.states import Until
from studies.definition.settings import DEFAULT_PROFILE, parse_setting

if TYPE_CHECKING:  # a command's words are checked, and its first step told, before anything heavy is loaded
    from studies.planning.request import Request
    from studies.planning.resources import Resources


_ADDRESS = (
    "a Ray cluster to join: auto on one of its machines, or HOST:6379 (default: RAY_ADDRESS, else here)"
)


def add_storage(parser: argparse.ArgumentParser) -> None:
    """Add --storage, --output and --debug."""
    group = parser.add_argument_group("where")
    group.add_argument(
        "--storage", metavar="URL", help="the study database (default: STUDIES_STORAGE, else runs/studies.db)"
    )
    group.add_argument(
        "--output",
        metavar="DIR",
        help="folder of reports and models, or its URL, such as s3://bucket/runs (default: STUDIES_OUTPUT, else runs)",
    )
    group.add_argument("--debug", action="store_true", help="show the traceback of an error")


def add_variant(parser: argparse.ArgumentParser) -> None:
    """Add STUDY and the options that derive a variant of it."""
    parser.add_argument(
        "study",
        metavar="STUDY",
        help="a study of the catalog (studies list --catalog), or a .py file",
    )
    group = parser.add_argument_group("which variant")
    group.add_argument(
        "--profile",
        default=DEFAULT_PROFILE,
        metavar="PROFILE",
        help="smoke (a minute, to see it work), laptop (the default) or cluster (larger)",
    )
    group.add_argument(
        "--set",
        action="append",
        default=[],
        dest="settings",
        metavar="FIELD=VALUE",
        help="change a field of the plan, for example replicates=20 or factors.depth=[3,5]; repeatable",
    )
    group.add_argument(
        "--looks",
        metavar="N,N,...",
        help="numbers of blocks at which claims may be made, the first of them the replicates: 10 for a single one, "
        "10,20,40 (default: r, 2r, 4r, 8r up to 80, where a study compares levels with r >= 10 replicates and declares "
        "which effect matters)",
    )
    group.add_argument("--seed", type=int, metavar="N", help="seed of everything random (default: 0)")
    group.add_argument("--name", metavar="NAME", help="name in the database (default: made from the above)")
    group.add_argument(
        "--budget",
        metavar="TIME",
        help="the time that the study may take, such as 30m or 2h: reduces replicates (never below 10 where there are "
        "as many), then trials, then epochs, and says which",
    )


def add_until(parser: argparse.ArgumentParser) -> None:
    """Add --until."""
    parser.add_argument(
        "--until",
        choices=[str(until) for until in Until],
        default=str(Until.CLEAR),
        help="clear (the default): go on from look to look until every question is answered; look: stop after this "
        "one, and go on to the next one when the command is given again",
    )


def add_resources(
    parser: argparse.ArgumentParser, *, address: str = _ADDRESS, may_start_ray: bool = True
) -> None:
    """Add the options of where trials run and what each one takes; `address` explains --address.

    --no-dashboard is for commands that may start a Ray.
    """
    group = parser.add_argument_group("on what")
    group.add_argument(
        "--address",
        metavar="ADDRESS",
        help=address,
    )
    group.add_argument(
        "--workers", type=int, metavar="N", help="trials at a time, at most (default: as many as fit)"
    )
    group.add_argument(
        "--cpus-per-trial", type=float, default=1.0, metavar="X", help="CPUs for each trial (default: 1)"
    )
    group.add_argument(
        "--gpus-per-trial",
        type=float,
        default=0.0,
        metavar="X",
        help="GPUs for each: a part of one, for example 0.25, or a whole number (default: 0)",
    )
    if may_start_ray:
        group.add_argument(
            "--no-dashboard", action="store_true", help="start without the Ray dashboard, a little faster"
        )


def add_live(parser: argparse.ArgumentParser) -> None:
    """Add --no-live."""
    parser.add_argument(
        "--no-live",
        action="store_true",
        help="write no live.html: the page beside the report that says, each minute, how the run goes",
    )


def request_of(options: argparse.Namespace) -> "Request":
    """Return the request that the options make. Raises UsageError for a `--set` that cannot be parsed."""
    from studies.planning.request import Request

    settings = dict(parse_setting(text) for text in options.settings)
    return Request(
        study=options.study,
        profile=options.profile,
        settings=settings if options.looks is None else settings | {"looks": _looks(options.looks, settings)},
        seed=options.seed,
        name=options.name,
        grow_from=getattr(options, "grow_from", None),
        budget=options.budget,
        until=Until(options.until),
        live=not options.no_live,
    )


def _looks(typed: str, settings: Mapping[str, Any]) -> list[int]:
    """Return the looks of --looks; UsageError unless they are whole numbers, and not set otherwise as well."""
    if "looks" in settings:
        raise UsageError(["--looks and --set looks=... were given both"], "Give one of them.")
    try:
        return [int(part) for part in typed.split(",")]
    except ValueError as error:
        raise UsageError(
            [f"--looks must be numbers of blocks with commas between them; got {typed!r}"],
            "For example: --looks 10,20,40, or --looks 10 for a single one.",
        ) from error


def resources_of(options: argparse.Namespace) -> "Resources":
    """Return the resources that the options ask for. Raises UsageError for a number out of range."""
    from studies.planning.resources import Resources

    return Resources.asked_for(
        address=options.address,
        workers=options.workers,
        cpus_per_trial=options.cpus_per_trial,
        gpus_per_trial=options.gpus_per_trial,
        dashboard=not getattr(options, "no_dashboard", False),
    )


def parse_run(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options of `studies run`; raise SystemExit where `arguments` are not valid."""
    return run_parser().parse_args(arguments)


def run_parser() -> argparse.ArgumentParser:
    """Return the parser of `studies run`."""
    parser = argparse.ArgumentParser(
        prog="studies run",
        description="Run a study, or resume it where it stopped: the same command always finds its own study.",
        epilog="Example: studies run depth_study --profile smoke",
    )
    add_variant(parser)
    add_until(parser)
    add_live(parser)
    add_resources(parser)
    add_storage(parser)
    add_reuse(parser)
    group = parser.add_argument_group("what is shown")
    group.add_argument("--quiet", action="store_true", help="show nothing but the answer")
    group.add_argument("--json", action="store_true", help="print the report's JSON on standard output")
    group.add_argument(
        "--detach",
        action="store_true",
        help="leave the run to itself once it holds its study, so that it survives this terminal; its log is followed "
        "by studies logs NAME -f (with --json: where it runs, as JSON; with --quiet: the log's path)",
    )
    return parser


def add_reuse(parser: argparse.ArgumentParser) -> None:
    """Add --grow-from and --take-over."""
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

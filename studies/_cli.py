"""Command-line options that several doors share, and how every door reports an error."""

import argparse
import shlex
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from studies.base.encodings import never_refuse
from studies.base.errors import StudiesError, disk_error
from studies.base.stop_signal import Deadline, RunInterruptedError, heeding_signals, leave
from studies.definition.settings import DEFAULT_PROFILE, parse_setting

if (
    TYPE_CHECKING
):  # what is wrong with a command's words is told, and its first step, before anything else is loaded
    from studies.planning.request import Request
    from studies.planning.resources import Resources


def run_door(
    parser: argparse.ArgumentParser,
    arguments: Sequence[str] | None,
    work: Callable[[argparse.Namespace], int],
) -> int:
    """Parse, work, and return the exit code; an error is printed as what is wrong and what to do."""
    never_refuse(sys.stdout)
    never_refuse(sys.stderr)
    options = _parsed(parser, arguments)
    command = _command(parser, arguments)
    try:
        with Deadline(command), heeding_signals():
            return work(options)
    except StudiesError as error:
        return _failed(error, options)
    except OSError as error:
        if isinstance(error, BrokenPipeError):  # the reader of a pipe (head, less) has seen enough
            sys.stderr.close()
            return 0
        if error.errno is None or error.filename is None:
            raise
        return _failed(disk_error(error), options)
    except KeyboardInterrupt as interrupt:
        return _failed(RunInterruptedError.by(interrupt, command), options)


def _failed(error: StudiesError, options: argparse.Namespace) -> int:
    """Print an error, with --debug the traceback of what is being handled above it; return the exit code."""
    from studies.base.wording import printable

    # A storage may hold names and texts of others, which must not move a cursor.
    if options.debug:
        print(printable(traceback.format_exc()), file=sys.stderr)
    print(printable(f"error: {error}"), file=sys.stderr)
    return leave(error.exit_code)


def _command(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> str:
    """Return the command as it was given, for a shell."""
    return shlex.join([*parser.prog.split(), *(sys.argv[1:] if arguments is None else arguments)])


def _parsed(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse as `parse_args` does; a value that a shell has taken apart is told with the way to keep it whole."""
    options, rest = parser.parse_known_args(arguments)
    if not rest:
        return options
    is_torn = getattr(options, "settings", None) and any(set("=]}") & set(word) for word in rest)
    hint = (
        "\nFor a list or range in --set, put the whole in single quotes, so that the shell leaves it as it is: "
        '--set \'nuisances.learning_rate={"low":0.001,"high":0.1,"log":true}\''
    )
    parser.error(f"unrecognized arguments: {' '.join(rest)}{hint if is_torn else ''}")


def add_storage(parser: argparse.ArgumentParser) -> None:
    """Add where studies are kept, and --debug."""
    group = parser.add_argument_group("where")
    group.add_argument(
        "--storage", metavar="URL", help="the study database (default: STUDIES_STORAGE, else runs/studies.db)"
    )
    group.add_argument(
        "--output", metavar="DIR", help="folder of reports and models (default: STUDIES_OUTPUT, else runs)"
    )
    group.add_argument("--debug", action="store_true", help="show the traceback of an error")


def add_variant(parser: argparse.ArgumentParser) -> None:
    """Add the study and what derives a variant of it."""
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
    group.add_argument("--seed", type=int, metavar="N", help="seed of everything random (default: 0)")
    group.add_argument("--name", metavar="NAME", help="name in the database (default: made from the above)")
    group.add_argument(
        "--budget",
        metavar="TIME",
        help="the time that the study may take, such as 30m or 2h: gives up replicates (never below 10 where there are "
        "as many), then trials, then epochs, and says what",
    )


def add_resources(parser: argparse.ArgumentParser) -> None:
    """Add where and with what trials run."""
    group = parser.add_argument_group("on what")
    group.add_argument(
        "--address",
        metavar="ADDRESS",
        help="a Ray cluster to join: auto on one of its machines, or HOST:6379 (default: RAY_ADDRESS, else here)",
    )
    group.add_argument("--workers", type=int, metavar="N", help="trials at a time (default: as many as fit)")
    group.add_argument(
        "--cpus-per-trial", type=float, default=1.0, metavar="X", help="CPUs for each trial (default: 1)"
    )
    group.add_argument(
        "--gpus-per-trial",
        type=float,
        default=0.0,
        metavar="X",
        help="GPUs for each, for example 0.25 (default: 0)",
    )
    group.add_argument(
        "--no-dashboard", action="store_true", help="start without the Ray dashboard, a little faster"
    )


def request_of(options: argparse.Namespace) -> "Request":
    """Return what the options ask for."""
    from studies.planning.request import Request

    return Request(
        study=options.study,
        profile=options.profile,
        settings=dict(parse_setting(text) for text in options.settings),
        seed=options.seed,
        name=options.name,
        grow_from=getattr(options, "grow_from", None),
        budget=options.budget,
    )


def resources_of(options: argparse.Namespace) -> "Resources":
    """Return what trials run on."""
    from studies.planning.resources import Resources

    return Resources.asked_for(
        address=options.address,
        workers=options.workers,
        cpus_per_trial=options.cpus_per_trial,
        gpus_per_trial=options.gpus_per_trial,
        dashboard=not options.no_dashboard,
    )

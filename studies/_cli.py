"""What all commands share: running one, and how it reports an error."""

import argparse
import shlex
import sys
import traceback
from collections.abc import Callable, Sequence

from studies.base.encodings import never_refuse
from studies.base.errors import StudiesError, disk_error
from studies.base.stop_signal import Deadline, RunInterruptedError, handling_signals, leave


def run_door(
    parser: argparse.ArgumentParser,
    arguments: Sequence[str] | None,
    work: Callable[[argparse.Namespace], int],
) -> int:
    """Parse the arguments, call `work` with them, and return the exit code; errors are printed with advice."""
    never_refuse(sys.stdout)
    never_refuse(sys.stderr)
    options = _parsed(parser, arguments)
    command = _command(parser, arguments)
    try:
        with Deadline(command), handling_signals():
            return work(options)
    except StudiesError as error:
        return _failed(error, options)
    except OSError as error:
        if isinstance(error, BrokenPipeError):  # the reader of a pipe, such as head or less, has closed it
            sys.stderr.close()
            return 0
        if error.errno is None or error.filename is None:
            raise
        return _failed(disk_error(error), options)
    except KeyboardInterrupt as interrupt:
        return _failed(RunInterruptedError.by(interrupt, command), options)


def _failed(error: StudiesError, options: argparse.Namespace) -> int:
    """Print an error, preceded by its traceback with --debug; return the exit code."""
    from studies.base.wording import printable

    # A storage may hold text written by others, which must not control the terminal.
    if options.debug:
        print(printable(traceback.format_exc()), file=sys.stderr)
    print(printable(f"error: {error}"), file=sys.stderr)
    return leave(error.exit_code)


def _command(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> str:
    """Return the command line, quoted for a shell."""
    return shlex.join([*parser.prog.split(), *(sys.argv[1:] if arguments is None else arguments)])


def _parsed(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the parsed arguments; for a value that a shell has split, the error says how to quote it."""
    options, rest = parser.parse_known_args(arguments)
    if not rest:
        return options
    is_torn = getattr(options, "settings", None) and any(set("=]}") & set(word) for word in rest)
    hint = (
        "\nFor a list or range in --set, put the whole in single quotes, so that the shell leaves it as it is: "
        '--set \'nuisances.learning_rate={"low":0.001,"high":0.1,"log":true}\''
    )
    parser.error(f"unrecognized arguments: {' '.join(rest)}{hint if is_torn else ''}")

"""What `studies logs` prints: a run's log from its file or, for the job of a cluster elsewhere, from its server."""

import shlex
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from studies.base.errors import StudiesError, UsageError
from studies.base.wording import printable
from studies.cluster.job_server import JobServer, UnreachableError
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.run_log import run_events
from studies.run_log.log_file import FILE_NAME, Follower, earlier_lines
from studies.run_log.whereabouts import Whereabouts
from studies.storage.known_servers import GIVEN, is_known
from studies.storage.paths import Locations

SECONDS_BETWEEN_READS: Final = 0.25
SECONDS_OF_LAST_WORDS: Final = 1.0
"""How long after a run has released its study its last lines are waited for."""
SECONDS_BETWEEN_LOOKS: Final = 2.0
"""How often the storage is asked whether the run goes on, and a job's server what its driver has printed."""


def show_log(
    store: Store, study: StudyRow, locations: Locations, *, num_lines: int | None = None, follow: bool = False
) -> None:
    """Print a study's log, or its last `num_lines`; with `follow` also what is added, until no run works on the study.

    Raises StudiesError that says where the log is, and how to read it, if that is out of reach.
    """
    where = Whereabouts.of(run_events.started_with(store.events(study.id)))
    path = _file(study, where, locations)
    if path is not None:
        _from_file(path, num_lines, _goes_on(store, study.name) if follow else None)
    elif where.job is not None:
        _from_server(where, study.name, num_lines, _goes_on(store, study.name) if follow else None)
    else:
        raise _out_of_reach(study, where)


def _file(study: StudyRow, where: Whereabouts, locations: Locations) -> Path | None:
    """Return the log's path on this machine, None if it is not here.

    The storage may be written by others, so what it names is read only in the study's own folder.
    """
    try:
        path = locations.folder(study.name) / FILE_NAME
    except UsageError:  # an invalid name, which another program wrote into the storage
        return None
    if not path.is_file() or path.is_symlink():
        return None
    is_shared = where.host in (None, socket.gethostname()) or where.log == path.absolute()
    return path if is_shared or locations.output_is_given else None


def _goes_on(store: Store, name: str) -> Callable[[], bool]:
    """Return a function that says whether a run works on the study."""

    def goes_on() -> bool:
        study = store.find_study(name)
        return study is not None and store.holder(study.id) is not None

    return goes_on


def _from_file(path: Path, num_lines: int | None, goes_on: Callable[[], bool] | None) -> None:
    follower = Follower(path)
    try:
        _print(_last([*earlier_lines(path), *follower.new_lines()], num_lines))
        is_followed = False
        while goes_on is not None and goes_on():
            is_followed = True
            until = time.monotonic() + SECONDS_BETWEEN_LOOKS
            while time.monotonic() < until:
                time.sleep(SECONDS_BETWEEN_READS)
                _print(follower.new_lines())
        if is_followed:
            time.sleep(SECONDS_OF_LAST_WORDS)
        _print([*follower.new_lines(), *follower.unfinished()])
    finally:
        follower.close()


def _from_server(
    where: Whereabouts, name: str, num_lines: int | None, goes_on: Callable[[], bool] | None
) -> None:
    """Print a job's log; a server that the storage alone names, which others may write, is not asked."""
    assert where.job is not None
    if where.submitted_to is None:
        raise _of_job(where, "the job was submitted by another program than studies submit")
    if not is_known(where.submitted_to):
        url = shlex.quote(where.submitted_to)
        raise _of_job(
            where,
            f"nothing was submitted to {where.submitted_to} from here, so that it is not told the token kept here",
            f"If it is your cluster: {GIVEN}={url} studies logs {shlex.quote(name)}\n",
        )
    try:
        server = JobServer(where.submitted_to)
        read = server.log(where.job)
    except StudiesError as error:
        raise _of_job(where, error.message) from error
    _print(_last(read.splitlines(), num_lines))
    num_read = read.rfind("\n") + 1  # a line that is not whole yet is printed again
    is_followed = is_silent = False
    while goes_on is not None:
        is_over = not goes_on()
        if is_over and is_followed:
            time.sleep(SECONDS_OF_LAST_WORDS)
        is_followed = True
        try:
            read = server.log(where.job)
            is_silent = False
        except UnreachableError as error:
            if not is_silent:
                print(printable(f"note: {error.message}; it is asked again"), file=sys.stderr)
            is_silent = True
        end = len(read) if is_over else read.rfind("\n") + 1
        _print(read[num_read:end].splitlines())
        num_read = max(num_read, end)
        if is_over:
            return
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _of_job(where: Whereabouts, why: str, advice: str = "") -> StudiesError:
    """Return the error of a job whose server is not asked, or does not answer; `advice` is what else can be done."""
    address = where.submitted_to or "http://HEAD:8265"
    words = shlex.join(["ray", "job", "logs", str(where.job), "--address", address])
    return StudiesError(
        f"the log is {where.log} on {where.host}, and its job cannot be asked from here: {why}",
        f"{advice}Where the cluster's dashboard is reached: {words} --follow",
    )


def _out_of_reach(study: StudyRow, where: Whereabouts) -> StudiesError:
    if where.log is None:
        return StudiesError(
            f"no run of {study.name} has left a log: none has begun, or those that did were of an earlier version",
            f"See how it stands: studies status {study.name}",
        )
    if where.host == socket.gethostname():
        return StudiesError(
            f"the log {where.log} is not there any more",
            "Say where the study's files lie now with --output DIR.",
        )
    # Quoted twice, as a second shell reads it there; both names may have been written by others.
    there = shlex.join(
        ["ssh", "--", where.host or "HOST", shlex.join(["tail", "-n", "100", "-f", str(where.log)])]
    )
    return StudiesError(
        f"the log is on another machine: {where.log} on {where.host}",
        f"Read it there: {there}\nIf the folder is shared, say where it lies here with --output DIR.",
    )


def _last(lines: Sequence[str], num_lines: int | None) -> Sequence[str]:
    return lines if num_lines is None else list(deque(lines, maxlen=num_lines))


def _print(lines: Sequence[str]) -> None:
    if lines:
        print("\n".join(map(printable, lines)), flush=True)

"""A run that survives its terminal: a process with a session of its own, which tells its starter when it is under way.

Until then what it prints is shown as if it ran here, and if it ends before, so does the command, with its exit code.
"""

import json
import os
import select
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Self, TextIO, final

from studies.base.errors import StudiesError
from studies.base.stop_signal import Interrupted, never_broken_off

ORDER: Final = "STUDIES_DETACHED"
"""Environment variable with the descriptor on which a detached run tells that it is under way."""
ROOT: Final = Path(__file__).resolve().parents[2]
SECONDS_BETWEEN_LOOKS: Final = 0.05


@final
class Order:
    """What makes this process a detached run: somebody waits to be told that it is under way."""

    def __init__(self, descriptor: int) -> None:
        """Tell it on `descriptor`, which no other process inherits."""
        self._descriptor = descriptor
        os.set_inheritable(descriptor, False)

    @classmethod
    def taken(cls) -> Self | None:
        """Return the order that this process was started with, once; None for a run that stays with its terminal."""
        found = os.environ.pop(ORDER, None)
        return None if found is None else cls(int(found))

    def tell(self, study: str, log: Path) -> None:
        """Tell that the run holds its study; its starter may be gone, together with the terminal."""
        begun = Detached(study=study, host=socket.gethostname(), process=os.getpid(), log=log)
        with suppress(BrokenPipeError):
            os.write(self._descriptor, f"{json.dumps(begun.as_json())}\n".encode())
        os.close(self._descriptor)


@dataclass(frozen=True, kw_only=True)
class Detached:
    """A run that is under way without its terminal: its study, where it runs, and the path of its log."""

    study: str
    host: str
    process: int
    log: Path

    def lines(self, arguments: Sequence[str]) -> list[str]:
        """Return what it is, and the commands that watch and stop it, with the options that find it."""
        return [
            f"{self.study} runs on without this terminal: process {self.process} on {self.host}",
            f"Log     {self.log}",
            *watching(self.study, arguments),
        ]

    def as_json(self) -> dict[str, Any]:
        """Return the same as JSON data."""
        return {"study": self.study, "host": self.host, "process": self.process, "log": str(self.log)}


def watching(name: str, arguments: Sequence[str]) -> list[str]:
    """Return the commands that watch and stop the run of a study, with the options that find it, in lines."""

    def command(*words: str) -> str:
        return shlex.join(["studies", *words, *arguments])

    return [
        f"Watch   {command('status', name, '--watch')}",
        f"        {command('logs', name, '-f')}",
        f"Stop    {command('stop', name)}",
    ]


def detach(words: Sequence[str]) -> Detached | int:
    """Start `studies run` with these arguments as a process of its own; wait until it holds its study.

    Returns its exit code if it has ended before: because of an error, or because nothing was left to train. Its output
    until then is printed here. Ctrl-C until then ends it, too.
    """
    receiver, sender = os.pipe()
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        relays = [_Relay(output, sys.stdout), _Relay(errors, sys.stderr)]
        process = None
        try:
            with never_broken_off():  # so that Ctrl-C finds the process that it ends
                # Files rather than pipes: nothing that the run starts can be broken by the end of this process.
                process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "studies.run", *words],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=errors,
                    env=_environment() | {ORDER: str(sender)},
                    pass_fds=[sender],
                    start_new_session=True,
                )
                os.close(sender)
            return _awaited(process, receiver, relays)
        except Interrupted as interrupt:
            if process is None:
                raise
            with suppress(ProcessLookupError):
                os.kill(process.pid, interrupt.received)
            return _ended(process, relays)
        finally:
            os.close(receiver)


def _awaited(process: "subprocess.Popen[bytes]", receiver: int, relays: "Sequence[_Relay]") -> Detached | int:
    told = b""
    while True:
        is_ready = bool(select.select([receiver], [], [], SECONDS_BETWEEN_LOOKS)[0])
        for relay in relays:
            relay.pass_on()
        if not is_ready:
            continue
        told += (chunk := os.read(receiver, 4096))
        if told.endswith(b"\n"):
            begun = json.loads(told)
            return Detached(**begun | {"log": Path(begun["log"])})
        if not chunk:
            return _ended(process, relays)


def _ended(process: "subprocess.Popen[bytes]", relays: "Sequence[_Relay]") -> int:
    exit_code = process.wait()
    for relay in relays:
        relay.pass_on()
    if exit_code < 0:
        raise StudiesError(
            f"the run was ended by {signal.Signals(-exit_code).name} before it held its study",
            "Nothing was trained; give the command again.",
        )
    return exit_code


@final
class _Relay:
    """Copies what another process writes into a file to a stream of this one."""

    def __init__(self, file: BinaryIO | Any, stream: TextIO) -> None:
        self._file, self._stream, self._position = file, stream, 0

    def pass_on(self) -> None:
        """Copy what was added; the position in the file, which the other process shares, stays where it is."""
        added = os.pread(self._file.fileno(), 1 << 20, self._position)
        if added:
            self._position += len(added)
            self._stream.write(added.decode("utf-8", "replace"))
            self._stream.flush()


def _environment() -> dict[str, str]:
    """Return the environment in which a new interpreter finds our packages, also in a checkout not installed.

    It does not look for them in the current folder, where a folder `studies` may be anything.
    """
    environment = dict(os.environ)
    if all(Path(place).resolve() != ROOT for place in sys.path[1:]):
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [environment.get("PYTHONPATH"), str(ROOT)]))
    return environment

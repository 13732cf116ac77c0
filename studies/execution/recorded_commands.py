"""Parses the recorded command line of a run back into its request and arguments."""

import io
import shlex
from contextlib import redirect_stderr
from dataclasses import dataclass

from studies.base.errors import StudiesError
from studies.planning.request import Request
from studies.storage.paths import Locations

DOORS = (("studies.run",), ("studies", "run"))
"""The words before the arguments in a recorded command."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """A request, with the arguments of where it is stored and what it runs on."""

    request: Request
    arguments: tuple[str, ...]

    def __str__(self) -> str:
        return self.request.command("run", *self.arguments)


def command_in(command: str, locations: Locations) -> Command | None:
    """Return a recorded command, for the storage of `locations`; None if this version of Studies cannot parse it."""
    from studies.planning.command_line import parse_run, request_of, resources_of

    words = shlex.split(command)
    starts = [
        place + len(door)
        for door in DOORS
        for place in range(len(words))
        if tuple(words[place : place + len(door)]) == door
    ]
    if not starts:
        return None
    try:
        with redirect_stderr(io.StringIO()):
            options = parse_run(words[min(starts) :])
        request, resources = request_of(options), resources_of(options)
    except (SystemExit, StudiesError):
        return None
    where = locations.arguments
    if options.output is not None and "--output" not in where:
        where = (*where, "--output", options.output)
    return Command(request=request, arguments=(*where, *resources.arguments()))

"""Advice as those who call Python need it: the texts of errors and notes name commands and options of the command line.

A command that Python has as well becomes a call, an option an argument. What Python cannot do, such as `studies stop`,
stays a command, for a terminal.
"""

import io
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import replace
from typing import Any, Final

from studies.base.errors import StudiesError, UsageError
from studies.base.stop_signal import AGAIN, RayLostError, RunInterruptedError
from studies.definition.settings import parse_setting
from studies.planning.request import Request
from studies.user_files.loader import lies_there

ARGUMENTS: Final = {
    "--address": "address=",
    "--budget": "budget=",
    "--calibrated": "calibrated=True",
    "--cpus-per-trial": "cpus_per_trial=",
    "--engine": "engine=",
    "--ensemble": "ensemble=True",
    "--gpus-per-trial": "gpus_per_trial=",
    "--name": "name=",
    "--no-dashboard": "dashboard=False",
    "--no-live": "live=False",
    "--output": "output=",
    "--profile": "profile=",
    "--seed": "seed=",
    "--set": "settings",
    "--storage": "storage=",
    "--take-over": "take_over=True",
    "--trust-code": "trust_code=True",
    "--until": "until=",
    "--workers": "workers=",
}
"""The options of commands that Python has as well, and how the functions of `studies` take them."""
_GO_ON: Final = "Go on with: "
_PHRASES: Final = (
    ("give --trust-code (in Python: trust_code=True)", "give trust_code=True"),
    ("(--debug shows the traceback)", "(the traceback is above)"),
    ("See where it failed with --debug", "See above where it failed"),
    ("give the same command with", f"{AGAIN} with"),
    ("give it the same command", AGAIN),
    ("give the same command again", AGAIN),
    ("give the study's command again", AGAIN),
    ("give the command again", AGAIN),
    ("give the command on", "run it on"),
    ("run the command on", "run it on"),
    ("the same command", "the same call"),
    ("This command", "This call"),
    ("this command", "this call"),
    ("a command resumes", "a call resumes"),
    ("--set values", "settings"),
)
_OPTION: Final = re.compile(r"(--[a-z][a-z-]*)(?: ([0-9][\w.]*|smoke|laptop|cluster|clear|look|auto)\b)?")
_SETTING: Final = re.compile(r"--set ('[^'\n]*'|[a-z_]\w*(?:\.[\w]+)*=\S*[^\s.,;:)])")
_LOOKS: Final = re.compile(r"--looks ([0-9]+(?:,[0-9]+)*)")
_COMMAND: Final = re.compile(r"(?:studies [a-z]+\b|ray start|ray status|pip install|pg_dump)[^\n;`)]*")


@contextmanager
def told_in_python(request: Request | None = None) -> Iterator[None]:
    """Word the StudiesError that leaves the context for those who call Python; `request` is what was asked for."""
    try:
        yield
    except StudiesError as error:
        reword(error, request)
        raise


def reword(error: StudiesError, request: Request | None = None) -> None:
    """Change the texts of an error to those of `in_python`."""
    if isinstance(error, RunInterruptedError | RayLostError) and request is not None:
        call = in_python(error.advice, request).removeprefix(_GO_ON)
        error.advice = f"{_GO_ON}{AGAIN}" if request.made is not None else f"Go on: {AGAIN}, or {call}"
        return
    error.message = in_python(error.message, request)
    error.advice = in_python(error.advice, request)
    if isinstance(error, UsageError):
        error.mistakes = tuple(in_python(mistake, request) for mistake in error.mistakes)


def in_python(text: str, request: Request | None = None) -> str:
    """Return a text in which commands are calls, and options are arguments, as far as Python has them.

    >>> in_python("Resume it with the same command, or choose another --name.")
    'Resume it with the same call, or choose another name=.'
    >>> in_python("Run one first: studies run depth_study --profile smoke --set replicates=3")
    "Run one first: studies.run_study('depth_study', settings={'replicates': 3}, profile='smoke')"
    >>> in_python("Stop it: studies stop depth_study")
    'Stop it, in a terminal: studies stop depth_study'
    """
    told, end = [], 0
    for command in _COMMAND.finditer(text):
        told.append(_arguments(text[end : command.start()]))
        call = _call(command.group(), request)
        if call is None and told[-1].endswith(": "):
            told[-1] = f"{told[-1][:-2]}, in a terminal: "
        told.append(command.group() if call is None else call)
        end = command.end()
    return "".join([*told, _arguments(text[end:])])


def _arguments(text: str) -> str:
    """Return a text without commands, its options as arguments."""
    for words, instead in _PHRASES:
        text = text.replace(words, instead).replace(_capital(words), _capital(instead))
    text = _SETTING.sub(_setting, text)
    text = _LOOKS.sub(lambda found: f"settings={{'looks': [{found[1].replace(',', ', ')}]}}", text)
    return _OPTION.sub(_argument, text)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _argument(found: re.Match[str]) -> str:
    option, value = found.groups()
    name = ARGUMENTS.get(option)
    if name is None:
        return found.group()
    if value is None:
        return name
    is_number = value.replace(".", "", 1).isdecimal()
    return f"{name}{value if is_number else repr(value)}" if name.endswith("=") else f"{name} {value}"


def _setting(found: re.Match[str]) -> str:
    try:
        (word,) = shlex.split(found[1])
        name, value = parse_setting(word)
    except (ValueError, UsageError):
        return found.group()
    return f"settings={{{name!r}: {value!r}}}"


def _call(command: str, request: Request | None) -> str | None:
    """Return the call that does the same as a command; None where Python has none, or it cannot be read."""
    try:
        _, door, *words = shlex.split(command)
    except ValueError:
        return None
    reader = _READERS.get(door) if command.startswith("studies ") else None
    return None if reader is None else reader(words, request)


def _run(words: list[str], request: Request | None) -> str | None:
    from studies.planning.command_line import request_of, resources_of, run_parser

    try:
        with redirect_stderr(io.StringIO()):
            options = run_parser().parse_args(words)
        asked, resources = request_of(options), resources_of(options)
    except (SystemExit, StudiesError):
        return None
    if asked.grow_from is not None:
        return None
    if request is not None and request.made is not None and asked.study == request.study:
        is_another = request.made.code is not None and not lies_there(request.made.code.file)
        # What lies in the file is then the recorded study, and what the cell says goes by another name.
        asked = asked if is_another and asked.name == request.name else replace(asked, made=request.made)
    others: dict[str, Any] = {"storage": options.storage, "output": options.output}
    others |= {"address": resources.address, "workers": resources.workers}
    others |= {} if resources.cpus_per_trial == 1 else {"cpus_per_trial": resources.cpus_per_trial}
    others |= {} if resources.gpus_per_trial == 0 else {"gpus_per_trial": resources.gpus_per_trial}
    return asked.call(**others, take_over=options.take_over or None)


def _status(words: list[str], request: Request | None) -> str | None:
    return _load_study(words)


def _show(words: list[str], request: Request | None) -> str | None:
    study = _load_study(words)
    if study is None or "--trial" not in words:
        return study
    number = words[words.index("--trial") + 1]
    return f"{study}.trials().set_index('trial_number').error[{number}]"


def _load_study(words: list[str]) -> str | None:
    """Return the call that loads the study which the words of a command name."""
    if not words or words[0].startswith("-"):
        return None
    storage = f", storage={words[words.index('--storage') + 1]!r}" if "--storage" in words[:-1] else ""
    return f"studies.load_study({words[0]!r}{storage})"


_READERS: Final[dict[str, Callable[[list[str], Request | None], str | None]]] = {
    "run": _run,
    "show": _show,
    "status": _status,
}

"""Parsing and writing of `--set FIELD=VALUE`, also where a shell has removed the quotes of the value."""

import json
import re
import shlex
from collections.abc import Callable
from typing import Any

from studies.base.errors import UsageError
from studies.base.messages import show

DEFAULT_PROFILE = "laptop"
"""The profile that changes nothing."""
SMOKE = "smoke"
"""The profile that shows a study at work, and answers nothing: it has a single look."""
TEXTS = frozenset({"question", "dataset", "target", "model", "objective", "search.sampler", "rare_classes"})
"""Fields whose values are text: what is typed is taken literally, even where it is valid JSON."""

OPTIONS = {
    "seed": "--seed",
    "name": "--name",
    "budget": "--budget",
    "profile": "--profile",
    "storage": "--storage",
    "output": "--output",
    "workers": "--workers",
    "address": "--address",
    "grow_from": "--grow-from",
}
"""Command-line options that are easily mistaken for fields of a plan."""

_NULLABLE = frozenset({"target"})
_NUMBER = re.compile(r"[+-]?((0|[1-9][0-9]{0,30})(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_LITERALS = {"true": True, "false": False, "null": None}
_PLAIN = re.compile(r"[^\[\]{}\"',:]+")


def parse_setting(text: str) -> tuple[str, Any]:
    """Return the field and the value of one `--set FIELD=VALUE`.

    A value is JSON, else plain text. A list or mapping without quotes is accepted where it is unambiguous; otherwise
    UsageError shows the form that works.

    >>> parse_setting("factors.depth=[3,5]"), parse_setting("factors.optimizer=[sgd,adam]")
    (('factors.depth', [3, 5]), ('factors.optimizer', ['sgd', 'adam']))
    >>> parse_setting("target=2024"), parse_setting("fixed.train_size=.5")
    (('target', '2024'), ('fixed.train_size', 0.5))
    """
    field, equals, value = _as_utf8(text).partition("=")
    field, value = field.strip(), value.strip()
    if not equals or not field:
        raise UsageError(
            [f"--set {text}: must be FIELD=VALUE"],
            "For example: --set replicates=20 --set factors.depth=[3,5]",
        )
    return field, _text(field, value) if field in TEXTS else _value(field, value)


def written(field: str, value: Any, default: Callable[[object], object] = str) -> str:
    """Return the `FIELD=VALUE` that `--set` reads back as this value: plain text where that works, else JSON."""
    plain = f"{field}={value}"
    if isinstance(value, str) and value[:1] not in tuple("[{") and parse_setting(plain) == (field, value):
        return plain
    return f"{field}={_json(value, default)}"


def command_form(field: str, value: object) -> str:
    """Return a `--set` argument with a JSON value, quoted for a shell.

    >>> command_form("factors.optimizer", ["sgd", "adam"])
    '--set \\'factors.optimizer=["sgd","adam"]\\''
    """
    return f"--set {shlex.quote(f'{field}={_json(value)}')}"


def _text(field: str, typed: str) -> str | None:
    if typed == "null" and field in _NULLABLE:
        return None
    if len(typed) > 1 and typed[0] == typed[-1] == '"':
        try:
            return str(json.loads(typed))
        except ValueError:
            return typed
    return typed


def _value(field: str, typed: str) -> Any:
    try:
        return json.loads(typed, parse_constant=_not_json)
    except (ValueError, RecursionError):
        pass
    if typed[:1] not in ("[", "{"):
        return _scalar(typed)
    try:
        return _unquoted(typed)
    except ValueError as error:
        example = ["sgd", "adam"] if typed[0] == "[" else {"low": 0.001, "high": 0.1, "log": True}
        raise UsageError(
            [f"--set {field}: {show(typed)[1:-1]} cannot be read as JSON"],
            "Put the whole in single quotes, so that the shell leaves the double quotes of its texts: "
            f"{command_form(field, example)}",
        ) from error


def _unquoted(typed: str) -> list[Any] | dict[str, Any]:
    """Read a flat list or mapping of plain words; raise ValueError where it might mean something else."""
    opening, inner, closing = typed[0], typed[1:-1], typed[-1]
    parts = [part.strip() for part in inner.split(",")]
    if opening == "[" and closing == "]":
        return [_item(part) for part in parts]
    if opening == "{" and closing == "}":
        pairs = [part.partition(":")[::2] for part in parts]
        mapping = {_word(name): _item(value.strip()) for name, value in pairs}
        if len(mapping) == len(pairs):
            return mapping
    raise ValueError(typed)


def _item(typed: str) -> Any:
    if len(typed) > 1 and typed[0] == typed[-1] == '"':
        return json.loads(typed)
    if not _PLAIN.fullmatch(typed):
        raise ValueError(typed)
    return _LITERALS[typed] if typed in _LITERALS else _scalar(typed)


def _word(typed: str) -> str:
    word = _item(typed.strip())
    if not isinstance(word, str):
        raise ValueError(typed)
    return word


def _scalar(typed: str) -> Any:
    """Return the number in a text that is not valid JSON (`.5`, `+1`), else the text."""
    if _NUMBER.fullmatch(typed):
        return float(typed) if re.search(r"[.eE]", typed) else int(typed)
    return typed


def _json(value: object, default: Callable[[object], object] = str) -> str:
    return json.dumps(value, separators=(",", ":"), default=default)


def _as_utf8(text: str) -> str:
    """Return a command-line word decoded as UTF-8, where the locale's encoding is another, such as ASCII."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8")
    except UnicodeDecodeError:
        return text


def _not_json(text: str) -> None:
    raise ValueError(f"{text} is Python's, not JSON's")

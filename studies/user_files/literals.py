"""Python text that gives a value again: of a plain constant, and of a study's definition."""

import math
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from optuna.distributions import BaseDistribution

from studies.definition import ranges
from studies.definition.parts import (
    Confirm,
    DefaultSmallestEffect,
    ErrorShares,
    Search,
    SmallestEffect,
    Thresholds,
)
from studies.definition.study import Study
from trainables.base.metrics import Metric

MOST_CHARACTERS = 20_000
"""Longest text of one constant: more is data, which belongs into a file."""
_PARTS = (Confirm, ErrorShares, Metric, Search, SmallestEffect, Thresholds)


def literal(value: object) -> str:
    """Return the text of a constant: None, bool, int, float, str, bytes, and tuples, lists, dicts, sets of these.

    Raises ValueError for anything else, also for a subclass of these, and for more than MOST_CHARACTERS.

    >>> literal({"rates": (0.1, float("inf")), "names": ["a", None]})
    "{'rates': (0.1, float('inf')), 'names': ['a', None]}"
    """
    text = _text(value, 0)
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"takes {len(text):,} characters to write down")
    return text


def _text(value: object, depth: int) -> str:
    if depth > 20:
        raise ValueError("is nested too deeply")
    if value is None or type(value) in (bool, int, str, bytes):
        return repr(value)
    if type(value) is float:
        return repr(value) if math.isfinite(value) else f"float({str(value)!r})"
    if type(value) is dict:
        pairs = [f"{_text(key, depth + 1)}: {_text(each, depth + 1)}" for key, each in value.items()]
        return f"{{{', '.join(pairs)}}}"
    if type(value) in (tuple, list, set, frozenset):
        parts = [_text(each, depth + 1) for each in value]  # type: ignore[attr-defined]
        if type(value) is tuple:
            return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
        if type(value) is list:
            return f"[{', '.join(parts)}]"
        listed = f"[{', '.join(sorted(parts))}]"  # the order of a set differs from process to process
        return f"{type(value).__name__}({listed})"
    raise ValueError(f"is {_kind(value)}")


def _kind(value: object) -> str:
    """Return what a value is, with its article.

    >>> _kind(3j), _kind(object())
    ('a complex', 'an object')
    """
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in tuple('aeiou') else 'a'} {name}"


def study_text(study: Study) -> str:
    """Return the expression that makes this study again, with each field that differs from its default.

    The names in it are those that `studies` exports. One study always gives one text: its hash is part of the plan.

    >>> search = Search(trials_per_cell=1)
    >>> print(study_text(Study(question="Does depth help?", factors={"depth": (3, 5)}, search=search)))
    Study(
        question='Does depth help?',
        factors={'depth': (3, 5)},
        search=Search(trials_per_cell=1),
    )
    """
    given = _given(study)
    if isinstance(study.smallest_effect, DefaultSmallestEffect):
        given.pop("smallest_effect", None)  # it stays undeclared
    given.pop("as_recorded", None)
    return "Study(\n" + "".join(f"    {name}={text},\n" for name, text in given.items()) + ")"


def _given(made: Any) -> dict[str, str]:
    """Return the text of each field that differs from its default."""
    given = {}
    for field in fields(made):
        value = getattr(made, field.name)
        default = field.default if field.default_factory is MISSING else field.default_factory()
        # A smallest effect that is declared equals the one that nobody declares, where the numbers are the same.
        is_declared = isinstance(default, DefaultSmallestEffect)
        if default is MISSING or is_declared or value != default:
            given[field.name] = _field_text(value)
    return given


def _field_text(value: Any) -> str:
    """Return a field's text: of a part the call that makes it, of the rest a literal."""
    if isinstance(value, _PARTS):
        named = ", ".join(f"{name}={text}" for name, text in _given(value).items())
        return f"{type(value).__name__}({named})"
    if isinstance(value, tuple) and value and all(isinstance(each, Metric) for each in value):
        return f"({', '.join(map(_field_text, value))},)"
    return literal(_plain(value))


def _plain(value: Any) -> Any:
    """Return a field's value with the types of constants alone."""
    if isinstance(value, BaseDistribution):
        return _plain(ranges.plain(value))
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(_plain(each) for each in value)
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value

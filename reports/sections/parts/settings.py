"""Combinations of some factors' levels: which rows have one, and what it is called."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from reports.inputs.cube import plain
from reports.wording.words import level_phrase


def settings_of(factors: Mapping[str, Sequence[Any]], names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Every combination of the levels of the factors named, in plan order; one empty one of no factors."""
    for levels in itertools.product(*(factors[name] for name in names)):
        yield dict(zip(names, levels, strict=True))


def matches(frame: pd.DataFrame, setting: Mapping[str, Any]) -> pd.Series:
    """Which rows have these levels."""
    match = pd.Series(True, index=frame.index)
    for name, level in setting.items():
        wanted = plain(level)
        kind = type(wanted)
        # Most values are plain already, and long frames have many.
        same = [(value if type(value) is kind else plain(value)) == wanted for value in frame[name]]
        match &= pd.Series(same, index=frame.index, dtype=bool)
    return match


def setting_name(setting: Mapping[str, Any]) -> str:
    """A combination as a heading: "Batch norm off, dropout 0.1"; of no factors "All networks"."""
    text = ", ".join(level_phrase(name, level) for name, level in setting.items())
    return text[:1].upper() + text[1:] if text else "All networks"

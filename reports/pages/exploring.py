"""What a page's script needs to explore its figures: what every mark says, and whose each part is, as compact JSON.

A text that many marks share is written once, coordinates are differences in tenths of a point, and the script puts a
mark's text together when it is touched. The page is whole without the script, and without this.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np
from markupsafe import Markup

from reports.inputs.cube import plain
from reports.inputs.inputs import ReportInputs
from reports.plots.style.canvas import Panel
from reports.plots.style.marks import LEVEL, VERDICT, Group, Of
from reports.stability.growth import VERDICTS
from reports.wording.words import factor_name, level_name, level_phrase

ID = "explore"
"""The id of the element that holds the JSON."""
_APART = "|"


@final
class Exploring:
    """Collects the panels of one page, and what can be highlighted in them."""

    def __init__(
        self,
        inputs: ReportInputs | None = None,
        configurations: Mapping[int, str] | None = None,
        factor: str = "",
    ) -> None:
        """Offer the levels and cells of a study; of one without cells, `configurations` (trial to level of `factor`).

        Without a study, as on a page about two, marks say their values and nothing is offered.
        """
        self._choices = _choices(inputs, configurations or {}, factor)
        self._texts: dict[str | tuple[str, ...], int] = {}
        self._owners: dict[Of, int] = {}
        self._panels: list[list[Any]] = []
        self._placed: dict[int, int] = {}

    def place_of(self, owner: Of) -> int:
        """The number of an owner on this page."""
        return self._owners.setdefault(tuple(dict.fromkeys(owner)), len(self._owners))

    def panel(self, panel: Panel) -> tuple[int, str]:
        """Take in a panel: its number on this page, and its SVG with the page's numbers of owners."""
        owners = [self.place_of(owner) for owner in panel.marks.owners]

        def renumbered(match: re.Match[str]) -> str:
            places = ",".join(str(owners[int(place)]) for place in match[2].split(","))
            return f'<g data-{match[1]}="{places}"'

        number = self._placed.get(id(panel))
        if number is None:
            number = self._placed[id(panel)] = len(self._panels)
            groups = [self._group(group, panel.of) for group in panel.marks.groups]
            areas = [
                [
                    *_tenths(np.array([each.left, each.top, each.width, each.height])).tolist(),
                    self.place_of(each.of),
                ]
                for each in panel.marks.areas
            ]
            self._panels.append([panel.heading, groups, areas])
        return number, re.sub(r'<g data-(of|each)="([0-9,]+)"', renumbered, panel.svg)

    def json(self) -> Markup:
        """The JSON, safe within a script element: it holds no `<`, so that no text can end the element."""
        told = {
            **self._choices,
            "verdicts": self._verdicts(),
            "texts": [*self._texts],
            "owners": [[list(pair) for pair in owner] for owner in self._owners],
            "panels": self._panels,
        }
        text = json.dumps(told, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return Markup(text.replace("<", "\\u003c"))

    def _verdicts(self) -> list[str]:
        found = {name for owner in self._owners for kind, name in owner if kind == VERDICT}
        return [name for name in VERDICTS if name in found]

    def _group(self, group: Group, of: Of) -> list[Any]:
        """Parts (a number of a text, or in brackets of one text for each), x, y, owners, ends, their direction, faint.

        What follows the owners is left out where it is nothing.
        """
        parts: list[Any] = [
            self._text(_same(part)) if isinstance(part, str) or len({*part}) == 1 else [self._column(part)]
            for part in group.parts
            if part
        ]
        x, y = _tenths(group.x), _tenths(group.y)
        if group.each:
            owner: Any = [self.place_of((*of, *_pairs(each))) for each in group.of]
        else:
            owner = self.place_of((*of, *_pairs(group.of)))
        told = [parts, _differences(x), _differences(y), owner]
        if group.ends is not None:
            along = x if group.across else y
            known = [np.where(np.isfinite(end), end, along / 10) for end in group.ends]
            told += [(_tenths(end) - along).tolist() for end in known]
            told.append(int(group.across))
        elif group.faint:
            told += [0, 0, 0]
        return [*told, 1] if group.faint else told

    def _text(self, text: str | tuple[str, ...]) -> int:
        return self._texts.setdefault(text, len(self._texts))

    def _column(self, texts: tuple[str, ...]) -> int:
        """One text for each mark: joined, or a list where a text holds what would join them."""
        return self._text(texts if any(_APART in text for text in texts) else _APART.join(texts))


def _same(part: str | tuple[str, ...]) -> str:
    """A text for all, or what is the same for each."""
    return part if isinstance(part, str) else part[0]


def _pairs(owner: Any) -> Of:
    pairs: Of = owner
    return pairs


def _tenths(values: np.ndarray[Any, np.dtype[np.float64]]) -> Any:
    return np.round(10 * values).astype(int)


def _differences(tenths: Any) -> list[int]:
    """The first value, and from each to the next: mostly a few short numbers, over and over."""
    found: list[int] = np.diff(tenths, prepend=0).tolist()
    return found


def _choices(inputs: ReportInputs | None, configurations: Mapping[int, str], factor: str) -> dict[str, Any]:
    """Factors with the names of their levels, and cells with the places of theirs and their confirm trials."""
    if inputs is None:
        return {"factors": [], "cells": []}
    if not inputs.has_cells:
        levels = {name: trial for trial, name in configurations.items()}
        found = [_factor(factor, [*levels], [[trial] for trial in levels.values()])] if levels else []
        return {"factors": found, "cells": []}
    trials = inputs.trials
    confirm = trials[trials["phase"] == "confirm"]
    places = {
        name: {level_name(level): place for place, level in enumerate(levels)}
        for name, levels in inputs.factors.items()
    }
    cells = [
        [
            int(row["cell"]),
            [places[name][level_name(plain(row[name]))] for name in inputs.factors],
            [int(number) for number in confirm.loc[confirm["cell"] == row["cell"], "number"].sort_values()],
        ]
        for row in trials.drop_duplicates("cell").sort_values("cell").to_dict("records")
    ]
    return {"factors": [_factor(name, levels) for name, levels in inputs.factors.items()], "cells": cells}


def _factor(name: str, levels: Sequence[Any], trials: Sequence[Sequence[int]] = ()) -> dict[str, Any]:
    return {
        "kind": LEVEL + name,
        "name": factor_name(name),
        "levels": [level_name(level) for level in levels],
        "phrases": [level_phrase(name, level) for level in levels],
        **({"trials": trials} if trials else {}),
    }

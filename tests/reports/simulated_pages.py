"""The sentences that a report makes of a simulated study, without the rest of its page.

A page of 54 cells takes seconds, most of them for frames, tables and what is only described. Here its sentences are
made of arrays, by the functions that license and word them on the page; `test_whole_pages` compares the texts with
those of whole pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from reports.claims.answers import AT_BEST, AVERAGED, Key, Said, key_of, setting_of, stated_changes
from reports.claims.claims import about_contrast
from reports.claims.line_to_beat import AGAINST, NETWORK
from reports.inputs.cube import Cube, Floats, pairs_to_compare
from reports.results.comparisons import GROWTH
from reports.results.licensing import Licensing
from reports.results.results import compute
from reports.statistics.best_cells import BestPair, num_distinct, same_cells
from reports.statistics.contrasts import _at_cells, _compared, contrast_family, gate_family, simple_family
from reports.statistics.families import Family
from reports.statistics.gates import Gate, Rules
from reports.statistics.interactions import interactions_of
from reports.statistics.new_samples import TEST_TO_TRAINING, beyond_sample
from reports.wording.phrases import Setting
from tests.reports.false_claims import Claim, claims_of
from tests.reports.simulated_studies import SMALLEST, SMALLEST_ERROR, Study, World, as_recorded, draw

Row = dict[str, Any]
LINEAR = "logistic regression"


@dataclass(frozen=True)
class Page:
    """What a page says of a study, by family; `changes` are the interactions that are stated."""

    study: Study
    said: Mapping[str, Sequence[Said]]
    changes: Mapping[str, Mapping[Key, Mapping[str, Any]]]

    @property
    def texts(self) -> list[str]:
        """What is said about each contrast."""
        return [each.text for said in self.said.values() for each in said]

    @property
    def claims(self) -> list[Claim]:
        """Everything that the sentences claim."""
        return [
            claim
            for family, said in self.said.items()
            for claim in claims_of(family, said, self.study, self.changes.get(family, {}))
        ]


@dataclass(frozen=True)
class Pages:
    """Makes the pages of studies of one world.

    `plan_version` 2 licenses claims by Holm's p values and unadjusted intervals, 3 by simultaneous intervals.
    """

    world: World
    plan_version: int = 3

    @cached_property
    def _laid_out(self) -> tuple[Licensing, Setting]:
        """What all studies of the world share, read off one that is laid out in full."""
        healthy = replace(self.world, failing=0 * self.world.failing)
        inputs = as_recorded(draw(healthy, np.random.default_rng(0)), self.plan_version)
        results = compute(inputs)
        return results.licensing, setting_of(inputs, results)

    @property
    def licensing(self) -> Licensing:
        """The families of claims."""
        return self._laid_out[0]

    @property
    def rules(self) -> Rules:
        """The numbers behind the gates."""
        return self.licensing.rules

    @property
    def setting(self) -> Setting:
        """What all sentences share."""
        return self._laid_out[1]

    def page(self, study: Study) -> Page:
        """What the page says of a study."""
        losses = _cube(study, study.loss, "test_loss")
        pairs = best_pairs(study)
        num = num_distinct(pairs) + 1  # with the line to beat
        # With one factor the page tells averages once, at best.
        once = len(study.world.factors) == 1 and not self.rules.holm
        averages, changes = ([], {}) if once else self._averaged(losses, SMALLEST)
        growth, of_growth = self._averaged(_cube(study, study.growth, GROWTH), None)
        said = {
            "at best": self._at_best(losses, pairs, SMALLEST, self.licensing.loss_at_best(num), num),
            "averages": averages,
            "growth": growth,
            "line to beat": self._line(study, num),
        }
        if not self.rules.holm:
            errors = _cube(study, study.error, "test_error")
            family = self.licensing.error_rate_at_best(num)
            said["error at best"] = self._at_best(errors, pairs, SMALLEST_ERROR, family, num)
        return Page(study, said, {"averages": changes, "growth": of_growth})

    def at_best(self, study: Study, pairs: Sequence[BestPair], family: Family) -> list[Said]:
        """What is said of the loss at these pairs of cells."""
        return self._at_best(_cube(study, study.loss, "test_loss"), pairs, SMALLEST, family, len(pairs))

    def _at_best(
        self, table: Cube, pairs: Sequence[BestPair], size: float, family: Family, num: int
    ) -> list[Said]:
        rows = gate_family([_at_cells(table, pair) for pair in pairs], size, self.rules, family)
        said = []
        for row, pair, same in zip(rows, pairs, same_cells(pairs), strict=True):
            whole = {**self._with_new_samples(row, num), "best_a": pair.cells[0], "best_b": pair.cells[1]}
            if same is None:  # otherwise the page refers to the first contrast with these cells
                said.append(Said(row=whole, sentences=about_contrast(whole, self.setting, AT_BEST)))
        return said

    def _with_new_samples(self, row: Row, num: int) -> Row:
        family = self.licensing.beyond_sample(num)
        return (
            row
            if self.rules.holm
            else {**row, **beyond_sample(row, row["differences"], TEST_TO_TRAINING, family)}
        )

    def _averaged(self, table: Cube, size: float | None) -> tuple[list[Said], dict[Key, Mapping[str, Any]]]:
        """The averages of loss, or with growth's families where there is no smallest effect."""
        counted, is_growth = self.licensing, size is None
        factors = list(table.factors)
        families = (counted.growth, counted.growth) if is_growth else (counted.interactions, counted.averages)
        changes = interactions_of(table, factors, size, rules=self.rules, family=families[0])
        rows = contrast_family(table, factors, size, None, self.rules, depends=changes)
        rows = gate_family(rows, size, self.rules, families[1])
        if all(row["gate"] != Gate.INTERACTION for row in rows):
            stated, simple = {}, []
        else:
            stated = stated_changes(pd.DataFrame(rows), changes)
            family = counted.growth_simple_effects if is_growth else counted.simple_effects
            simple = gate_family(simple_family(table, factors, None, self.rules), size, self.rules, family)
        setting = replace(self.setting, epochs=None, failed=None) if is_growth else self.setting
        return [_told(row, simple, stated, setting) for row in rows], stated

    def _line(self, study: Study, num: int) -> list[Said]:
        """The best cell's networks against the linear model."""
        values = np.stack([study.line, study.loss[int(np.argmin(study.objective))]])
        levels = (LINEAR, NETWORK)
        table = Cube(values=values, factors={"model": levels}, blocks=_blocks(study), outcome="test_loss")
        family = self.licensing.loss_at_best(1 if self.rules.holm else num)
        (row,) = gate_family([_compared(table, "model", levels, None, False)], SMALLEST, self.rules, family)
        row = self._with_new_samples(row, num)
        place = f"at the best cell, {AGAINST}"
        return [Said(row=row, sentences=about_contrast(row, replace(self.setting, failed=None), place))]


def _told(row: Row, simple: Sequence[Row], stated: Mapping[Key, Mapping[str, Any]], setting: Setting) -> Said:
    """A contrast, and where it interacts its simple effects by the factor that it depends on most."""
    if row["gate"] != Gate.INTERACTION:
        return Said(row=row, sentences=about_contrast(row, setting, AVERAGED))
    by_level = pd.DataFrame(
        [each for each in simple if key_of(each) == key_of(row) and each["by"] == row["interacts_with"]]
    )
    for name in ("by_level", "level_a", "level_b", "interacts_with"):
        by_level[name] = pd.Series([*by_level[name]], dtype=object)
    sentences = about_contrast(row, setting, AVERAGED, by_level, stated.get(key_of(row)))
    return Said(row=row, sentences=sentences, by_level=by_level)


def _blocks(study: Study) -> tuple[int, ...]:
    return tuple(range(1, study.loss.shape[1] + 1))


def _cube(study: Study, values: Floats, outcome: str) -> Cube:
    return Cube(
        values=values.reshape(*study.world.shape, -1),
        factors=study.world.factors,
        blocks=_blocks(study),
        outcome=outcome,
    )


def best_pairs(study: Study, objective: Floats | None = None) -> list[BestPair]:
    """The cells that the search selected, as `reports.statistics.best_cells.best_pairs` takes them from a frame."""
    chosen_by = study.objective if objective is None else objective
    cells = study.world.cells
    found = []
    for factor, levels in study.world.factors.items():
        best = {
            level: min(
                (place for place, cell in enumerate(cells) if cell[factor] == level),
                key=chosen_by.__getitem__,
            )
            for level in levels
        }
        for pair in pairs_to_compare(levels):
            selected = (cells[best[pair[0]]], cells[best[pair[1]]])
            found.append(BestPair(factor=factor, levels=pair, cells=selected, found=selected))
    return found

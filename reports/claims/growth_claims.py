"""The gated sentences about growth at initialisation: what opens the stability section, and every comparison."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from reports.claims.answers import (
    AVERAGED,
    CLAIMS,
    Said,
    effects_by_level,
    key_of,
    records,
    setting_of,
    stated_changes,
)
from reports.claims.claims import Gate, Sentence, about_family
from reports.inputs.inputs import ReportInputs
from reports.results.comparisons import GROWTH
from reports.results.results import Results
from reports.wording.phrases import factor_spoken, listed

INITIALISATION = ("init", "init_gain", "activation", "residual")  # factors that set the initialisation itself
_FIRM = (Gate.INTERACTION, *CLAIMS)


def said_growth(inputs: ReportInputs, results: Results) -> list[Said]:
    """The sentences about each contrast of ln total_growth at initialisation; none before a look is whole."""
    family = results.growth_contrasts
    if family.empty or not results.look.number:
        return []
    grown = results.growths
    first = grown[(grown["epoch"] == 0) & grown["trial_number"].isin(set(results.first_rows["trial_number"]))]
    start = first[[*inputs.factors, "block", GROWTH]]
    simple = effects_by_level(inputs, results, family, start, results.licensing.growth_simple_effects, None)
    setting = replace(setting_of(inputs, results), epochs=None, failed=None)
    changes = stated_changes(family, results.growth_interactions)
    sentences = about_family(family, setting, AVERAGED, simple, changes)
    return [
        Said(row=row, sentences=said, by_level=simple.get(key_of(row)))
        for row, said in zip(records(family), sentences, strict=True)
    ]


def opening_growth(said: Sequence[Said], most: int = 3) -> list[list[Sentence]]:
    """What opens the section: the sentences of each factor's firmest contrast, the largest first.

    Not of one that cannot change what a network starts from, such as the learning rate.

    Where that depends on another factor, the sentence that says so and the one at the level where it is largest.
    """
    firmest: dict[str, Said] = {}
    for each in sorted(said, key=_firmness, reverse=True):
        firmest.setdefault(str(each.row["factor"]), each)
    firmest = {factor: each for factor, each in firmest.items() if not _is_exactly_zero(each.row)}
    return [_shortened(each) for each in [*firmest.values()][:most]]


def leading_growth(factors: Collection[str], said: Sequence[Said]) -> list[Sentence]:
    """What the whole report opens with where a study sets the first weights: that asks about growth, not about loss."""
    if not {"init", "init_gain"}.intersection(factors):
        return []
    return [sentence for sentences in opening_growth(said, most=1) for sentence in sentences]


def _is_exactly_zero(row: Mapping[str, Any]) -> bool:
    return bool(row["ci_low"] == row["ci_high"] == 0)


def _firmness(said: Said) -> tuple[bool, float]:
    effects = [said.row["estimate"]] if said.by_level is None else [*said.by_level["estimate"]]
    largest = max((abs(effect) for effect in effects if effect == effect), default=0.0)
    return Gate(said.row["gate"]) in _FIRM, float(largest)


def _shortened(said: Said) -> list[Sentence]:
    if said.by_level is None:
        return list(said.sentences)
    # The first sentence says on what it depends, the others follow the rows of the simple effects.
    largest = int(said.by_level["estimate"].abs().to_numpy().argmax())
    return [said.sentences[0], said.sentences[1 + largest]]


def about_initialisation(factors: Sequence[str]) -> str | None:
    """What a study may say that sets the initialisation itself; None for one that does not: it may only associate."""
    named = [factor_spoken(name) for name in factors if name in INITIALISATION]
    if not named:
        return None
    return (
        f"This study sets the initialisation itself ({listed(named)}), the same blocks at every level: growth and "
        "loss differ between these levels because of that setting. Whether the loss follows from the growth alone, "
        "this design does not separate."
    )

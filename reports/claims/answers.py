"""The gated sentences of a report: one list for every contrast, and the two or three that open the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from reports.claims.claims import Gate, Sentence, Setting, about_family
from reports.inputs.cube import cube, plain
from reports.inputs.early_stopping import stops_early
from reports.inputs.inputs import ReportInputs
from reports.results.comparisons import official_test
from reports.results.looks import looks_until_clear
from reports.results.outcomes import all_failed
from reports.results.results import Results
from reports.statistics.contrasts import simple_effects, with_slices
from reports.statistics.families import Family

AT_BEST, AVERAGED = "each at its best cell", "averaged over the other factors"
CLAIMS = (Gate.MEANINGFUL, Gate.DIRECTION, Gate.EQUIVALENT)
MOST = 4
Key = tuple[str, Any, Any]


@dataclass(frozen=True, kw_only=True)
class Said:
    """What is said about one contrast: its sentences and, where it interacts, its simple effects by level."""

    row: Mapping[str, Any]
    sentences: Sequence[Sentence]
    by_level: pd.DataFrame | None = None

    @property
    def text(self) -> str:
        """All sentences as one text."""
        return " ".join(sentence.text for sentence in self.sentences)


def said_at_best(inputs: ReportInputs, results: Results) -> list[Said]:
    """The sentences about each level at its best cell; none before a look is whole, when claims are withheld."""
    return _said(inputs, results, results.at_best, AT_BEST) if results.look.number else []


def said_errors(inputs: ReportInputs, results: Results) -> list[Said]:
    """The same in per cent right, a family of its own; none where the plan declares its own metrics."""
    return _said(inputs, results, results.error_at_best, AT_BEST) if results.look.number else []


def said_averaged(inputs: ReportInputs, results: Results) -> list[Said]:
    """The sentences about the averaged contrasts; where one depends on another factor, one per level of that.

    None with a single factor, whose averages are what its levels are at best.
    """
    family = results.contrasts
    if not results.look.number or is_told_once(results):
        return []
    outcome = inputs.outcome.name
    rows = results.first_rows[[*inputs.factors, "block", outcome]]
    by_level = effects_by_level(
        inputs, results, family, rows, results.licensing.simple_effects, inputs.smallest_effect
    )
    changes = stated_changes(family, results.interactions)
    return _said(inputs, results, family, AVERAGED, by_level, changes)


def effects_by_level(
    inputs: ReportInputs,
    results: Results,
    family: pd.DataFrame,
    rows: pd.DataFrame,
    counted: Family,
    smallest_effect: float | None,
) -> dict[Key, pd.DataFrame]:
    """For each contrast gated INTERACTION its simple effects, by the factor that it depends on most."""
    depending = [row for row in records(family) if row["gate"] == Gate.INTERACTION]
    if not depending:
        return {}
    factors, outcome, rules = list(inputs.factors), str(family["outcome"].iloc[0]), results.look.rules
    levels = None if rules.holm else inputs.factors
    boundary = results.boundary if outcome == inputs.outcome.name else None
    simple = simple_effects(
        rows, factors, outcome, smallest_effect, boundary, rules=rules, family=counted, levels=levels
    )
    keys = [(*key_of(row), row["by"]) for row in records(simple)]
    table = cube(rows, outcome, levels)
    return {
        key_of(row): with_slices(
            simple[[key == (*key_of(row), row["interacts_with"]) for key in keys]],
            table,
            None if rules.holm else smallest_effect,
        )
        for row in depending
    }


def stated_changes(family: pd.DataFrame, changes: pd.DataFrame) -> dict[Key, Mapping[str, Any]]:
    """For each contrast whose interaction is stated, the largest change of its effect that is licensed."""
    stated = [row for row in records(changes) if row["gate"] == Gate.INTERACTION]
    found: dict[Key, Mapping[str, Any]] = {}
    for row in records(family):
        if row["gate"] != Gate.INTERACTION or not row["states_interaction"]:
            continue
        mine = [each for each in stated if _changes(each, row)]
        largest = max(mine, key=lambda each: abs(each["estimate"]))
        found[key_of(row)] = largest if largest["factor"] == row["factor"] else _turned(largest)
    return found


def _turned(change: Mapping[str, Any]) -> dict[str, Any]:
    """The same change the other way round: what a second factor does to the first one's effect."""
    names = {"factor": "by", "level_a": "by_a", "level_b": "by_b"}
    turned = {new: change[old] for one, other in names.items() for old, new in ((one, other), (other, one))}
    return {**change, **turned}


def _changes(change: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Whether an interaction is one of this contrast with the factor that it depends on; they hold both ways round."""
    factor, first, second = key_of(row)
    sides = (
        (change["factor"], plain(change["level_a"]), plain(change["level_b"]), change["by"]),
        (change["by"], plain(change["by_a"]), plain(change["by_b"]), change["factor"]),
    )
    return (factor, first, second, row["interacts_with"]) in sides


def is_told_once(results: Results) -> bool:
    """Whether averages are what levels are at best, as with a single factor, and are told once."""
    return "best_a" in results.contrasts


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame as dicts."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def key_of(row: Mapping[str, Any]) -> Key:
    """Which contrast a row is of."""
    return row["factor"], plain(row["level_a"]), plain(row["level_b"])


def _said(
    inputs: ReportInputs,
    results: Results,
    family: pd.DataFrame,
    place: str,
    by_level: Mapping[Key, pd.DataFrame] | None = None,
    changes: Mapping[Key, Mapping[str, Any]] | None = None,
) -> list[Said]:
    sentences = about_family(family, setting_of(inputs, results), place, by_level, changes)
    return [
        Said(row=row, sentences=said, by_level=(by_level or {}).get(key_of(row)))
        for row, said in zip(records(family), sentences, strict=True)
    ]


def setting_of(inputs: ReportInputs, results: Results) -> Setting:
    """What all sentences of this study share."""
    look, wall = results.look, inputs.seconds.get("wall")
    return Setting(
        epochs=int(inputs.plan["confirm"]["epochs"]),
        stop_early=stops_early(inputs.plan),
        seconds_per_block=None if wall is None else wall / look.num_blocks,
        official_test=official_test(inputs),
        rules=look.rules,
        failed=inputs.outcome.said_of_failures if all_failed(results.rows) else None,
        units={measure.name: measure.unit for measure in inputs.own},
        looks=looks_until_clear(inputs.plan),
    )


def opening(
    at_best: Sequence[Said],
    averaged: Sequence[Said],
    lead: Sequence[Sentence] = (),
    errors: Sequence[Said] = (),
) -> list[Sentence]:
    """The few sentences for the top of the page, `lead` before those about the factor that the plan names first.

    First the contrast at best (the firmest gate, then the largest difference), what it is in per cent right where that
    is claimed, then the averaged one; where that depends on another factor, the sentence that says so and the level
    where the difference is largest.
    """
    if not at_best and not averaged:
        return []
    first = (*at_best, *averaged)[0].row["factor"]
    best, mean = (
        _firmest([said for said in family if said.row["factor"] == first]) for family in (at_best, averaged)
    )
    right = [
        said
        for said in errors
        if best is not None and key_of(said.row) == key_of(best.row) and said.row["gate"] in CLAIMS
    ]
    sentences = [
        sentence for said in (best, *right, mean) if said is not None for sentence in _shortened(said)
    ]
    return [*lead, *sentences][:MOST]


def _firmest(family: Sequence[Said]) -> Said | None:
    """Interactions and claims before the rest, then the larger difference."""
    if not family:
        return None
    firm = (Gate.INTERACTION, *CLAIMS)
    return max(family, key=lambda said: (Gate(said.row["gate"]) in firm, abs(said.row["estimate"])))


def _shortened(said: Said) -> list[Sentence]:
    if said.by_level is None:
        return list(said.sentences)
    # The first sentence says on what it depends, the others follow the rows of the simple effects.
    largest = int(said.by_level["estimate"].abs().to_numpy().argmax())
    return [said.sentences[0], said.sentences[1 + largest]]

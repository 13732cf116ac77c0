"""The gated sentences of a report: one list for every contrast, and the two or three that open the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from reports.claims.claims import Gate, Sentence, Setting, about_family
from reports.inputs.cube import plain
from reports.inputs.early_stopping import stops_early
from reports.inputs.inputs import ReportInputs
from reports.results.outcomes import all_failed
from reports.results.results import Results
from reports.statistics.contrasts import simple_effects

AT_BEST, AVERAGED = "each at its best cell", "averaged over the other factors"
CLAIMS = (Gate.MEANINGFUL, Gate.DIRECTION, Gate.EQUIVALENT)
MOST = 3


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
    return _said(inputs, results, results.at_best, AT_BEST, {}) if results.look.number else []


def said_averaged(inputs: ReportInputs, results: Results) -> list[Said]:
    """The sentences about the averaged contrasts; where one depends on another factor, one per level of that."""
    if not results.look.number:
        return []
    simple = _simple_effects(inputs, results)
    by_level = {
        _key(row): simple[
            [_key(each) == _key(row) and each["by"] == row["interacts_with"] for each in _records(simple)]
        ]
        for row in _records(results.contrasts)
        if row["gate"] == Gate.INTERACTION
    }
    return _said(inputs, results, results.contrasts, AVERAGED, by_level)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _key(row: Mapping[str, Any]) -> tuple[str, Any, Any]:
    return row["factor"], plain(row["level_a"]), plain(row["level_b"])


def _simple_effects(inputs: ReportInputs, results: Results) -> pd.DataFrame:
    factors, size, outcome = list(inputs.factors), inputs.smallest_effect, inputs.outcome.name
    if not (results.contrasts["gate"] == Gate.INTERACTION).any():
        return pd.DataFrame()
    rows = results.rows[[*factors, "block", outcome]]
    return simple_effects(rows, factors, outcome, size, results.boundary, rules=results.look.rules)


def _said(
    inputs: ReportInputs,
    results: Results,
    family: pd.DataFrame,
    place: str,
    by_level: Mapping[tuple[str, Any, Any], pd.DataFrame],
) -> list[Said]:
    sentences = about_family(family, setting_of(inputs, results), place, by_level)
    return [
        Said(row=row, sentences=said, by_level=by_level.get(_key(row)))
        for row, said in zip(_records(family), sentences, strict=True)
    ]


def setting_of(inputs: ReportInputs, results: Results) -> Setting:
    """What all sentences of this study share."""
    look, wall = results.look, inputs.seconds.get("wall")
    dataset = inputs.provenance.get("dataset")
    official = bool(dataset.get("official_test", False)) if isinstance(dataset, Mapping) else False
    return Setting(
        epochs=int(inputs.plan["confirm"]["epochs"]),
        stop_early=stops_early(inputs.plan),
        seconds_per_block=None if wall is None else wall / look.num_blocks,
        official_test=official,
        rules=look.rules,
        failed=inputs.outcome.said_of_failures if all_failed(results.rows) else None,
        units={measure.name: measure.unit for measure in inputs.own},
    )


def opening(
    at_best: Sequence[Said], averaged: Sequence[Said], lead: Sequence[Sentence] = ()
) -> list[Sentence]:
    """Two or three sentences for the top of the page, `lead` before those about the factor that the plan names first.

    First the contrast at best (the firmest gate, then the largest difference), then the averaged one; where that
    depends on another factor, the sentence that says so and the level where the difference is largest.
    """
    if not averaged:
        return []
    first = averaged[0].row["factor"]
    chosen = [
        _firmest([said for said in family if said.row["factor"] == first]) for family in (at_best, averaged)
    ]
    sentences = [sentence for said in chosen if said is not None for sentence in _shortened(said)]
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

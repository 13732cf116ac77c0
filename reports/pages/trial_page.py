"""The page of one trial: its configuration, losses, every layer over the epochs, each network's verdicts and why."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from reports.inputs.cube import plain
from reports.inputs.early_stopping import BEST, STOPPED
from reports.inputs.inputs import ReportInputs
from reports.pages.explained import Explained
from reports.pages.exploring import Exploring
from reports.pages.rendering import environment, inline, page_parts, write_csv, write_page
from reports.pages.trial_figures import curves_figure, layers_figure
from reports.plots.style.theme import Theme
from reports.results.looks import look_of, planned_looks
from reports.results.paged import anchor_of, paged_trials
from reports.sections.parts.section import Cell, Column, Table, setting_name
from reports.sections.stability.thresholds import rules_table
from reports.wording.verdict_words import measured_spoken
from reports.wording.words import (
    MISSING,
    count,
    duration,
    factor_name,
    level_name,
    number,
    significant,
    small,
)

WHEN = {"initial": "at initialisation", "trained": "in training"}
NO_DETAILS = "What the verdicts were made from is not recorded"


def write_trial_page(inputs: ReportInputs, number: int, folder: Path) -> Path:
    """Write trials/trial-NUMBER.html with its figures and frames into `folder`; the path of the page.

    Files appear whole or not at all, the page last; apart from `generated_at` the same inputs give the same bytes.
    Raises ValueError for a number that no trial has, OSError where the folder cannot be written.
    """
    if not (inputs.trials["number"] == number).any():
        raise ValueError(f"no trial has the number {number}")
    (own,) = _by_trial(inputs, [number])
    return _write(own, number, folder, paged_trials(inputs.trials))


def write_trial_pages(inputs: ReportInputs, folder: Path) -> list[Path]:
    """Write the pages of the confirm trials that have ended, to which the report leads, as `write_trial_page` does."""
    numbers = paged_trials(inputs.trials)
    pages = zip(_by_trial(inputs, numbers), numbers, strict=True)
    return [_write(own, number, folder, numbers) for own, number in pages]


def _by_trial(inputs: ReportInputs, numbers: Sequence[int]) -> Iterator[ReportInputs]:
    """For each trial the inputs with its networks, epochs and layers alone; long frames are read once for all."""
    kept, places = {}, {}
    for name in ("replicates", "epochs", "gradients"):
        frame = getattr(inputs, name)
        kept[name] = frame.loc[frame["trial_number"].isin(numbers)]
        places[name] = kept[name].groupby("trial_number").indices
    for each in numbers:
        yield replace(
            inputs, **{name: frame.take(places[name].get(each, [])) for name, frame in kept.items()}
        )


def _write(inputs: ReportInputs, number: int, folder: Path, paged: Sequence[int]) -> Path:
    """Write the page of a trial, whose rows alone the inputs hold; `paged` are the trials to which it leads."""
    found = inputs.trials[inputs.trials["number"] == number]
    trial = {str(name): plain(value) for name, value in found.iloc[0].items()}
    layers = inputs.gradients["layer"]
    theme = Theme.of({"layer": tuple(sorted(int(layer) for layer in layers.unique()))})
    figures = [
        figure
        for figure in (curves_figure(inputs, number), layers_figure(inputs, number, theme))
        if figure is not None
    ]
    target = folder / "trials"
    for figure in figures:
        write_page(target / "figures" / f"{figure.slug}.svg", figure.standalone_svg().encode())
        write_csv(target / "frames" / f"{figure.slug}.csv", figure.data)
    classes: dict[str, str] = {}
    exploring = Exploring()
    drawings = {figure.slug: inline(figure, theme, classes, exploring=exploring) for figure in figures}
    replicates = inputs.replicates
    page = (
        environment()
        .get_template("trial.html.j2")
        .render(
            inputs=inputs,
            number=number,
            title=setting_name({name: trial[name] for name in inputs.factors}),
            facts=_facts(trial, inputs),
            confirmed=inputs.has_cells and trial["phase"] == "confirm" and trial["objective"] is not None,
            steps=_steps(inputs, trial, paged),
            error=trial["error"] if isinstance(trial["error"], str) else None,
            figures=figures,
            drawings=drawings,
            exploring=exploring,
            explained=Explained(inputs.plan["thresholds"]),
            configuration=_configuration(inputs, trial),
            networks=_networks(replicates, inputs),
            verdicts=_verdicts(replicates),
            notes=_notes(replicates),
            rules=rules_table(inputs.plan["thresholds"]),
            **page_parts(theme, classes),
        )
    )
    path = target / f"trial-{number}.html"
    write_page(path, page.encode())
    return path


@dataclass(frozen=True, kw_only=True)
class Steps:
    """Where a trial's page leads: the place of the report that leads to it, and the pages before and after it."""

    anchor: str | None
    back: str
    before: tuple[int, str] | None
    after: tuple[int, str] | None


def _steps(inputs: ReportInputs, trial: Mapping[str, Any], paged: Sequence[int]) -> Steps:
    """A search trial has no place in the report, which shows cells and confirmed configurations."""
    number = int(trial["number"])
    if number not in paged:
        return Steps(anchor=None, back="the report", before=None, after=None)
    cells = dict(zip(inputs.trials["number"], inputs.trials["cell"], strict=True))

    def named(place: int) -> tuple[int, str] | None:
        if not 0 <= place < len(paged):
            return None
        of_cell = f"cell {count(cells[paged[place]])}, " if inputs.has_cells else ""
        return paged[place], f"{of_cell}trial {paged[place]}"

    place = paged.index(number)
    cell = int(trial["cell"]) if inputs.has_cells else None
    return Steps(
        anchor=anchor_of(cell=cell, number=number),
        back="the report’s table of all configurations"
        if cell is None
        else f"cell {count(cell)} in the report",
        before=named(place - 1),
        after=named(place + 1),
    )


def _facts(trial: Mapping[str, Any], inputs: ReportInputs) -> list[tuple[str, str]]:
    """What became of the trial, as name and value; what is not recorded is left out."""
    objective = inputs.objective
    known = {name: trial[name] for name in ("cell", "objective", "rung")}
    reason = trial["stop_reason"]
    facts = [
        ("phase", str(trial["phase"])),
        ("look", _look(trial, inputs.plan)),
        ("cell", None if known["cell"] is None else count(known["cell"])),
        ("state", str(trial["state"])),
        ("stopped because of", reason if isinstance(reason, str) else None),
        ("rung", None if known["rung"] is None else count(known["rung"])),
        ("epochs", None if trial["epochs"] is None else count(trial["epochs"])),
        (
            f"objective in the {trial['phase']}{' phase' * (trial['phase'] != 'search')}",
            None if known["objective"] is None else objective.reached(float(known["objective"])),
        ),
        ("attempt", count(trial["attempt"]) if trial["attempt"] is not None else None),
        ("trained for", None if trial["busy_seconds"] is None else duration(float(trial["busy_seconds"]))),
    ]
    return [(name, value) for name, value in facts if value is not None]


def _look(trial: Mapping[str, Any], plan: Mapping[str, Any]) -> str | None:
    """Which planned look a confirm trial is of, and the blocks that it adds; None where a single one is planned."""
    looks = planned_looks(plan)
    if len(looks) == 1 or trial["phase"] != "confirm":
        return None
    place = min(int(look_of(plan, pd.Series([trial["number"]])).iloc[0]), len(looks) - 1)
    first = looks[place - 1] + 1 if place else 1
    return f"{count(place + 1)} of {count(len(looks))}, blocks {count(first)} to {count(looks[place])}"


def _configuration(inputs: ReportInputs, trial: Mapping[str, Any]) -> Table:
    roles = [("factor", name, trial[name]) for name in inputs.factors]
    roles += [("nuisance", name, trial[name]) for name in inputs.plan["nuisances"] if name in trial]
    roles += [("fixed", name, value) for name, value in inputs.plan["fixed"].items()]
    columns = [Column(name=name, is_number=False) for name in ("hyperparameter", "value", "role")]
    rows = [
        [
            Cell(text=factor_name(name)),
            Cell(
                text=small(value, 3) if role == "nuisance" and isinstance(value, float) else level_name(value)
            ),
            Cell(text=role),
        ]
        for role, name, value in roles
    ]
    return Table(caption="Configuration", columns=columns, rows=rows)


_ENDS = {BEST: "best", STOPPED: "stopped after"}
"""What early stopping adds to a network's row."""


def _networks(replicates: pd.DataFrame, inputs: ReportInputs) -> Table:
    """Outcome and scores of every network."""
    scores = _scores_of(inputs, replicates)
    columns = [
        Column(name="network"),
        Column(name="block"),
        Column(name="outcome", is_number=False),
        *(Column(name=head, unit=unit) for _, head, unit, _, _ in scores),
        *(Column(name=name, unit="epoch") for column, name in _ENDS.items() if column in replicates),
    ]
    rows = [
        [
            Cell(text=count(row["replicate"]), value=float(row["replicate"])),
            Cell(text=count(row["block"]), value=float(row["block"])),
            Cell(text=str(row["outcome"])),
            *(
                Cell(text=number(scale * row[name], decimals), value=row[name])
                for name, _, _, scale, decimals in scores
            ),
            *(Cell(text=number(row[name], 0), value=row[name]) for name in _ENDS if name in replicates),
        ]
        for row in _records(replicates)
    ]
    return Table(caption="Its networks", columns=columns, rows=rows)


def _scores_of(inputs: ReportInputs, replicates: pd.DataFrame) -> list[tuple[str, str, str, float, int]]:
    """Of each score of a network: column, heading, unit, the factor it is shown by, and decimals.

    Those of both parts together come last, where networks have them.
    """
    shown = [("loss", "log-loss", "nats", 1.0, 3), ("accuracy", "accuracy", "%", 100.0, 1)]
    if inputs.own:
        shown = [(each.name.removeprefix("test_"), each.kind, each.unit, 1.0, 3) for each in inputs.own]
    return [
        (f"{part}_{name}", f"{spoken} {head}", unit, scale, decimals)
        for part, spoken in (("val", "validation"), ("test", "test"), ("holdout", "validation and test"))
        for name, head, unit, scale, decimals in shown
        if part != "holdout" or _is_scored(replicates, f"{part}_{name}")
    ]


def _is_scored(replicates: pd.DataFrame, name: str) -> bool:
    return name in replicates and bool(replicates[name].notna().any())


def _verdicts(replicates: pd.DataFrame) -> Table:
    """Every network's verdict, the rule that fired with its value, the other rules that hold, and total growth."""
    judged = [
        (row, when, _details(row, when))
        for row in _records(replicates)
        for when in WHEN
        if isinstance(row[f"verdict_{when}"], str)
    ]
    detailed = any(details for _, _, details in judged)
    columns = [
        Column(name="network"),
        Column(name="when", is_number=False),
        Column(name="verdict", is_number=False),
    ]
    if detailed:
        columns += [Column(name=name, is_number=False) for name in ("the rule that fired", "also holds")]
        columns.append(Column(name="total growth"))
    rows = [
        [
            Cell(text=count(row["replicate"]), value=float(row["replicate"])),
            Cell(text=WHEN[when]),
            Cell(text=row[f"verdict_{when}"]),
            *(_fired(details) if detailed else ()),
        ]
        for row, when, details in judged
    ]
    return Table(caption="Its verdicts", columns=columns, rows=rows)


def _fired(details: Mapping[str, Any] | None) -> list[Cell]:
    """The rule that fired, the others that hold, and the total growth farthest from 1 that was held."""
    if details is None:
        return [Cell(text=MISSING)] * 3
    said = [f"{each['verdict']}: {_measured(each)}" for each in details["holds"]]
    first = _measured(details["holds"][0]) if said else "none"
    ends = [details["measures"].get(f"total_growth_{end}") for end in ("low", "high")]
    known = [end for end in ends if end is not None]
    total = max(known, key=lambda end: abs(math.log(end)) if end > 0 else math.inf, default=None)
    return [Cell(text=first), Cell(text="; ".join(said[1:])), Cell(text=significant(total, 3), value=total)]


def _measured(finding: Mapping[str, Any]) -> str:
    return measured_spoken(finding["measure"], finding["value"], finding["threshold"], finding["verdict"])


def _notes(replicates: pd.DataFrame) -> list[str]:
    """Which rules do not apply to some network, and why, each said once; or that no reasons are recorded."""
    rows = _records(replicates)
    details = [found for row in rows for when in WHEN if (found := _details(row, when))]
    if not details and replicates[["verdict_initial", "verdict_trained"]].notna().any(axis=None):
        return [NO_DETAILS]
    return [*dict.fromkeys(note for each in details for note in each["notes"])]


def _details(row: Mapping[str, Any], when: str) -> Mapping[str, Any] | None:
    stored = row.get("verdicts")
    found: Mapping[str, Any] | None = stored.get(when) if isinstance(stored, Mapping) else None
    return found


def _records(frame: pd.DataFrame) -> Sequence[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]

"""First paragraph: what was compared, how it was made fair, and what it cost."""

from __future__ import annotations

from reports.claims.look_by_look import about_looks
from reports.claims.paragraphs.paragraph import Line, Paragraph, line_of, paragraph
from reports.claims.paragraphs.short import clock
from reports.inputs.early_stopping import early_stops, stops_early
from reports.inputs.inputs import ReportInputs
from reports.results.accounting import Accounting
from reports.results.looks import looks_until_clear
from reports.results.results import Results
from reports.wording.phrases import (
    counted,
    data_named,
    epochs_spoken,
    factor_spoken,
    listed,
    networks_named,
    spelled,
)
from reports.wording.words import count, duration, factor_name, level_name, number, plural

_SAMPLERS = {
    "qmc": "a quasi-random sampler",
    "tpe": "the tree-structured Parzen estimator (TPE)",
    "random": "a random sampler",
}
_MIN_BLOCKS = 10


def design(inputs: ReportInputs, results: Results) -> Paragraph:
    """The design and budget of a study, with the numbers as recorded."""
    opening = _compared(inputs, results) if inputs.has_cells else _swept(inputs, results)
    return paragraph(
        [
            *opening,
            _spent(inputs, results.accounting),
            _smallest(inputs),
            _few_blocks(inputs, results),
            line_of(about_looks(inputs, results, briefly=True)),
            _unfinished(inputs, results),
        ]
    )


def _compared(inputs: ReportInputs, results: Results) -> list[Line]:
    plan = inputs.plan
    num_cells = 1
    for levels in inputs.factors.values():
        num_cells *= len(levels)
    search, epochs = plan["search"], int(plan["confirm"]["epochs"])
    blocks = (looks_until_clear(plan) or [results.look.num_blocks])[0]
    nuisances = listed([f"the {factor_name(name)}" for name in plan["nuisances"]])
    in_search = results.accounting.by_phase.query("phase == 'search'")
    stopped, started = int(in_search["pruned"].sum()), int(in_search["started"].sum())
    lines = [
        Line(
            text=f"On {data_named(plan)}, {networks_named(plan)} were compared over {_levels(inputs)}: "
            f"every combination, {counted(num_cells, 'cell', 'cells')} in all.",
            numbers=[plan["factors"], num_cells, plan["dataset"]],
        )
    ]
    if nuisances:
        tried = counted(int(search["trials_per_cell"]), "trial", "trials")
        judged = f"validation {inputs.objective.kind}"
        lines.append(
            Line(
                text=f"To keep the comparison fair, {nuisances} was tuned in {tried} per cell, judged by "
                f"the mean {judged} over all blocks; halving within a cell stopped {count(stopped)} of "
                f"{count(started)} of these early.",
                numbers=[search["trials_per_cell"], stopped, started],
            )
        )
    span = epochs_spoken(epochs, at_most=stops_early(plan))
    trained = f"Each cell was then trained with fresh seeds for {span} in "
    return [
        *lines,
        Line(
            text=f"{trained}{counted(blocks, 'block', 'blocks')}, a block being one data split and set of seeds "
            "shared by all cells; no trial was stopped there, and each test part was read once, at the end.",
            numbers=[epochs, blocks],
        ),
        *_early(inputs, results),
    ]


def _swept(inputs: ReportInputs, results: Results) -> list[Line]:
    plan = inputs.plan
    search, confirm = plan["search"], plan["confirm"]
    spaces = listed([factor_spoken(name) for name in [*plan["factors"], *plan["nuisances"]]])
    sampler = _SAMPLERS.get(str(search["sampler"]), str(search["sampler"]))
    best, epochs, blocks = int(confirm["best"]), int(confirm["epochs"]), int(plan["replicates"])
    span = epochs_spoken(epochs, at_most=stops_early(plan))
    again = (
        "The best configuration was" if best == 1 else f"The best {counted(best, '', 'configurations')} were"
    )
    beside = " beside a stated default" if confirm.get("default") else ""
    where = f" over {spaces}" if spaces else ""
    return [
        Line(
            text=f"On {data_named(plan)}, {count(search['trials'])} trials of {networks_named(plan)} were proposed by "
            f"{sampler}{where}, with halving over all trials.",
            numbers=[search["trials"], plan["dataset"]],
        ),
        Line(
            text=f"{again} then trained again{beside} with fresh seeds for {span} in "
            f"{counted(blocks, 'block', 'blocks')}; an adaptive search visits levels unevenly, so it compares "
            "configurations and never levels.",
            numbers=[best, epochs, blocks],
        ),
        *_early(inputs, results),
    ]


def _early(inputs: ReportInputs, results: Results) -> list[Line]:
    """How many networks of the confirm phase stopped early; nothing without early stopping."""
    record = early_stops(inputs, results.rows)
    if record is None:
        return []
    overall = record["overall"]
    num, of, when = overall["stopped"], overall["networks"], ""
    if num:
        low, high, median = int(overall["low"]), int(overall["high"]), overall["median"]
        spread = f"all after {count(low)}" if low == high else f"from {count(low)} to {count(high)}"
        when = f", after a median of {number(median, int(median % 1 > 0))} epochs ({spread})"
    return [
        Line(
            text=f"Early stopping was on: {count(num)} of {plural(of, 'network')} there stopped before the last epoch"
            f"{when}, and every one was tested with the weights of its best epoch.",
            numbers=[overall],
        )
    ]


def _levels(inputs: ReportInputs) -> str:
    parts = [
        f"{factor_spoken(name)} ({', '.join(level_name(level) for level in levels)})"
        for name, levels in inputs.factors.items()
    ]
    return listed(parts)


def _spent(inputs: ReportInputs, accounting: Accounting) -> Line:
    overall, wall = accounting.overall, inputs.seconds.get("wall")
    took = "" if wall is None else f" in {duration(wall)}"
    losses = [
        f"{plural(int(overall[name]), noun)} {what}"
        for name, noun, what in (
            ("diverged", "network", "diverged"),
            ("failed", "trial", "failed"),
            ("retried", "trial", "tried again"),
        )
        if overall[name]
    ]
    ended = f"; {listed(losses)}" if losses else "; none diverged or failed"
    return Line(
        text=f"That took {count(overall['networks'])} networks and {count(overall['epochs'])} epochs of one network"
        f"{took}{ended}.",
        numbers=[overall, clock(wall)],
    )


def _smallest(inputs: ReportInputs) -> Line | None:
    effect, outcome = inputs.smallest_effect, inputs.outcome
    if not inputs.has_cells:
        return None
    if effect is None:
        return Line(
            text=f"The plan names no smallest effect of interest for {outcome.title}, so no difference is called "
            "practically equal, or larger than matters."
        )
    return Line(
        text=f"The plan, frozen before the first trial, names {outcome.amount(effect)} as the smallest "
        "effect of interest.",
        numbers=[effect],
    )


def _few_blocks(inputs: ReportInputs, results: Results) -> Line | None:
    blocks = results.look.num_blocks
    if blocks >= _MIN_BLOCKS or not inputs.has_cells:
        return None
    floor = min(1.0, 2 / 2**blocks)
    return Line(
        text=f"With {counted(blocks, 'block', 'blocks')} it describes and claims nothing: claims need "
        f"{spelled(_MIN_BLOCKS)}, for with {spelled(blocks)} the exact sign-flip p value cannot fall below "
        f"{floor:.3g}.",
        numbers=[blocks, floor],
    )


def _unfinished(inputs: ReportInputs, results: Results) -> Line | None:
    if inputs.is_complete:
        return None
    overall = results.accounting.overall
    ended = overall["complete"] + overall["pruned"] + overall["failed"]
    claims = "claims are those of the last whole look" if results.look.number else "every claim is withheld"
    return Line(
        text=f"The study is not finished ({inputs.state}): {count(ended)} of {count(overall['planned'])} trials "
        f"have ended, and {claims}.",
        numbers=[ended, overall["planned"]],
    )

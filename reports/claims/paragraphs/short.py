"""The analysis to hand in: three short paragraphs of plain sentences, none of more than 25 words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import prod
from typing import Any

from reports.claims.paragraphs.limits import boundary_levels, unstable_levels
from reports.claims.paragraphs.paragraph import Line, Paragraph, paragraph
from reports.claims.plain_words import Verdict, named, scored
from reports.inputs.early_stopping import stops_early
from reports.inputs.inputs import ReportInputs
from reports.results.best import nothing_to_take
from reports.results.looks import looks_until_clear
from reports.results.outcomes import all_failed
from reports.results.results import Results
from reports.results.sufficiency import median_accuracy
from reports.stability.classes import STABLE, UNSTABLE, WATCH, classes
from reports.statistics.gates import Rules
from reports.wording.phrases import (
    capital,
    condition,
    configuration,
    counted,
    data_named,
    epochs_spoken,
    listed,
    networks_named,
)
from reports.wording.words import count, duration, factor_name, level_name, number, percent, plural, small

MOST_WORDS = 25


def short_analysis(
    inputs: ReportInputs, results: Results, answer: Verdict, best: Mapping[str, Any] | None
) -> tuple[Paragraph, Paragraph, Paragraph]:
    """Design and budget; performance, as the verdict has it; stability and limits."""
    return (
        paragraph(_kept([*_design(inputs, results), _spent(inputs, results), _state(inputs, results)])),
        paragraph(_kept([*_answered(answer), *_best(inputs, best)])),
        paragraph(_kept(_stability_and_limits(inputs, results))),
    )


def num_words(sentence: str) -> int:
    """How many words a sentence has; numbers and signs count as they are set apart by spaces."""
    return len(sentence.split())


def _kept(lines: Iterable[Line | None]) -> list[Line]:
    """The sentences that are short enough; a longer one, which only long names make, is left to the page."""
    return [line for line in lines if line is not None and num_words(line.text) <= MOST_WORDS]


def _design(inputs: ReportInputs, results: Results) -> list[Line | None]:
    plan = inputs.plan
    what = Line(
        text=f"This study trained {networks_named(plan)} on {data_named(plan)}.", numbers=[plan["dataset"]]
    )
    if not inputs.has_cells:
        return [what, *_swept(inputs)]
    num, blocks = (
        prod(len(levels) for levels in inputs.factors.values()),
        (looks_until_clear(plan) or [results.look.num_blocks])[0],
    )
    tuned = listed([f"the {factor_name(name)}" for name in plan["nuisances"]])
    trials, epochs = int(plan["search"]["trials_per_cell"]), int(plan["confirm"]["epochs"])
    return [
        what,
        *_factors(inputs),
        Line(
            text=f"All {counted(num, 'combination', 'combinations')} were trained."
            if num > 1
            else "A single configuration was trained.",
            numbers=[num],
        ),
        Line(
            text=f"For a fair comparison, {tuned} was tuned in each combination with "
            f"{counted(trials, 'trial', 'trials')}.",
            numbers=[trials],
        )
        if tuned
        else None,
        Line(
            text="Each was then trained again with fresh seeds for "
            f"{epochs_spoken(epochs, at_most=stops_early(plan))}, "
            f"on {counted(blocks, 'split', 'different splits')} of the data.",
            numbers=[epochs, blocks],
        ),
        Line(text="All combinations share these splits, and each test part was read once, at the end."),
        _more(results),
    ]


def _more(results: Results) -> Line | None:
    """How far later looks went."""
    if results.look.number < 2:
        return None
    most = results.look.num_blocks
    return Line(text=f"Where no answer was clear, training went on, up to {most} splits.", numbers=[most])


def _factors(inputs: ReportInputs) -> list[Line]:
    """The factors with their levels, in as few sentences as hold them."""
    lines, parts = list[Line](), list[str]()
    for name, levels in inputs.factors.items():
        part = f"{named(name)} ({', '.join(level_name(level) for level in levels)})"
        if num_words(part) > MOST_WORDS - 3:
            part = f"{named(name)} ({count(len(levels))} levels)"
        if parts and num_words(_varied([*parts, part])) > MOST_WORDS:
            lines.append(_factor_line(inputs, parts))
            parts = []
        parts.append(part)
    return [*lines, _factor_line(inputs, parts)] if parts else lines


def _factor_line(inputs: ReportInputs, parts: Sequence[str]) -> Line:
    numbers = [[*inputs.factors.values()], [len(levels) for levels in inputs.factors.values()]]
    return Line(text=_varied(parts), numbers=numbers)


def _varied(parts: Sequence[str]) -> str:
    return f"{capital(listed(parts))} {'was' if len(parts) == 1 else 'were'} varied."


def _swept(inputs: ReportInputs) -> list[Line | None]:
    plan = inputs.plan
    trials, best = int(plan["search"]["trials"]), int(plan["confirm"]["best"])
    epochs, blocks = int(plan["confirm"]["epochs"]), int(plan["replicates"])
    beside = ", beside a stated default," if plan["confirm"].get("default") else ""
    again = "The best one was" if best == 1 else f"The best {counted(best, '', 'configurations')} were"
    return [
        Line(text=f"One search over all settings tried {count(trials)} configurations.", numbers=[trials]),
        Line(
            text=f"{again} trained again{beside} for {epochs_spoken(epochs, at_most=stops_early(plan))} on "
            f"{counted(blocks, 'split', 'splits')} of the data, with fresh seeds.",
            numbers=[best, epochs, blocks],
        ),
    ]


def _spent(inputs: ReportInputs, results: Results) -> Line:
    overall, wall = results.accounting.overall, inputs.seconds.get("wall")
    took = "" if wall is None else f" in {duration(wall)}"
    lost = f"; {plural(int(overall['diverged']), 'network')} diverged" if overall["diverged"] else ""
    return Line(
        text=f"That took {plural(int(overall['networks']), 'network')} and {plural(int(overall['epochs']), 'epoch')}"
        f"{took}{lost}.",
        numbers=[overall, clock(wall)],
    )


def clock(seconds: float | None) -> list[float]:
    """The parts that a duration is printed in: hours, minutes and seconds, a long one in days and hours."""
    if seconds is None:
        return []
    whole = round(seconds)
    days = [whole // 86_400, whole // 3600 % 24] if whole >= 3 * 86_400 else []
    return [*days, whole // 3600, whole % 3600 // 60, whole % 60, seconds]


def _state(inputs: ReportInputs, results: Results) -> Line | None:
    """Said of a study that has not ended."""
    if inputs.is_complete:
        return None
    overall = results.accounting.overall
    ended = overall["complete"] + overall["pruned"] + overall["failed"]
    return Line(
        text=f"The study is not finished: {count(ended)} of {plural(int(overall['planned']), 'trial')} have ended.",
        numbers=[ended, overall["planned"]],
    )


def _answered(answer: Verdict) -> list[Line]:
    """The verdict and its facts, sentence by sentence."""
    return [Line(text=text, numbers=answer.numbers) for text in answer.short]


def _best(inputs: ReportInputs, best: Mapping[str, Any] | None) -> list[Line | None]:
    outcome = inputs.outcome
    if best is None or best.get(outcome.name) is None or nothing_to_take(best) or not inputs.has_cells:
        return []
    levels = {name: level for name, level in best["params"].items() if name in inputs.factors}
    tuned = {name: level for name, level in best["params"].items() if name not in inputs.factors}
    what = configuration(levels) or "the only one"
    rest = listed(
        [
            f"the {factor_name(name)} {small(value) if isinstance(value, float) else value}"
            for name, value in tuned.items()
        ]
    )
    score, splits = scored(inputs, best), counted(best["num_blocks"], "split", "splits")
    numbers = [best["params"], [float(f"{each:.2g}") for each in tuned.values() if isinstance(each, float)]]
    beside = "" if inputs.own else f", with a {outcome.title} of {number(best[outcome.name])}"
    return [
        Line(text=f"By its validation scores, the configuration to take is {what}.", numbers=numbers),
        Line(text=f"Its tuned settings: {rest}.", numbers=numbers) if rest else None,
        Line(
            text=f"On the test parts of {splits}, it reaches {score.text}{beside}.",
            numbers=[best["num_blocks"], *score.numbers, best[outcome.name], best.get("test_loss")],
        ),
    ]


def _stability_and_limits(inputs: ReportInputs, results: Results) -> list[Line | None]:
    return [
        _classes(inputs),
        _unstable(inputs),
        _growth(results),
        _improving(inputs, results),
        _saturated(results),
        _at_the_end(results),
        Line(text="Statements hold for the learning rates that were tried, and for this budget.")
        if "learning_rate" in inputs.plan["nuisances"]
        else None,
        Line(
            text="Digits of 8 x 8 pixels show the mechanics only; convolutions show their worth on larger pictures.",
            numbers=[8],
        )
        if inputs.plan.get("model") == "cnn" and inputs.plan["dataset"] == "digits"
        else None,
        Line(
            text=f"Other data than {data_named(inputs.plan)}, other models and other fixed settings were not tested.",
            numbers=[inputs.plan["dataset"]],
        ),
    ]


def _classes(inputs: ReportInputs) -> Line | None:
    """How many confirmed networks were stable, on watch and unstable."""
    confirmed = inputs.replicates[inputs.replicates["phase"] == "confirm"]
    if confirmed.empty or confirmed["verdict_trained"].isna().all():
        return None
    found = classes(confirmed)
    stable, watch, unstable = (found.counts[name] for name in (STABLE, WATCH, UNSTABLE))
    return Line(
        text=f"By gradients and losses, {count(stable)} of {plural(found.num, 'network')} trained stably, "
        f"{count(unstable)} did not, and {count(watch)} came close to instability.",
        numbers=[found.num, dict(found.counts)],
    )


def _unstable(inputs: ReportInputs) -> Line | None:
    """The shares of unstable networks by the levels that differ most in them."""
    found = unstable_levels(inputs)
    if found is None:
        return None
    factor, shares = found
    parts = [f"{percent(share)} {condition(factor, level)}" for level, share in shares.items()]
    line = Line(text=f"Unstable were {listed(parts)}.", numbers=[[*shares], [*shares.values()]])
    if num_words(line.text) <= MOST_WORDS:
        return line
    low, high = min(shares.values()), max(shares.values())
    return Line(
        text=f"By {named(factor)}, between {percent(low)} and {percent(high)} were unstable.",
        numbers=[low, high],
    )


def _growth(results: Results) -> Line | None:
    """How far gradients grow per layer at the start."""
    if results.theory.empty:
        return None
    measured = results.theory["measured"].dropna()
    if measured.empty:
        return None
    low, high = float(measured.min()), float(measured.max())
    return Line(
        text=f"At the start, gradients grow toward the input by a factor of {number(low, 2)} to {number(high, 2)} a "
        "layer.",
        numbers=[low, high],
    )


def _improving(inputs: ReportInputs, results: Results) -> Line | None:
    table = results.improving
    if not inputs.has_cells or table.empty or all_failed(results.rows):
        return None
    epochs = epochs_spoken(int(inputs.plan["confirm"]["epochs"]), at_most=stops_early(inputs.plan))
    found = table[table["share"] > Rules().budget_share]
    numbers = [inputs.plan["confirm"]["epochs"], list(found["level"])]
    if found.empty:
        return Line(text=f"After {epochs}, networks had stopped improving at every level.", numbers=numbers)
    where = listed([condition(row["factor"], row["level"]) for row in found.to_dict("records")])
    text = f"After {epochs}, networks still improved {where}; more training could change the comparison."
    if len(found) == len(table) or num_words(text) > MOST_WORDS:
        at = "every level" if len(found) == len(table) else "many levels"
        text = f"After {epochs}, networks still improved at {at}; more training could change the comparison."
    return Line(text=text, numbers=numbers)


def _saturated(results: Results) -> Line | None:
    median = median_accuracy(results.rows)
    if not median > Rules().saturated_accuracy:
        return None
    return Line(
        text=f"Half of the networks are right in more than {percent(median)}, so log-loss is compared.",
        numbers=[median],
    )


def _at_the_end(results: Results) -> Line | None:
    """BOUNDARY in plain words."""
    places = boundary_levels(results)
    if not places:
        return None
    where = listed([condition(factor, level) for factor, level in places])
    text = f"Chosen learning rates lie at the end of their range {where}; a wider range could change that."
    if num_words(text) > MOST_WORDS:
        text = "Many chosen learning rates lie at the end of their range; a wider range could change the comparison."
    return Line(text=text, numbers=[level for _, level in places])

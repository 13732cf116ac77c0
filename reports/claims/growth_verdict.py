"""The verdict of a study that asks about gradients: where they vanish or explode at the start, and what helps it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from reports.claims.answers import CLAIMS, Said, records
from reports.claims.plain_words import (
    HERE,
    NO,
    OPEN,
    PARTLY,
    YES,
    Spoken,
    Verdict,
    assembled,
    either,
    joined,
    named,
)
from reports.inputs.cube import plain
from reports.inputs.inputs import ReportInputs
from reports.results.comparisons import GROWTH
from reports.results.results import Results
from reports.statistics.families import ErrorShares
from reports.statistics.gates import Gate
from reports.wording.phrases import capital, condition, epochs_spoken, factor_spoken, listed
from reports.wording.words import count, number, percent, small

VANISHING, EXPLODING, UNTRAINED = "VANISHING", "EXPLODING", "UNTRAINED"
MOST_LEVELS = 4
HELPS, HURTS, MIXED, UNSURE, EARLY = "helps", "hurts", "mixed", "unclear", "early"


def asks_about_growth(inputs: ReportInputs) -> bool:
    """Whether the plan gives the growth of gradients the largest share of the error rate: then that is the question."""
    shares = asdict(ErrorShares.of(inputs.plan))
    return inputs.has_cells and all(
        shares["growth"] > share for name, share in shares.items() if name != "growth"
    )


def growth_verdict(inputs: ReportInputs, results: Results, growth: Sequence[Said]) -> Verdict:
    """Answer what makes gradients vanish or explode at the start, and whether what can be switched on helps.

    Shares of networks and factors of growth describe; that a setting changes growth, or that a switch brings it nearer
    to 1, is said where the family of growth licenses it.
    """
    start = _start(results)
    switches = {name: _levels(inputs, name) for name in inputs.factors if _is_switch(inputs, name)}
    cures = {name: _cure([said for said in growth if said.row["factor"] == name], start) for name in switches}
    settings = [name for name in inputs.factors if name not in switches]
    changing = sorted(
        (name for name in settings if _size(growth, name) > 0), key=lambda name: -_size(growth, name)
    )
    sentences = [
        _overall(inputs),
        _changed_by(changing, settings, growth),
        *(_told(results, name, levels, cures[name]) for name, levels in switches.items()),
    ]
    leading = next(iter(changing), None)
    facts = [
        _factors(start, leading, inputs) if leading else Spoken(text=""),
        _by_levels(results, inputs, settings[:3]),
        _untrained(inputs),
    ]
    return assembled(sentences, facts, _status(cures, changing), _picture(results))


def _picture(results: Results) -> str | None:
    return "verdicts" if len(results.verdicts) else "gradient_flow_initial"


def _levels(inputs: ReportInputs, name: str) -> tuple[Any, Any]:
    """Off and on of a switch; of one with several kinds the last."""
    levels = [plain(level) for level in inputs.factors[name]]
    return levels[0], levels[-1]


def _is_switch(inputs: ReportInputs, name: str) -> bool:
    levels = [plain(level) for level in inputs.factors[name]]
    return len(levels) > 1 and (levels == [False, True] or levels[0] == "none")


def _start(results: Results) -> pd.DataFrame:
    """Growth at initialisation of the networks that families other than at best use."""
    grown = results.growths
    first = set(results.first_rows["trial_number"])
    return grown[(grown["epoch"] == 0) & grown["trial_number"].isin(first)]


def _mean(start: pd.DataFrame, where: Mapping[str, Any]) -> float:
    there = start
    for name, level in where.items():
        there = there[[plain(value) == plain(level) for value in there[name]]]
    return float(there[GROWTH].mean())


def _claimed(said: Said) -> list[Mapping[str, Any]]:
    """The differences claimed of a contrast: its own, or those at single levels where it depends on another factor."""
    rows = [said.row] if said.by_level is None else records(said.by_level)
    return [row for row in rows if row["gate"] in CLAIMS]


def _size(growth: Sequence[Said], factor: str) -> float:
    """The largest claimed difference of a factor; 0 without any."""
    rows = [row for said in growth if said.row["factor"] == factor for row in _claimed(said)]
    return max((abs(float(row["estimate"])) for row in rows), default=0.0)


def _cure(growth: Sequence[Said], start: pd.DataFrame) -> str:
    """Whether what is claimed of a switch brings growth nearer to 1."""
    toward = away = 0
    for row in [row for said in growth for row in _claimed(said)]:
        at = {row["by"]: row["by_level"]} if "by" in row else {}
        off, on = (_mean(start, {row["factor"]: row[name], **at}) for name in ("level_a", "level_b"))
        is_nearer = abs(on) < abs(off)
        toward, away = toward + is_nearer, away + (not is_nearer)
    if toward and away:
        return MIXED
    if toward or away:
        return HELPS if toward else HURTS
    gates = {said.row["gate"] for said in growth}
    return EARLY if Gate.INDICATED in gates else UNSURE


def _status(cures: Mapping[str, str], changing: Sequence[str]) -> str:
    kinds = set(cures.values())
    if not kinds:
        return YES if changing else OPEN
    if kinds == {HELPS}:
        return YES
    if kinds <= {UNSURE, EARLY}:
        return OPEN
    return NO if kinds == {HURTS} else PARTLY


def _overall(inputs: ReportInputs) -> Spoken:
    """How many networks start with vanishing and with exploding gradients."""
    known = _judged(inputs, "verdict_initial")
    if not len(known):
        return Spoken(text="")
    vanishing, exploding = (float((known == name).mean()) for name in (VANISHING, EXPLODING))
    return Spoken(
        text=f"At the start of training gradients vanish in {percent(vanishing, 0)} of the networks and explode in "
        f"{percent(exploding, 0)}.",
        numbers=[vanishing, exploding],
    )


def _judged(inputs: ReportInputs, column: str) -> pd.Series[Any]:
    confirm = inputs.replicates[inputs.replicates["phase"] == "confirm"]
    judged: pd.Series[Any] = confirm[column].dropna()
    return judged


def _changed_by(changing: Sequence[str], settings: Sequence[str], growth: Sequence[Said]) -> Spoken:
    """Which settings change how gradients grow."""
    if not settings:
        return Spoken(text="")
    if any(said.row["gate"] == Gate.INDICATED for said in growth) and not changing:
        return Spoken(text=f"It is too early to say whether {either(settings)} makes that happen.")
    if not changing:
        return Spoken(text=f"It is not clear whether {either(settings)} makes that happen.")
    changes = "changes" if len(changing) == 1 else "change"
    rest = [name for name in settings if name not in changing]
    tail = f"; whether {either(rest)} does is not clear" if rest else ""
    names = listed([named(name) for name in changing])
    return Spoken(text=f"{capital(f'{HERE}, {names}')} {changes} how gradients grow{tail}.")


def _told(results: Results, name: str, levels: tuple[Any, Any], cure: str) -> Spoken:
    """What a switch does to it, with the shares of networks with and without."""
    what, is_many = factor_spoken(name), name == "residual"
    help_, them = ("help", "them") if is_many else ("helps", "it")
    text = {
        HELPS: f"{what} {help_} against it",
        HURTS: f"{what} {'make' if is_many else 'makes'} it worse",
        MIXED: f"{what} {help_} against it in some settings and {'make' if is_many else 'makes'} it worse in others",
        UNSURE: f"it is not clear whether {what} {help_} against it",
        EARLY: f"it is too early to say whether {what} {help_} against it",
    }[cure]
    off, on = (_share(results, name, level) for level in levels)
    if off is None or on is None:
        return Spoken(text=f"{capital(text)}.")
    shares = (
        f"gradients vanish or explode in {percent(off, 0)} of networks without {them}, {percent(on, 0)} with"
    )
    return Spoken(text=f"{capital(text)}: {shares}.", numbers=[off, on])


def _share(results: Results, name: str, level: Any) -> float | None:
    """The share of networks of a level that start with vanishing or exploding gradients."""
    table = results.verdicts
    there = table[(table["when"] == "initial") & (table["factor"] == name)]
    there = there[[plain(each) == plain(level) for each in there["level"]]]
    if there.empty:
        return None
    return float(there.loc[there["verdict"].isin((VANISHING, EXPLODING)), "share"].sum())


def _factors(start: pd.DataFrame, name: str, inputs: ReportInputs) -> Spoken:
    """By what factor gradients grow from the last hidden layer to the first, by level."""
    levels = [plain(level) for level in inputs.factors[name]][:MOST_LEVELS]
    means = [math.exp(max(-700.0, min(700.0, _mean(start, {name: level})))) for level in levels]
    if not all(map(math.isfinite, means)):
        return Spoken(text="")
    parts = [f"{_times(mean)} {condition(name, level)}" for level, mean in zip(levels, means, strict=True)]
    return Spoken(
        text="From the last hidden layer to the first, gradients grow on average (geometric mean; 1 is neither growth "
        f"nor loss) by a factor of {listed(parts)}.",
        numbers=[*levels, *means, *map(_rounded, means)],
    )


def _times(factor: float) -> str:
    if 1e-3 <= factor < 10:
        return number(factor, 2) if factor >= 0.1 else small(factor)
    return count(round(factor)) if 10 <= factor < 1e5 else small(factor)


def _rounded(factor: float) -> float:
    return float(f"{factor:.2g}")


def _by_levels(results: Results, inputs: ReportInputs, names: Sequence[str]) -> Spoken:
    """In how many networks gradients vanish or explode, by level of these factors."""
    parts = [each for name in names if (each := _by_level(results, inputs, name)).text]
    whole = joined(parts, "; in ")
    return Spoken(
        text=f"Gradients vanish or explode in {whole.text}." if parts else "", numbers=whole.numbers
    )


def _by_level(results: Results, inputs: ReportInputs, name: str) -> Spoken:
    levels = [plain(level) for level in inputs.factors[name]][:MOST_LEVELS]
    shares = [(level, share) for level in levels if (share := _share(results, name, level)) is not None]
    if not shares:
        return Spoken(text="")
    parts = [f"{percent(share, 0)} {condition(name, level)}" for level, share in shares]
    return Spoken(text=listed(parts), numbers=[each for pair in shares for each in pair])


def _untrained(inputs: ReportInputs) -> Spoken:
    """How many networks learned nothing."""
    known = _judged(inputs, "verdict_trained")
    if not len(known):
        return Spoken(text="")
    if not (known == UNTRAINED).any():
        return Spoken(text="")
    share, epochs = float((known == UNTRAINED).mean()), int(inputs.plan["confirm"]["epochs"])
    return Spoken(
        text=f"After {epochs_spoken(epochs)}, {percent(share, 0)} of the networks had learned nothing.",
        numbers=[share, epochs],
    )

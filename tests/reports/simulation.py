"""Many studies at once with a known truth, pushed through the gates and, where asked, through the text itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

from reports.claims.claims import Setting, about_contrast
from reports.inputs.cube import Cube, pairs_to_compare
from reports.statistics.contrasts import contrast_family, gate_family, simple_family
from reports.statistics.families import ErrorShares, Family
from reports.statistics.gates import Rules
from tests.reports.balanced import DEPTH_STUDY

Floats = npt.NDArray[np.float64]
SHAPE = tuple(len(levels) for levels in DEPTH_STUDY.values())
CLAIMS = {
    "direction": re.compile(r"\bis (higher|lower) by\b"),
    "higher": re.compile(r"\bis higher by\b"),
    "lower": re.compile(r"\bis lower by\b"),
    "meaningful": re.compile(r"\bexceeding the smallest effect\b"),
    "equivalent": re.compile(r"\bpractically equal\b"),
}
_SETTING = Setting(epochs=18)


def weights() -> tuple[list[tuple[str, Any, Any]], Floats]:
    """The contrasts of `depth_study` averaged over cells, and their weights over the flattened cells."""
    cells = np.arange(np.prod(SHAPE)).reshape(SHAPE)
    names, rows = [], []
    for axis, (factor, levels) in enumerate(DEPTH_STUDY.items()):
        for level_a, level_b in pairs_to_compare(list(levels)):
            row = np.zeros(cells.size)
            for level, sign in ((level_b, 1), (level_a, -1)):
                there = np.take(cells, list(levels).index(level), axis=axis).ravel()
                row[there] = sign / len(there)
            names.append((factor, level_a, level_b))
            rows.append(row)
    return names, np.stack(rows)


def noise(num: int, num_blocks: int, generator: np.random.Generator, sd: float = 1.0) -> Floats:
    """Outcomes of `num` studies of 54 cells, shape (studies, cells, blocks): block effects and cell noise."""
    blocks = generator.normal(0, 2 * sd, (num, 1, num_blocks))
    return blocks + generator.normal(0, sd, (num, int(np.prod(SHAPE)), num_blocks))


def sentences(
    differences: Floats,
    names: Sequence[tuple[str, Any, Any]],
    smallest_effect: float | None,
    rules: Rules | None = None,
) -> str:
    """Everything a report says about one family of contrasts, given as block differences (contrasts, blocks)."""
    family = [_row(name, values) for name, values in zip(names, differences, strict=True)]
    rows = gate_family(family, smallest_effect, rules or Rules())
    return " ".join(sentence.text for row in rows for sentence in about_contrast(row, _SETTING))


def _row(name: tuple[str, Any, Any], differences: Floats) -> dict[str, Any]:
    return {
        **dict(zip(("factor", "level_a", "level_b"), name, strict=True)),
        "differences": differences,
        "outcome": "test_loss",
        "complete": True,
        "constant": False,
        "boundary": False,
        "interacts_with": None,
        "reverses": False,
    }


def whole_answer(outcomes: Floats, smallest_effect: float) -> str:
    """What a report says about one study of 54 cells (cells, blocks), simple effects of interactions included."""
    table = Cube(
        values=outcomes.reshape(*SHAPE, -1),
        factors={name: tuple(levels) for name, levels in DEPTH_STUDY.items()},
        blocks=tuple(range(outcomes.shape[-1])),
        outcome="test_loss",
    )
    rules, factors = Rules(), list(DEPTH_STUDY)
    shares = ErrorShares()
    averages = contrast_family(table, factors, smallest_effect, None, rules)
    counted = Family(share=shares.averages, num_hypotheses=len(averages))
    rows = gate_family(averages, smallest_effect, rules, counted)
    said = [row for row in rows if row["gate"] != "INTERACTION"]
    opened = {(row["factor"], row["level_b"], row["interacts_with"]) for row in rows if row not in said}
    if opened:
        effects = simple_family(table, factors, None, rules)
        counted = Family(share=shares.simple_effects, num_hypotheses=len(effects))
        simple = gate_family(effects, smallest_effect, rules, counted)
        said += [row for row in simple if (row["factor"], row["level_b"], row["by"]) in opened]
    return " ".join(sentence.text for row in said for sentence in about_contrast(row, _SETTING))


def share_claiming(texts: Sequence[str], *claims: str) -> float:
    """Share of texts that make at least one of the claims."""
    return float(np.mean([any(CLAIMS[claim].search(text) for claim in claims) for text in texts]))


def effect_of_power(power: float, num_blocks: int, alpha: float = 0.05) -> float:
    """The effect, in standard deviations of block differences, that a two-sided t test finds with that power."""
    critical = stats.t.ppf(1 - alpha / 2, num_blocks - 1)

    def excess(effect: float) -> float:
        shift = effect * np.sqrt(num_blocks)
        return float(
            stats.nct.sf(critical, num_blocks - 1, shift)
            + np.nan_to_num(stats.nct.cdf(-critical, num_blocks - 1, shift))  # NaN where it is next to 0
            - power
        )

    return float(optimize.brentq(excess, 0.1, 3.0))


def searched(
    num: int,
    generator: np.random.Generator,
    *,
    seeds_per_choice: int,
    num_cells: int = 18,
    num_blocks: int = 10,
) -> Floats:
    """Block differences (studies, blocks) of two equal levels whose cells each chose one of six rates by search.

    Each cell's loss is a parabola over the logarithm of the rate with its own optimum, and 0 at the best rate tried;
    the choice sees the mean of `seeds_per_choice` noisy runs, the ten confirming runs are fresh.
    """
    shape = (num, 2, num_cells)
    rates = np.linspace(-1, 1, 6)
    loss = 16 * (rates - generator.uniform(-0.6, 0.6, (*shape, 1))) ** 2
    loss -= loss.min(axis=-1, keepdims=True)
    seen = loss + generator.normal(0, 1 / np.sqrt(seeds_per_choice), loss.shape)
    chosen = np.take_along_axis(loss, seen.argmin(axis=-1)[..., None], axis=-1)
    runs = chosen + generator.normal(0, 1, (*shape, num_blocks))
    return np.asarray((runs[:, 1] - runs[:, 0]).mean(axis=1))


def survivors(
    num: int, generator: np.random.Generator, effect: float, num_trials: int = 200
) -> tuple[Floats, Floats]:
    """Estimates of a level's effect from all trials and from the third that one ASHA over both levels keeps."""
    level = np.arange(num_trials) % 2
    final = generator.normal(0, 2, (num, num_trials)) + effect * level
    early = final + generator.normal(0, 1, final.shape)
    kept = early.argsort(axis=1).argsort(axis=1) < num_trials // 3

    def contrast(included: npt.NDArray[np.bool_]) -> Floats:
        means = [
            np.where(included & (level == side), final, 0).sum(axis=1)
            / (included & (level == side)).sum(axis=1)
            for side in (0, 1)
        ]
        return np.asarray(means[1] - means[0])

    return contrast(np.ones_like(kept)), contrast(kept)


def covered(low: Floats, high: Floats, truth: float) -> float:
    """Share of intervals that hold the truth."""
    return float(((low <= truth) & (truth <= high)).mean())

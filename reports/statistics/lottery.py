"""The seed lottery: what a sweep with one network per configuration would have told, drawn again and again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from reports.inputs.cube import Cube, Floats, cube, pairs_to_compare


@dataclass(frozen=True, kw_only=True)
class Lottery:
    """What single-seed sweeps drawn from the recorded networks would have said.

    - `winner`: the configuration with the lowest mean over all its blocks, as levels
    - `share_other`: share of draws that crown another one
    - `crowned`: one row per configuration: its levels, mean, share of draws won; most often crowned first
    - `signs`: factor, level_a, level_b, estimate (over all blocks), share_wrong (draws whose difference has the
      other sign; NaN where the estimate is 0 or undefined), averaged over the other factors' cells
    - `signs_at_best`: the same for each level's lowest configuration: of the sweep, and of the means over all blocks
    """

    outcome: str
    num_draws: int
    seed: int
    winner: Mapping[str, Any]
    share_other: float
    crowned: pd.DataFrame
    signs: pd.DataFrame
    signs_at_best: pd.DataFrame

    def to_dict(self, most: int = 10) -> dict[str, Any]:
        """For report.json: all shares, and the configurations crowned most often."""
        return {
            "outcome": self.outcome,
            "num_draws": self.num_draws,
            "seed": self.seed,
            "winner": dict(self.winner),
            "share_other": self.share_other,
            "num_crowned": int((self.crowned["share"] > 0).sum()),
            "crowned": self.crowned.head(most).to_dict("records"),
            "signs": self.signs.to_dict("records"),
            "signs_at_best": self.signs_at_best.to_dict("records"),
        }


def lottery(
    frame: pd.DataFrame, factors: Sequence[str], outcome: str, num_draws: int = 10_000, seed: int = 0
) -> Lottery | None:
    """Draw one recorded network per configuration, crown the lowest outcome, compare levels; `num_draws` times.

    `frame` as for `comparison.contrasts`; lower is better. Draws are independent between configurations, as they
    would be with a seed each; equal outcomes share the crown by chance. A network that is missing is not drawn, a
    configuration without any takes no part. None where no configuration has a network.
    """
    table = cube(frame, outcome)
    flat = table.flat
    if not np.isfinite(flat).any():
        return None
    generator = np.random.default_rng(seed)
    drawn = _draw(flat, num_draws, generator)
    means = _means(flat)
    winner = int(np.nanargmin(means))
    shares = np.bincount(_crown(drawn, generator), minlength=len(flat)) / num_draws
    return Lottery(
        outcome=outcome,
        num_draws=num_draws,
        seed=seed,
        winner=_levels(table, winner),
        share_other=float(1 - shares[winner]),
        crowned=_crowned(table, means, shares),
        signs=_signs(table, drawn, factors, _sign),
        signs_at_best=_signs(table, drawn, factors, _sign_at_best),
    )


def _draw(flat: Floats, num_draws: int, generator: np.random.Generator) -> Floats:
    """One finite value per row and draw, shape (draws, rows); NaN for a row without."""
    present = np.isfinite(flat)
    first = np.take_along_axis(flat, np.argsort(~present, axis=1, kind="stable"), axis=1)
    counts = present.sum(axis=1)
    places = (generator.random((num_draws, len(flat))) * counts).astype(np.intp)
    return np.asarray(first[np.arange(len(flat))[None, :], places])


def _means(flat: Floats) -> Floats:
    counts = np.isfinite(flat).sum(axis=1)
    sums = np.where(np.isfinite(flat), flat, 0.0).sum(axis=1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _crown(drawn: Floats, generator: np.random.Generator) -> np.ndarray[Any, Any]:
    lowest = np.nanmin(drawn, axis=1, keepdims=True)
    tickets = np.where(drawn == lowest, generator.random(drawn.shape), -1.0)
    return np.asarray(tickets.argmax(axis=1))


def _levels(table: Cube, place: int) -> dict[str, Any]:
    shape = table.values.shape[:-1]
    positions = np.unravel_index(place, shape) if shape else ()
    return {
        name: levels[int(position)]
        for (name, levels), position in zip(table.factors.items(), positions, strict=True)
    }


def _crowned(table: Cube, means: Floats, shares: Floats) -> pd.DataFrame:
    rows = [
        {**_levels(table, place), "mean": float(means[place]), "share": float(shares[place])}
        for place in np.lexsort((means, -shares))
        if np.isfinite(means[place])
    ]
    return pd.DataFrame(rows, columns=[*table.factors, "mean", "share"])


def _signs(
    table: Cube,
    drawn: Floats,
    factors: Sequence[str],
    sign: Callable[[Cube, Cube, str, tuple[Any, Any]], dict[str, float]],
) -> pd.DataFrame:
    """Each draw is a block of its own: the same differences between the same levels."""
    sweep = Cube(
        values=drawn.T.reshape(*table.values.shape[:-1], len(drawn)),
        factors=table.factors,
        blocks=tuple(range(len(drawn))),
        outcome=table.outcome,
    )
    rows = [
        {"factor": factor, "level_a": pair[0], "level_b": pair[1], **sign(table, sweep, factor, pair)}
        for factor in factors
        for pair in pairs_to_compare(table.factors[factor])
    ]
    return pd.DataFrame(rows, columns=["factor", "level_a", "level_b", "estimate", "share_wrong"])


def _sign(table: Cube, sweep: Cube, factor: str, pair: tuple[Any, Any]) -> dict[str, float]:
    estimate = _overall(table, factor, pair)
    differences = sweep.difference(factor, *pair)
    single = _means(differences.reshape(-1, differences.shape[-1]).T)
    return _share_wrong(estimate, single)


def _sign_at_best(table: Cube, sweep: Cube, factor: str, pair: tuple[Any, Any]) -> dict[str, float]:
    first, second = (_lowest(_means(table.at(factor, level).flat)[:, None]) for level in pair)
    a, b = (_lowest(sweep.at(factor, level).flat) for level in pair)
    return _share_wrong(float(second[0] - first[0]), b - a)


def _lowest(values: Floats) -> Floats:
    """The lowest of each column of (cells, draws); NaN where none is finite."""
    lowest = np.where(np.isfinite(values), values, np.inf).min(axis=0)
    return np.where(np.isfinite(lowest), lowest, np.nan)


def _share_wrong(estimate: float, single: Floats) -> dict[str, float]:
    single = single[np.isfinite(single)]
    if not np.isfinite(estimate) or estimate == 0 or single.size == 0:
        return {"estimate": estimate, "share_wrong": float("nan")}
    return {"estimate": estimate, "share_wrong": float((single * estimate < 0).mean())}


def _overall(table: Cube, factor: str, pair: tuple[Any, Any]) -> float:
    differences = table.difference(factor, *pair)
    finite = differences[np.isfinite(differences)]
    return float(finite.mean()) if finite.size else float("nan")

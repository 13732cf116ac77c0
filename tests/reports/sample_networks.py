"""Made-up networks: losses, gradients and outcomes with the effects that a real depth study shows."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from reports.stability.verdicts import ONE_LAYER, Measures, judge, verdict

NUM_CLASSES = 10
CHANCE = float(np.log(NUM_CLASSES))
THRESHOLDS = {
    **{"blown_up": 2.0, "untrained": 0.95, "total_growth": 100.0, "growth": 1.6, "growth_total": 10.0},
    **{"watch": 10.0, "spike_rate": 0.01, "dead_fraction": 0.5, "stalled": 1e-5, "hot": 0.1},
}


def rate_range(optimizer: object) -> tuple[float, float]:
    """Lowest and highest learning rate searched for an optimizer."""
    return (3e-3, 0.5) if optimizer == "sgd" else (3e-4, 3e-2)


def expected_loss(levels: Mapping[str, Any], rate: float) -> float:
    """Depth alone costs little; dropout 0.5 ruins deep networks; batch norm helps a little; rates have an optimum."""
    depth, dropout = float(levels.get("depth", 3)), float(levels.get("dropout", 0.1))
    optimizer, batch_norm = levels.get("optimizer", "adam"), bool(levels.get("batch_norm", False))
    low, high = np.log(rate_range(optimizer))
    off = (np.log(rate) - (low + 0.6 * (high - low))) / (high - low)
    base = 0.105 + 0.004 * (depth - 3) / 2 + (0.012 if optimizer == "rmsprop" else 0.0)
    base += (dropout > 0.4) * 0.38 * max(0.0, depth - 3) ** 1.05 * (0.55 if batch_norm else 1.0)
    base += (0.2 < dropout < 0.4) * 0.012 * (depth - 3)
    base += 0.0 if batch_norm else 0.03
    return float(min(base * np.exp(3.2 * off**2), 2.29))


def growth_of(levels: Mapping[str, Any]) -> float:
    """Expected growth per block at initialisation, as the theory has it."""
    keep = 1 - float(levels.get("dropout", 0.1))
    return float((1 - keep / np.pi) ** -0.5 if levels.get("batch_norm") else keep**-0.5)


def train(
    tables: dict[str, list[pd.DataFrame]],
    draw: np.random.Generator,
    split: np.ndarray,
    number: int,
    phase: str,
    cell: int,
    levels: Mapping[str, Any],
    rate: float,
    last: int,
    rungs: tuple[int, ...],
) -> float:
    """Make up the rows of one trial's replicates; the objective, the mean validation loss capped at chance."""
    num, epoch = len(split), np.arange(1, last + 1)
    end = np.minimum(expected_loss(levels, rate) * np.exp(draw.normal(0, 0.06, num)) + split, CHANCE * 1.02)
    low, high = rate_range(levels.get("optimizer", "adam"))
    failed = (draw.random(num) < 0.35) & (rate > 0.8 * high) & (float(levels.get("depth", 3)) >= 5)
    speed = np.log(rate / low) / np.log(high / low) + 0.4
    decay = np.exp(-epoch[None, :] / (rungs[-1] / 5) * speed)
    val = end[:, None] + (CHANCE - end)[:, None] * decay * np.exp(draw.normal(0, 0.05, (num, last)))
    train = 0.7 * end[:, None] + (CHANCE - 0.7 * end)[:, None] * decay
    val[failed, last // 2 :], train[failed, last // 2 :] = np.nan, np.nan
    shape = (num, last)
    tables["epochs"].append(
        pd.DataFrame(
            {
                "trial_number": number,
                "replicate": np.repeat(np.arange(1, num + 1), last),
                "epoch": np.tile(epoch, num),
                "sequence": np.tile(epoch, num),
                "train_loss": train.ravel(),
                "train_accuracy": np.exp(-train).ravel(),
                "val_loss": val.ravel(),
                "val_accuracy": np.exp(-val * 0.9).ravel(),
                "learning_rate": np.full(shape, rate).ravel(),
            }
        )
    )
    _measure(tables, draw, number, phase, levels, num, last, rungs, failed)
    confirm = phase == "confirm"
    outcome = np.where(failed, "diverged", "complete" if last == rungs[-1] else "stopped")
    val_end = np.where(failed, np.nan, val[:, -1])
    test = val_end + draw.normal(0.004, 0.012, num) if confirm else np.full(num, np.nan)
    tables["replicates"].append(
        pd.DataFrame(
            {
                "trial_number": number,
                "phase": phase,
                "cell": cell,
                **{name: [level] * num for name, level in levels.items()},
                "learning_rate": rate,
                "replicate": np.arange(1, num + 1),
                "block": np.arange(1, num + 1),
                "outcome": outcome,
                "val_loss": val_end,
                "val_accuracy": np.exp(-val_end * 0.9),
                "test_loss": test,
                "test_accuracy": np.exp(-test * 0.9) if confirm else np.nan,
                **_verdicts(draw, levels, failed, train[:, -1], confirm),
            }
        )
    )
    return float(np.minimum(np.where(failed, CHANCE, val[:, -1]), CHANCE).mean())


def _verdicts(
    draw: np.random.Generator,
    levels: Mapping[str, Any],
    failed: np.ndarray,
    final_loss: np.ndarray,
    confirm: bool,
) -> dict[str, list[Any]]:
    """Judge each network by made-up measures; what the verdicts were made from, for the confirm phase alone."""
    depth, rows = int(levels.get("depth", 3)), []
    for lost, loss in zip(failed, final_loss, strict=True):
        growth, drift = growth_of(levels) * np.exp(draw.normal(0, 0.02, 2)) * (1, 1.25)
        initial = Measures(num_nonfinite=0, **_growth(growth, depth), dead_fraction=draw.beta(1.5, 20))
        trained = Measures(
            num_nonfinite=3 if lost else 0,
            loss_ratio=1.0,
            final_loss_ratio=None if lost else loss / CHANCE,
            **_growth(drift, depth),
            spike_rate=draw.exponential(0.001),
            dead_fraction=draw.beta(1.5, 20),
            update_ratio_low=8e-4,
            update_ratio_high=draw.lognormal(-4, 0.8),
        )
        rows.append({"initial": _judged(initial), "trained": _judged(trained)})
    return {
        "verdict_initial": [row["initial"]["verdict"] for row in rows],
        "verdict_trained": [row["trained"]["verdict"] for row in rows],
        "verdicts": rows if confirm else [None] * len(rows),
    }


def _growth(growth: float, depth: int) -> dict[str, float]:
    if depth < 2:
        return {}
    total = growth ** (depth - 1)
    return {
        "growth_high": growth,
        "growth_low": growth,
        "total_growth_high": total,
        "total_growth_low": total,
    }


def _judged(measures: Measures) -> dict[str, Any]:
    """As a network's verdict is stored."""
    findings = judge(measures, THRESHOLDS)
    return {
        "verdict": verdict(findings),
        "holds": [asdict(finding) for finding in findings],
        "measures": asdict(measures),
        "notes": [ONE_LAYER] if measures.growth_high is None else [],
    }


def _measure(
    tables: dict[str, list[pd.DataFrame]],
    draw: np.random.Generator,
    number: int,
    phase: str,
    levels: Mapping[str, Any],
    num: int,
    last: int,
    rungs: tuple[int, ...],
    failed: np.ndarray,
) -> None:
    """Make up the gradients by layer: growth by theory at the start, drifting while training."""
    depth = int(levels.get("depth", 3))
    epoch = (
        np.arange(last + 1)
        if phase == "confirm"
        else np.array([0, *[rung for rung in rungs if rung <= last]])
    )
    layer = np.arange(1, depth + 1)
    slope = np.log(growth_of(levels)) * (
        1 + 0.9 * (epoch / rungs[-1]) * (float(levels.get("dropout", 0)) - 0.2)
    )
    level = 1e-2 * np.exp(-2.0 * epoch / rungs[-1])
    delta = level[:, None] * np.exp(slope[:, None] * (depth - layer)[None, :])
    delta = delta[None] * np.exp(draw.normal(0, 0.06, (num, len(epoch), depth)))
    delta[failed, len(epoch) // 2 :] = np.nan
    size = delta.size
    tables["gradients"].append(
        pd.DataFrame(
            {
                "trial_number": number,
                "replicate": np.repeat(np.arange(1, num + 1), len(epoch) * depth),
                "epoch": np.tile(np.repeat(epoch, depth), num),
                "layer": np.tile(layer, num * len(epoch)),
                "grad_l2": delta.ravel() * 3.1,
                "grad_l2_max": delta.ravel() * 5.2,
                "grad_rms": delta.ravel() * 0.05,
                "delta_rms": delta.ravel(),
                "update_ratio": np.exp(draw.normal(-6.8, 0.3, size)),
                "dead_fraction": draw.beta(1.5, 20, size),
            }
        )
    )

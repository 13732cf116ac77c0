"""Realistic report inputs from a seeded generator: the shape and size of a study's frames, without a study."""

import hashlib
import itertools
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from reports.inputs.inputs import ReportInputs, Value
from reports.statistics.families import ErrorShares
from tests.reports.sample_networks import NUM_CLASSES, THRESHOLDS, expected_loss, rate_range, train

FACTORS: dict[str, tuple[Value, ...]] = {
    "depth": (3, 5, 7),
    "dropout": (0.1, 0.3, 0.5),
    "batch_norm": (False, True),
    "optimizer": ("sgd", "adam", "rmsprop"),
}
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def sample_inputs(
    factors: Mapping[str, tuple[Value, ...]] | None = None,
    *,
    num_blocks: int = 10,
    rates: int = 6,
    rungs: tuple[int, ...] = (6, 18),
    seed: int = 0,
    state: str = "complete",
) -> ReportInputs:
    """A study with cells: `rates` search trials a cell with ASHA inside the cell, then one confirm trial a cell."""
    factors = FACTORS if factors is None else factors
    draw = np.random.default_rng(seed)
    cells = [dict(zip(factors, levels, strict=True)) for levels in itertools.product(*factors.values())]
    split = draw.normal(0, 0.012, num_blocks)
    tables: dict[str, list[pd.DataFrame]] = {"replicates": [], "epochs": [], "gradients": []}
    trials: list[dict[str, Any]] = []
    chosen = _search(cells, trials, tables, draw, split, rates, rungs)
    for cell, (levels, (rate, _)) in enumerate(zip(cells, chosen, strict=True), start=1):
        number = len(trials) + 1
        objective = train(tables, draw, split, number, "confirm", cell, levels, rate, rungs[-1], rungs)
        trials.append(_trial(number, "confirm", cell, levels, rate, "complete", rungs, rungs[-1], objective))
    return assemble(factors, trials, tables, num_blocks=num_blocks, rates=rates, rungs=rungs, state=state)


def _search(
    cells: list[dict[str, Value]],
    trials: list[dict[str, Any]],
    tables: dict[str, list[pd.DataFrame]],
    draw: np.random.Generator,
    split: np.ndarray,
    rates: int,
    rungs: tuple[int, ...],
) -> list[tuple[float, float]]:
    """Add the search trials; for every cell the learning rate chosen and its objective."""
    chosen = []
    for cell, levels in enumerate(cells, start=1):
        low, high = np.log(rate_range(levels.get("optimizer", "adam")))
        tried = np.exp(low + (high - low) * (np.arange(rates) + draw.random(rates)) / rates)
        loss = np.array([expected_loss(levels, rate) for rate in tried]) * np.exp(draw.normal(0, 0.02, rates))
        survivors = set(np.argsort(loss)[: max(1, round(rates * 0.55))])
        for place, rate in enumerate(tried):
            last = rungs[-1] if place in survivors else rungs[0]
            number = len(trials) + 1
            objective = train(tables, draw, split, number, "search", cell, levels, float(rate), last, rungs)
            state = "complete" if place in survivors else "pruned"
            trials.append(_trial(number, "search", cell, levels, float(rate), state, rungs, last, objective))
        best = min(
            (t for t in trials if t["cell"] == cell and t["state"] == "complete"),
            key=lambda t: t["objective"],
        )
        chosen.append((best["learning_rate"], best["objective"]))
    return chosen


def assemble(
    factors: Mapping[str, tuple[Value, ...]],
    trials: list[dict[str, Any]],
    tables: Mapping[str, list[pd.DataFrame]],
    *,
    num_blocks: int,
    rates: int,
    rungs: tuple[int, ...],
    state: str,
    budget: int | None = None,
    default: Mapping[str, Value] | None = None,
) -> ReportInputs:
    """Frames and a plan around trials that were made up before."""
    plan = {
        "plan_version": 3,
        "question": "Do depth, dropout, batch normalisation and the optimizer change the loss and the gradients?",
        "dataset": "digits",
        "dataset_fingerprint": "0" * 64,
        "model": "mlp",
        "objective": "val_loss",
        "factors": {name: list(levels) for name, levels in factors.items()},
        "nuisances": {"learning_rate": {name: rate_range(name) for name in ("sgd", "adam", "rmsprop")}},
        "fixed": {
            **({} if "optimizer" in factors else {"optimizer": "adam"}),
            "width": 64,
            "batch_size": 64,
            "activation": "relu",
            "init": "he_normal",
        },
        "replicates": num_blocks,
        "seed": 0,
        "search": {
            "trials_per_cell": None if budget else rates,
            "trials": budget,
            "rungs": list(rungs),
            "reduction_factor": 3,
            "sampler": "tpe" if budget else "qmc",
        },
        "confirm": {"epochs": rungs[-1], "best": 3, "default": dict(default or {})},
        "smallest_effect": {"log_loss": 0.02, "error": 0.005},
        "thresholds": dict(THRESHOLDS),
        "error_shares": asdict(ErrorShares()),
        "source_hash": None,
    }
    plan["nuisances"] = {
        "learning_rate": {
            name: {"low": low, "high": high, "log": True}
            for name, (low, high) in ((name, rate_range(name)) for name in ("sgd", "adam", "rmsprop"))
        }
    }
    frame = pd.DataFrame(trials)
    if budget and not frame.empty:
        frame["cell"] = np.nan
    joined = {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items() if parts}
    events = pd.DataFrame(
        [
            {"sequence": 1, "at": START, "kind": "started", "trial_number": None, "detail": "plan stored"},
            {"sequence": 2, "at": START, "kind": "retried", "trial_number": 12, "detail": "=worker lost"},
        ]
    )
    return ReportInputs(
        study="tuning_study" if budget else "depth_study",
        question=str(plan["question"]),
        plan=plan,
        plan_hash=hashlib.sha256(json.dumps(plan, sort_keys=True, default=str).encode()).hexdigest(),
        state=state,
        created_at=START,
        factors=dict(factors),
        num_classes=NUM_CLASSES,
        trials=frame,
        replicates=joined.get("replicates", pd.DataFrame()),
        epochs=joined.get("epochs", pd.DataFrame()),
        gradients=joined.get("gradients", pd.DataFrame()),
        events=events,
        artifacts=pd.DataFrame(
            {"path": ["models/best/replicate_1.safetensors"], "sha256": ["ab" * 32], "num_bytes": [88_120]}
        ),
        evaluation=pd.DataFrame(columns=["trial_number", "replicate", "confusion", "calibration"]),
        provenance={
            "commit": "4f1c0de",
            "versions": {
                "studies": "0.1.0",
                "python": "3.11.9",
                "torch": "2.13.0",
                "ray": "2.60.0",
                "optuna": "5.0.0",
            },
            "hardware": {"cores": 2, "gpu": None, "memory_gib": 8},
            "workers": 2,
            "threads_per_worker": 1,
        },
        seconds={"wall": 214.6, "busy": 391.2, "recording": 4.1, "startup": 9.8},
        generated_at=START + timedelta(hours=1),
        command="studies report depth_study",
    )


def _trial(
    number: int,
    phase: str,
    cell: int,
    levels: Mapping[str, Value],
    rate: float,
    state: str,
    rungs: tuple[int, ...],
    last: int,
    objective: float,
) -> dict[str, Any]:
    started = START + timedelta(seconds=0.5 * number)
    return {
        "number": number,
        "phase": phase,
        "cell": cell,
        **levels,
        "learning_rate": rate,
        "state": state,
        "stop_reason": "rung" if state == "pruned" else None,
        "rung": rungs.index(last) + 1 if phase == "search" and last in rungs else None,
        "epochs": last,
        "objective": objective,
        "attempt": 1,
        "started_at": started,
        "ended_at": started + timedelta(seconds=1.1),
        "busy_seconds": 1.1,
        "error": None,
        "worker": f"worker-{number % 2}",
    }


def sample_tuning(*, budget: int = 50, num_blocks: int = 10, seed: int = 1) -> ReportInputs:
    """A study without cells: one search over everything, its best three and a stated default confirmed."""
    draw = np.random.default_rng(seed)
    split, rungs = draw.normal(0, 0.012, num_blocks), (6, 18)
    tables: dict[str, list[pd.DataFrame]] = {"replicates": [], "epochs": [], "gradients": []}
    trials: list[dict[str, Any]] = []
    for number in range(1, budget + 1):
        levels = {name: choices[draw.integers(len(choices))] for name, choices in FACTORS.items()}
        low, high = np.log(rate_range(levels["optimizer"]))
        rate = float(
            np.exp(draw.normal(low + 0.6 * (high - low), 0.3 * (high - low) * (1 - number / budget) + 0.2))
        )
        last = 18 if number % 3 == 0 else 6
        objective = train(tables, draw, split, number, "search", 0, levels, rate, last, rungs)
        state = "complete" if last == 18 else "pruned"
        trials.append(_trial(number, "search", 0, levels, rate, state, rungs, last, objective))
    best = sorted((t for t in trials if t["state"] == "complete"), key=lambda t: t["objective"])[:3]
    default: dict[str, Value] = {
        "depth": 3,
        "dropout": 0.1,
        "batch_norm": False,
        "optimizer": "adam",
        "learning_rate": 0.001,
    }
    for chosen in [*best, default]:
        levels = {name: chosen[name] for name in FACTORS}
        number, rate = len(trials) + 1, float(chosen["learning_rate"])
        objective = train(tables, draw, split, number, "confirm", 0, levels, rate, 18, rungs)
        trials.append(_trial(number, "confirm", 0, levels, rate, "complete", rungs, 18, objective))
    for frame in tables["replicates"]:
        frame["cell"] = np.nan
    return assemble(
        FACTORS,
        trials,
        tables,
        num_blocks=num_blocks,
        rates=1,
        rungs=rungs,
        state="complete",
        budget=budget,
        default=default,
    )

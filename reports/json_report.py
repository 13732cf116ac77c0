"""report.json: every number of the report under the keys that CONTRACT's readers rely on; NaN becomes null."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from reports.answers import Said, opening, said_at_best, said_averaged
from reports.best import best_configuration, confirmed_configurations, found
from reports.cube import plain
from reports.inputs import ReportInputs
from reports.results import Results

ROUNDING = 6  # significant digits kept: more than any interval supports


def json_report(inputs: ReportInputs, results: Results) -> dict[str, Any]:
    """The report as plain data; `analysis` and `lottery` are null until they are written."""
    at_best, averaged = said_at_best(inputs, results), said_averaged(inputs, results)
    best, confirmed = best_configuration(inputs, results), confirmed_configurations(inputs, results)
    described = contrast_records(results.error_contrasts, [])
    report = {
        "study": inputs.study,
        "question": inputs.question,
        "plan_hash": inputs.plan_hash,
        "state": inputs.state,
        "created_at": inputs.created_at,
        "generated_at": inputs.generated_at,
        "answer": [{"sentence": said.text, "gate": said.gate} for said in opening(at_best, averaged)],
        "found": found(inputs, best, confirmed),
        "headline": headline(inputs, results),
        "accounting": results.accounting.to_dict(),
        "at_best": contrast_records(results.at_best, at_best),
        "contrasts": [*contrast_records(results.contrasts, averaged), *described],
        "interactions": results.interactions.to_dict("records"),
        "lottery": None,
        "stability": {
            "verdicts": results.verdicts.to_dict("records"),
            "total_growth": contrast_records(results.growth_contrasts, []),
            "theory": results.theory.to_dict("records"),
        },
        "best": best,
        "confirmed": confirmed,
        "chosen": results.chosen.to_dict("records"),
        "analysis": None,
        "chance_loss": inputs.chance_loss,
        "plan": inputs.plan,
        "provenance": inputs.provenance,
        "artifacts": inputs.artifacts.to_dict("records"),
        "seconds": inputs.seconds,
    }
    plain_report: dict[str, Any] = _json_value(report)
    return plain_report


def headline(inputs: ReportInputs, results: Results) -> dict[str, Any]:
    """The four numbers at the top: networks trained, seconds, share of search trials stopped, share unstable.

    A network counts as unstable in the confirm phase where it diverged or failed, or its verdict after training is
    neither STABLE nor WATCH; the share is null before anything is confirmed.
    """
    search = inputs.trials[inputs.trials["phase"] == "search"]
    begun = search[~search["state"].isin(["waiting", "running"])]
    confirm = inputs.replicates[inputs.replicates["phase"] == "confirm"]
    lost = confirm["outcome"].isin(["diverged", "failed"])
    trained = confirm["verdict_trained"]
    unstable = lost | (trained.notna() & ~trained.isin(["STABLE", "WATCH"]))
    return {
        "networks": results.accounting.overall["networks"],
        "epochs": results.accounting.overall["epochs"],
        "wall_seconds": inputs.seconds.get("wall"),
        "num_stopped": int((begun["state"] == "pruned").sum()),
        "num_search": len(begun),
        "share_stopped": float((begun["state"] == "pruned").mean()) if len(begun) else None,
        "num_unstable": int(unstable.sum()),
        "num_diverged": int((confirm["outcome"] == "diverged").sum()),
        "num_confirm": len(confirm),
        "share_unstable": float(unstable.mean()) if len(confirm) else None,
    }


def contrast_records(frame: pd.DataFrame, said: Sequence[Said]) -> list[dict[str, Any]]:
    """One dict a contrast; `gate` and `sentence` are null where nothing is said (described only, or withheld)."""
    records = []
    for place, row in enumerate(frame.to_dict("records")):
        words = said[place] if said else None
        by_level = None if words is None or words.by_level is None else words.by_level.to_dict("records")
        records.append(
            {
                **{str(name): value for name, value in row.items()},
                "gate": None if words is None else row["gate"],
                "sentence": None if words is None else words.text,
                "gates": None if words is None else [[each.gate, *each.gates] for each in words.sentences],
                "numbers": None if words is None else [dict(each.numbers) for each in words.sentences],
                "by_level": by_level,
            }
        )
    return records


def as_json(report: Mapping[str, Any]) -> str:
    """The file's text: keys in the report's order, one space of indent, UTF-8."""
    return json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _json_value(value: Any) -> Any:
    """Plain JSON: numpy unwrapped, NaN and infinities null, floats at six significant digits, times as text."""
    if isinstance(value, Mapping):
        return {str(key): _json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_json_value(item) for item in value]
    value = plain(value)
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, float):
        return float(f"{value:.{ROUNDING}g}") if math.isfinite(value) else None
    return value.isoformat() if hasattr(value, "isoformat") else str(value)

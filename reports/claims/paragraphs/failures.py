"""Failed networks: their rate by level, what was capped, and contrasts of the rate; compared before losses."""

from __future__ import annotations

from typing import Any

import pandas as pd

from reports.claims.paragraphs.performance import failures
from reports.inputs.cube import plain
from reports.inputs.inputs import ReportInputs
from reports.results.results import Results
from reports.statistics.contrasts import contrasts
from reports.statistics.effects import failure_contrasts, failure_rates, failures_first

LOST = ("diverged", "failed")


def failures_record(inputs: ReportInputs, results: Results) -> dict[str, Any]:
    """For report.json.

    - `by_level`: factor, level, num (networks), lost (diverged or failed), capped (finite, no better than chance),
      count and share of both together, low and high (Wilson's 95 % interval)
    - `first`: whether levels of a factor differ in them, so that they are compared before losses; then `sentence`
    """
    rows = results.rows
    if not inputs.has_cells or rows.empty:
        return {"by_level": [], "first": False, "sentence": None, "numbers": []}
    tables = {factor: failure_rates(rows, [factor]) for factor in inputs.factors}
    said = failures(inputs, results)
    return {
        "by_level": [
            {
                "factor": factor,
                "level": plain(row[factor]),
                **_counts(rows, factor, row[factor]),
                **_share(row),
            }
            for factor, table in tables.items()
            for row in table.to_dict("records")
        ],
        "first": any(failures_first(table) for table in tables.values()),
        "sentence": None if said is None else said.text,
        "numbers": [] if said is None else said.numbers,
    }


def _counts(rows: pd.DataFrame, factor: str, level: Any) -> dict[str, int]:
    there = rows[[plain(value) == plain(level) for value in rows[factor]]]
    lost = there["outcome"].isin(LOST)
    return {"lost": int(lost.sum()), "capped": int((there["failed"].eq(1) & ~lost).sum())}


def _share(row: dict[Any, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("num", "count", "share", "low", "high")}


def described_contrasts(inputs: ReportInputs, results: Results) -> list[pd.DataFrame]:
    """Contrasts that are described and never claimed: of the failure rate, and of log-loss as recorded, not capped."""
    rows, factors, rules = results.rows, list(inputs.factors), results.look.rules
    if not inputs.has_cells or rows.empty or not factors:
        return []
    lost = failure_contrasts(rows[[*factors, "block", "failed"]], factors)
    if inputs.own:
        return [lost]
    uncapped = contrasts(rows[[*factors, "block", "uncapped_loss"]], factors, "uncapped_loss", rules=rules)
    return [lost, uncapped]

"""report.json: every number of the report under the keys that CONTRACT's readers rely on."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from reports.claims.answers import Said, is_told_once, opening, said_at_best, said_averaged, said_errors
from reports.claims.best_found import against_default
from reports.claims.draws import lottery_record
from reports.claims.growth_claims import leading_growth, said_growth
from reports.claims.line_to_beat import leading_line, line_to_beat
from reports.claims.look_by_look import looks_record
from reports.claims.paragraphs.analysis import caveats_record, notes
from reports.claims.paragraphs.performance import described_contrasts, failures_record
from reports.claims.paragraphs.short import short_analysis
from reports.claims.paragraphs.stability_record import stability_record
from reports.claims.verdict import verdict
from reports.inputs.cube import plain
from reports.inputs.early_stopping import early_stops
from reports.inputs.inputs import ReportInputs
from reports.results.accounting import copied_trials
from reports.results.best import best_configuration, chosen_records, confirmed_configurations, found, left_out
from reports.results.evaluation import evaluation_record
from reports.results.examined import examined_record
from reports.results.licensing import error_shares_record
from reports.results.looks import first_look
from reports.results.optimism import optimism_record
from reports.results.results import Results
from reports.results.searching import search_record
from reports.results.selection import selection_record, with_selection
from reports.results.variation import variation_record
from reports.stability.classes import STABLE, UNSTABLE, WATCH, classes


def json_report(inputs: ReportInputs, results: Results) -> dict[str, Any]:
    """The report as plain data; claims, and the lottery, are withheld (null) until a study is complete.

    Trials of later looks, which only comparisons at best use, are counted (`accounting`, `looks`) and not described.
    """
    copied, inputs = copied_trials(inputs.trials), first_look(inputs)
    at_best, averaged = said_at_best(inputs, results), said_averaged(inputs, results)
    errors = said_errors(inputs, results)
    read_at = results.look.number or None
    first = read_at if results.look.rules.holm else min(results.look.number, 1) or None
    growth = said_growth(inputs, results)
    best, confirmed = best_configuration(inputs, results), confirmed_configurations(inputs, results)
    selection = selection_record(inputs, results)
    line = line_to_beat(inputs, results, best)
    answer = verdict(
        inputs,
        results,
        at_best=at_best,
        averaged=averaged,
        growth=growth,
        line=line,
        best=best,
        confirmed=confirmed,
    )
    analysis = short_analysis(inputs, results, answer, best)
    in_full = notes(
        inputs, results, best=best, confirmed=confirmed, at_best=at_best, averaged=averaged, line=line
    )
    report = {
        "study": inputs.study,
        "question": inputs.question,
        "plan_hash": inputs.plan_hash,
        "state": inputs.state,
        "older_rules": inputs.older_rules,
        "created_at": inputs.created_at,
        "generated_at": inputs.generated_at,
        "verdict": answer.to_dict(),
        "answer": [
            {"sentence": said.text, "gate": said.gate}
            for said in opening(
                at_best, averaged, [*leading_line(line), *leading_growth(inputs.factors, growth)], errors
            )
        ],
        "found": " ".join(filter(None, [left_out(inputs, results), found(inputs, best, confirmed)])),
        "headline": key_numbers(inputs, results),
        "analysis": [each.text for each in analysis],
        "analysis_numbers": [each.numbers for each in analysis],
        "notes": [each.text for each in in_full],
        "notes_numbers": [each.numbers for each in in_full],
        "against_default": against_default(inputs, results, best, confirmed),
        "accounting": {**results.accounting.to_dict(), "copied": copied},
        "look": results.look.to_dict(),
        "looks": looks_record(inputs, results),
        "error_shares": error_shares_record(inputs, results.look),
        "at_best": with_selection(
            [
                *contrast_records(results.at_best, at_best, read_at, by_row=read_at is not None),
                *contrast_records(results.error_at_best, errors, read_at, by_row=read_at is not None),
            ],
            selection,
        ),
        "selection": selection,
        "contrasts": [
            *contrast_records(
                results.contrasts,
                at_best if is_told_once(results) else averaged,
                first,
                by_row=is_told_once(results) and first is not None,
            ),
            *contrast_records(results.error_contrasts, [], first),
            *(
                row
                for each in described_contrasts(inputs, results)
                for row in contrast_records(each, [], first)
            ),
        ],
        "failures": failures_record(inputs, results),
        "early_stopping": early_stops(inputs, results.rows),
        "interactions": results.interactions.to_dict("records"),
        "lottery": lottery_record(inputs, results, best),
        "optimism": optimism_record(inputs, results, best),
        "variation": variation_record(inputs, results),
        "limits": caveats_record(inputs, results),
        "stability": stability_record(inputs, results, growth, contrast_records),
        "best": best,
        "baseline": None if line is None else line.to_dict(),
        "confirmed": confirmed,
        "evaluation": evaluation_record(inputs, best),
        "model": examined_record(inputs, best),
        "chosen": chosen_records(inputs, results.chosen),
        "search": search_record(inputs),
        "importance": None if inputs.importance is None else inputs.importance.to_dict("records"),
        "chance_loss": inputs.chance_loss,
        "plan": inputs.plan,
        "provenance": inputs.provenance,
        "artifacts": inputs.artifacts.to_dict("records"),
        "seconds": inputs.seconds,
    }
    plain: dict[str, Any] = json_value(report)
    return plain


def contrast_records(
    frame: pd.DataFrame, said: Sequence[Said], look: int | None = None, *, by_row: bool = False
) -> list[dict[str, Any]]:
    """One dict a contrast; `gate` and `sentence` are null where nothing is said (described only, or withheld).

    `look` is the number of the look whose blocks it is of; null before the first is whole. With `by_row` each row names
    its own: that at which a comparison at best closed, or was read last.
    """
    records = []
    for place, row in enumerate(frame.to_dict("records")):
        words = said[place] if said else None
        by_level = None if words is None or words.by_level is None else words.by_level.to_dict("records")
        records.append(
            {
                **{str(name): value for name, value in row.items()},
                "look": row["look"] if by_row else look,
                "gate": None if words is None else row["gate"],
                "sentence": None if words is None else words.text,
                "gates": None if words is None else [[each.gate, *each.gates] for each in words.sentences],
                "numbers": None if words is None else [dict(each.numbers) for each in words.sentences],
                "by_level": by_level,
            }
        )
    return records


def key_numbers(inputs: ReportInputs, results: Results) -> dict[str, Any]:
    """Networks and epochs trained, wall seconds, share of search trials stopped, confirmed networks by stability.

    Every confirmed network with a verdict, and every one that diverged or failed, is stable, on watch or unstable
    (`stability.classes`): num_stable, num_watch, num_unstable, of num_judged; the shares of these, and in `percents`
    as printed, adding up to 100. Shares are null before there is anything to count; `has_verdicts` says whether
    gradients were judged at all: where they were not, the lost networks are the unstable ones of all confirmed.
    """
    search = inputs.trials[inputs.trials["phase"] == "search"]
    ended = search[~search["state"].isin(["waiting", "running"])]
    stopped = ended["state"] == "pruned"
    confirm = inputs.replicates[inputs.replicates["phase"] == "confirm"]
    has_verdicts = bool(confirm["verdict_trained"].notna().any())
    found = classes(confirm)
    num_judged = found.num if has_verdicts else len(confirm)
    unstable = found.counts[UNSTABLE]
    return {
        "networks": results.accounting.overall["networks"],
        "epochs": results.accounting.overall["epochs"],
        "wall_seconds": inputs.seconds.get("wall"),
        "num_stopped": int(stopped.sum()),
        "num_search": len(ended),
        "share_stopped": float(stopped.mean()) if len(ended) else None,
        "num_stable": found.counts[STABLE],
        "num_watch": found.counts[WATCH],
        "num_unstable": unstable,
        "num_judged": num_judged,
        "num_diverged": int((confirm["outcome"] == "diverged").sum()),
        "num_confirm": len(confirm),
        "share_stable": found.shares[STABLE] if has_verdicts else None,
        "share_watch": found.shares[WATCH] if has_verdicts else None,
        "share_unstable": unstable / num_judged if num_judged else None,
        "percents": found.percents if has_verdicts else None,
        "has_verdicts": has_verdicts,
    }


DIGITS = 6  # significant digits kept: more than any interval supports


def as_json(report: Mapping[str, Any]) -> str:
    """The file's text: keys in the report's order, one space of indent, UTF-8."""
    return json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def json_value(value: Any) -> Any:
    """Plain JSON: NaN and infinities null, floats at six significant digits."""
    if isinstance(value, Mapping):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [json_value(item) for item in value]
    value = plain(value)
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    return value.isoformat() if hasattr(value, "isoformat") else str(value)

"""report.json: every number of the report under the keys that CONTRACT's readers rely on."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from reports.claims.answers import Said, opening, said_at_best, said_averaged
from reports.claims.draws import lottery_record
from reports.claims.growth_claims import leading_growth, said_growth
from reports.claims.key_numbers import key_numbers
from reports.claims.line_to_beat import leading_line, line_to_beat
from reports.claims.paragraphs.analysis import three_paragraphs
from reports.claims.paragraphs.caveats import caveats_record
from reports.claims.paragraphs.failures import described_contrasts, failures_record
from reports.claims.paragraphs.stability_record import stability_record
from reports.inputs.early_stopping import early_stops
from reports.inputs.inputs import ReportInputs
from reports.pages.plain_json import json_value
from reports.results.accounting import copied_trials
from reports.results.best import best_configuration, chosen_records, confirmed_configurations, found, left_out
from reports.results.evaluation import evaluation_record
from reports.results.results import Results
from reports.results.searching import search_record
from reports.results.variation import variation_record


def json_report(inputs: ReportInputs, results: Results) -> dict[str, Any]:
    """The report as plain data; claims, and the lottery, are withheld (null) until a study is complete."""
    at_best, averaged = said_at_best(inputs, results), said_averaged(inputs, results)
    growth = said_growth(inputs, results)
    best, confirmed = best_configuration(inputs, results), confirmed_configurations(inputs, results)
    line = line_to_beat(inputs, results, best)
    analysis = three_paragraphs(
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
        "answer": [
            {"sentence": said.text, "gate": said.gate}
            for said in opening(
                at_best, averaged, [*leading_line(line), *leading_growth(inputs.factors, growth)]
            )
        ],
        "found": " ".join(filter(None, [left_out(inputs, results), found(inputs, best, confirmed)])),
        "headline": key_numbers(inputs, results),
        "analysis": [each.text for each in analysis],
        "analysis_numbers": [each.numbers for each in analysis],
        "accounting": {**results.accounting.to_dict(), "copied": copied_trials(inputs.trials)},
        "look": results.look.to_dict(),
        "at_best": contrast_records(results.at_best, at_best),
        "contrasts": [
            *contrast_records(results.contrasts, averaged),
            *contrast_records(results.error_contrasts, []),
            *(row for each in described_contrasts(inputs, results) for row in contrast_records(each, [])),
        ],
        "failures": failures_record(inputs, results),
        "early_stopping": early_stops(inputs, results.rows),
        "interactions": results.interactions.to_dict("records"),
        "lottery": lottery_record(inputs, results),
        "variation": variation_record(inputs, results),
        "limits": caveats_record(inputs, results),
        "stability": stability_record(inputs, results, growth, contrast_records),
        "best": best,
        "baseline": None if line is None else line.to_dict(),
        "confirmed": confirmed,
        "evaluation": evaluation_record(inputs, best),
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

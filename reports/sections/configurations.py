"""Sections "Stability" and "Training" of a study without cells: by confirmed configuration, never by level."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from reports.results.best import standing
from reports.sections.parts.section import ReportContext, Section
from reports.sections.stability.thresholds import rules_table
from reports.sections.stability.verdicts import verdict_figure, verdict_table, words_of
from reports.sections.training import training
from reports.stability.growth import verdict_shares

FACTOR = "configuration"


def configuration_names(confirmed: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """Trial number to the short name of each confirmed configuration: "1" validates best."""
    ordered = sorted(confirmed, key=standing)
    return {
        int(each["trial_number"]): "default" if each["is_default"] else str(place)
        for place, each in enumerate(ordered, start=1)
    }


def trained(report_context: ReportContext) -> Section:
    """Learning curves of the confirmed configurations."""
    return training(by_configuration(report_context))


def judged(report_context: ReportContext) -> Section:
    """Verdicts on the networks of the confirmed configurations."""
    mine = by_configuration(report_context)
    shown = verdict_figure(mine)
    tables = [verdict_table(mine), rules_table(report_context.inputs.plan["thresholds"])] if shown else []
    context = {"tables": [table for table in tables if table.rows], "words": words_of(mine)}
    return Section(
        slug="judged", title="Where training was unstable", figures=[shown] if shown else [], context=context
    )


def by_configuration(report_context: ReportContext) -> ReportContext:
    """The same material with the confirmed configurations as levels of a single factor."""
    names = configuration_names(report_context.report["confirmed"])
    rows = report_context.results.rows.assign(
        **{FACTOR: report_context.results.rows["trial_number"].map(names)}
    )
    confirm = report_context.inputs.replicates[report_context.inputs.replicates["phase"] == "confirm"]
    confirm = confirm.assign(**{FACTOR: confirm["trial_number"].map(names)})
    verdicts = [
        verdict_shares(confirm, [FACTOR], f"verdict_{when}").assign(when=when)
        for when in ("initial", "trained")
    ]
    return replace(
        report_context,
        inputs=replace(report_context.inputs, factors={FACTOR: tuple(names.values())} if names else {}),
        results=replace(report_context.results, rows=rows, verdicts=pd.concat(verdicts, ignore_index=True)),
    )

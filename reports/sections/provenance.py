"""Provenance: plan, versions, hardware, hashes, seconds, and the one command that makes the report again."""

from collections.abc import Iterator, Mapping
from typing import Any

from reports.sections.parts.section import Cell, Column, ReportContext, Section, Table
from reports.wording.words import count, duration, number

LONGEST_HINT = 60
"""Characters of a command that stands beside the title."""


def provenance(report_context: ReportContext) -> Section:
    """Everything that is needed to trace or repeat the study."""
    inputs, report = report_context.inputs, report_context.report
    tables = [
        _pairs(
            "Plan", dict(_flat({name: value for name, value in report["plan"].items() if name != "question"}))
        ),
        _pairs("Software and hardware", dict(_flat(report["provenance"]))),
        _pairs("Time", {name: duration(value) for name, value in report["seconds"].items()}),
        _artifacts(report["artifacts"]),
        *([] if report["baseline"] is None else [_linear_models(report["baseline"])]),
    ]
    context = {
        "command": inputs.command,
        "ran": inputs.provenance.get("command"),
        "plan_hash": inputs.plan_hash,
        "created": inputs.created_at.strftime("%Y-%m-%d %H:%M UTC"),
        "tables": [table for table in tables if table.rows],
    }
    ran = str(inputs.provenance.get("command") or "")
    return Section(
        slug="provenance",
        title="How to run it again",
        folded=True,
        hint=ran if 0 < len(ran) <= LONGEST_HINT else "the commands, the plan, versions and hashes",
        context=context,
    )


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested mappings as dotted names; lists joined by commas."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        elif value is not None:
            text = ", ".join(map(_text, value)) if isinstance(value, list | tuple) else _text(value)
            yield f"{prefix}{name}", text


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, list | tuple):
        return "-".join(map(_text, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _pairs(caption: str, values: Mapping[str, str]) -> Table:
    rows = [[Cell(text=name), Cell(text=value)] for name, value in values.items()]
    columns = [Column(name="what", is_number=False), Column(name="value", is_number=False)]
    return Table(caption=caption, columns=columns, rows=rows, folded=True)


def _artifacts(artifacts: list[Mapping[str, Any]]) -> Table:
    columns = [
        Column(name="file", is_number=False),
        Column(name="bytes"),
        Column(name="SHA-256", is_number=False),
    ]
    rows = [
        [
            Cell(text=str(row["path"])),
            Cell(text=count(row["num_bytes"]), value=float(row["num_bytes"])),
            Cell(text=str(row["sha256"])),
        ]
        for row in artifacts
    ]
    return Table(caption="Kept models", columns=columns, rows=rows, folded=True)


def _linear_models(line: Mapping[str, Any]) -> Table:
    columns = [
        Column(name="block"),
        Column(name="C"),
        Column(name="validation log-loss", unit="nats"),
        Column(name="test log-loss", unit="nats"),
        Column(name="test accuracy", unit="%"),
    ]
    rows = [
        [
            Cell(text=count(row["block"]), value=float(row["block"])),
            Cell(text=f"{row['strength']:g}", value=row["strength"]),
            Cell(text=number(row["val_loss"]), value=row["val_loss"]),
            Cell(text=number(row["test_loss"]), value=row["test_loss"]),
            Cell(text=number(100 * row["test_accuracy"], 1), value=row["test_accuracy"]),
        ]
        for row in line["blocks"]
    ]
    caption = f"For comparison: {line['model']}, C chosen by validation log-loss"
    return Table(caption=caption, columns=columns, rows=rows, folded=True)

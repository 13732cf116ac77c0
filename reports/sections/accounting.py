"""Accounting: what was planned and what became of it, overall, by phase and by level, adding up exactly."""

import json
import math
from collections.abc import Mapping
from typing import Any

from reports.inputs.decisions import LOOK_DECIDED
from reports.plots.style.marks import levels
from reports.sections.parts.section import Cell, Column, ReportContext, Section, Table
from reports.wording.words import MISSING, count, duration, factor_name, level_name, plural

COUNTS = {
    "planned": "planned",
    "missing": "not reached",
    "waiting": "waiting",
    "running": "running",
    "complete": "complete",
    "pruned": "stopped early",
    "failed": "failed",
    "retried": "retried",
    "networks": "networks",
    "diverged": "diverged",
    "epochs": "network-epochs",
}
HALVED = "stack_halved"
NODE_LOST, WORKER_LOST, NODES_CHECKED = "node_lost", "worker_lost", "nodes_checked"
ELSEWHERE = ("run_started", "cluster_started", "run_ended", "linear_model", NODE_LOST, LOOK_DECIDED)
"""Told under provenance, above the tables, and look by look."""
MAX_NODES = 10
"""Of how many lost nodes the names are told."""
SHORT = 12
"""Characters of a node's identifier by which the event of a lost worker names it."""
NAMES = {"num_blocks": "up to block"}
NUMBERS = ("look", "num_blocks")
ALWAYS = {"planned", "complete", "pruned", "failed", "networks", "diverged", "epochs"}


def accounting(report_context: ReportContext) -> Section:
    """Tables of counts; a column that is 0 everywhere and says little is left out."""
    counts = report_context.report["accounting"]
    shown = [name for name in COUNTS if name in ALWAYS or counts[name]]
    by_phase = [*counts["by_phase"], {"phase": "both", **counts}]
    tables = [
        _table("Trials by phase", ["phase"], by_phase, shown, folded=False),
        _table("Trials by level", ["factor", "level"], counts["by_level"], shown, folded=True),
        _table("Confirm trials by look", ["look", "num_blocks"], counts["by_look"], shown, folded=True),
        _rungs(counts["by_rung"]),
    ]
    context = {
        "sum": _sum(counts),
        "tables": [table for table in tables if table.rows],
        "events": _events(report_context),
        "copied": _copied(counts["copied"]),
        "halved": _halved(report_context),
        "lost_nodes": _lost_nodes(report_context),
    }
    return Section(
        slug="accounting",
        title="What became of every trial",
        folded=True,
        hint="planned, stopped, failed, complete",
        context=context,
    )


def _copied(copied: Mapping[str, int]) -> str:
    """Which trials were taken over from another study; their seconds were spent there."""
    parts = [f"{plural(num, 'trial')} from {name}" for name, num in copied.items()]
    return (
        f" Copied, not trained again: {', '.join(parts)}; the time they took counts there." if parts else ""
    )


def _halved(report_context: ReportContext) -> str:
    """How many trials were trained in smaller stacks, because memory ran out; their numbers are the same."""
    events = report_context.inputs.events
    num = events.loc[events["kind"] == HALVED, "trial_number"].nunique() if len(events) else 0
    return f" Memory ran out in {plural(num, 'trial')}, trained in smaller stacks instead." if num else ""


def _lost_nodes(report_context: ReportContext) -> str:
    """Which nodes of the cluster were lost with workers of the study, and how many trials that cost an attempt."""
    events = report_context.inputs.events
    nodes = (
        [json.loads(detail) for detail in events.loc[events["kind"] == NODE_LOST, "detail"]]
        if len(events)
        else []
    )
    if not nodes:
        return ""
    lost = events[events["kind"] == WORKER_LOST]
    words = lost["detail"].fillna("").astype(str)
    is_of_node = words.map(lambda told: any(node["node_id"][:SHORT] in told for node in nodes))
    num_trials = lost.loc[is_of_node.astype(bool), "trial_number"].nunique()
    names = [f"{node['address']} (host {node['host']}, Ray node {node['node_id'][:SHORT]})" for node in nodes]
    hidden = len(names) - MAX_NODES
    more = [f"{count(hidden)} more"] if hidden > 0 else []
    was = "was" if len(nodes) == 1 else "were"
    return (
        f"{plural(len(nodes), 'node')} of the cluster {was} lost while trials trained there: "
        f"{', '.join([*names[:MAX_NODES], *more])}. {plural(num_trials, 'trial')} lost a worker by that and "
        "went on elsewhere, from the latest checkpoint or from the start; nothing is missing or counted twice for it."
    )


def _sum(counts: Mapping[str, Any]) -> str:
    """One line that a reader can add up."""
    parts = [
        ("complete", "complete"),
        ("pruned", "stopped early"),
        ("failed", "failed"),
        ("running", "running"),
    ]
    listed = " + ".join(f"{count(counts[key])} {name}" for key, name in parts if counts[key] or key in ALWAYS)
    rest = [("waiting", "waiting"), ("missing", "not reached")]
    more = "".join(f" + {count(counts[key])} {name}" for key, name in rest if counts[key])
    return f"{count(counts['planned'])} trials planned = {listed}{more}."


def _table(
    caption: str, keys: list[str], records: list[Mapping[str, Any]], shown: list[str], *, folded: bool
) -> Table:
    columns = [
        *(Column(name=NAMES.get(key, key), is_number=key in NUMBERS) for key in keys),
        *(Column(name=COUNTS[name]) for name in shown),
    ]
    columns.append(Column(name="busy time"))
    rows = []
    for record in records:
        names = [_key(key, record[key]) for key in keys]
        counted = [record[name] for name in shown]
        rows.append(
            [
                *(Cell(text=name) for name in names),
                *(Cell(text=count(value), value=value) for value in counted),
                Cell(
                    text=duration(record["seconds"]) if record["seconds"] else MISSING,
                    value=record["seconds"],
                ),
            ]
        )
    owners = [levels(record["factor"], record["level"]) for record in records] if "level" in keys else []
    return Table(caption=caption, columns=columns, rows=rows, folded=folded, of=owners)


def _key(key: str, value: Any) -> str:
    if key in NUMBERS:
        return count(value)
    return level_name(value) if key == "level" else factor_name(str(value))


def _rungs(records: list[Mapping[str, Any]]) -> Table:
    rows = [
        [
            Cell(text=count(row["rung"]), value=row["rung"]),
            Cell(text=count(row["pruned"]), value=row["pruned"]),
        ]
        for row in records
        if not math.isnan(row["pruned"])
    ]
    columns = [Column(name="rung", unit="epoch"), Column(name="stopped there")]
    return Table(caption="Search trials stopped, by rung", columns=columns, rows=rows, folded=True)


def _events(report_context: ReportContext) -> list[tuple[str, str, str]]:
    """What happened beside training, such as retries; the twenty latest."""
    events = report_context.inputs.events
    told = events[~events["kind"].isin(ELSEWHERE)] if len(events) else events
    return (
        [
            (str(row["at"]), str(row["kind"]), _detail(row["kind"], row["detail"] or ""))
            for row in told.sort_values("sequence").tail(20).to_dict("records")
        ]
        if len(events)
        else []
    )


def _detail(kind: str, detail: str) -> str:
    """An event's detail in words: of what a cluster's nodes answered, only what a reader is to know."""
    if kind != NODES_CHECKED:
        return str(detail)
    found = json.loads(detail)
    return "; ".join([f"{plural(len(found['nodes']), 'node')} of the cluster asked", *found["notes"]])

"""The page of `studies verify NAME`: one line for each check, its first faults below it, and what to do."""

from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from studies.base.wording import count
from studies.terminal.output import text
from studies.verification.check import Check
from studies.verification.verification import Verification

FAULTS_SHOWN = 3
FAULTS_IN_JSON = 100


def verification_page(found: Verification) -> RenderableType:
    """Return the whole page."""
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for check in found.checks:
        mark = text("ok", "green") if check.holds else text("FAIL", "bold red")
        table.add_row(mark, check.name, _line(check))
        for fault in _shown(check):
            table.add_row("", "", text(f"- {fault}", "red"))
    title = text(f"{found.study}  {found.state}, plan {found.plan_hash[:12]}", "bold")
    return Group(title, Text(), table, Text(), text(_summary(found)))


def as_json(found: Verification) -> dict[str, Any]:
    """Return the verification as JSON data."""
    return {
        "study": found.study,
        "state": found.state,
        "plan_hash": found.plan_hash,
        "at": found.at.isoformat(),
        "sound": found.is_sound,
        "checks": [
            {
                "name": check.name,
                "rule": check.rule,
                "holds": check.holds,
                "looked_at": check.looked_at,
                "num_faults": len(check.faults),
                "faults": list(check.faults[:FAULTS_IN_JSON]),
            }
            for check in found.checks
        ],
        "advice": found.advice,
    }


def _line(check: Check) -> Text:
    return text(check.rule).append(f": {check.looked_at}", "dim")


def _shown(check: Check) -> Iterator[str]:
    yield from check.faults[:FAULTS_SHOWN]
    more = len(check.faults) - FAULTS_SHOWN
    if more > 0:
        yield f"and {count(more)} more"


def _summary(found: Verification) -> str:
    failed = [check for check in found.checks if not check.holds]
    if not failed:
        return f"Sound: all {len(found.checks)} checks hold."
    return f"Not sound: {len(failed)} of {len(found.checks)} checks fail. {found.advice}"

"""Checks that the stored plan is the one that was frozen."""

import hashlib
import json
from collections.abc import Iterator

import pandas as pd

from studies.base.errors import DamagedRecordError, UsageError
from studies.base.wording import counted
from studies.database.frames.raw_rows import Rows
from studies.planning.plan import Plan
from studies.run_log.run_events import STARTED
from studies.verification.check import Check
from studies.verification.json_values import parsed

RULE = "the stored plan is the one that was frozen before the first trial"


def check_plan(rows: Rows) -> Check:
    """Compare the stored plan with its hash, the study's row, and the hash that each run recorded at its start."""
    starts = _noted_hashes(rows.events)
    return Check(
        name="plan",
        rule=RULE,
        looked_at=f"1 plan, {counted(len(starts), 'start')} of a run",
        faults=list(_faults(rows, starts)),
    )


def read_plan(rows: Rows) -> Plan | None:
    """Return the stored plan; None if it cannot be read as one."""
    try:
        return Plan.from_dict(rows.study["name"], json.loads(rows.study["plan"]))
    except (UsageError, DamagedRecordError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _faults(rows: Rows, starts: list[str]) -> Iterator[str]:
    study = rows.study
    try:
        plan = json.loads(study["plan"])
        found = hashlib.sha256(json.dumps(plan, separators=(",", ":"), allow_nan=False).encode()).hexdigest()
    except ValueError as error:
        yield f"the stored plan is not JSON: {error}"
        return
    if found != study["plan_hash"]:
        yield f"the stored plan has the hash {found[:12]}, and {study['plan_hash'][:12]} was frozen: it was changed"
    others = sorted({noted[:12] for noted in starts if noted != study["plan_hash"]})
    if others:
        yield f"a run was started with a plan of the hash {', '.join(others)}, which is not {study['plan_hash'][:12]}"
    if read_plan(rows) is None:
        yield "the stored plan is not a plan of this version of Studies: nothing can be judged by it"
        return
    for name in ("seed", "question"):
        if plan[name] != study[name]:
            yield f"the plan's {name} is {plan[name]!r}, and the study's row says {study[name]!r}"


def _noted_hashes(events: pd.DataFrame) -> list[str]:
    """Return the hashes that runs recorded at their start; earlier versions recorded none."""
    details = events.loc[events["kind"] == STARTED, "detail"]
    noted = [started.get("plan_hash") for started in map(parsed, details) if isinstance(started, dict)]
    return [each for each in noted if isinstance(each, str)]

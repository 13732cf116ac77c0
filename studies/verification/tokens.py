"""Check I5: a run that had lost the study wrote nothing to it afterwards."""

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import pandas as pd

from studies.base.wording import counted
from studies.verification.check import Check
from studies.verification.record import Record

RULE = "fencing tokens never fall in the order of writes"


def check_tokens(record: Record) -> Check:
    """Sort epochs, decisions and events in the order of their writes, and check that tokens never decrease."""
    rows = _in_order(record)
    tokens = rows["fencing_token"].nunique()
    return Check(
        name="I5",
        rule=RULE,
        looked_at=f"{counted(len(rows), 'row')} under {counted(tokens, 'token')}",
        faults=list(_faults(rows, record)),
    )


def _in_order(record: Record) -> pd.DataFrame:
    """Return columns sequence, fencing_token, trial_number and what, in the order of the writes."""
    rows = record.rows
    kinds = {"epoch": rows.epochs, "decision": rows.rungs, "event": rows.events}
    parts = [
        frame[["sequence", "fencing_token", "trial_number"]].assign(what=what)
        for what, frame in kinds.items()
    ]
    there = [part for part in parts if len(part)]
    joined = pd.concat(there) if there else parts[0]
    return joined.sort_values("sequence", kind="stable").reset_index(drop=True)


def _faults(rows: pd.DataFrame, record: Record) -> Iterator[str]:
    highest = rows["fencing_token"].cummax()
    fallen = rows.assign(highest=highest)[rows["fencing_token"] < highest]
    for row in fallen.to_dict("records"):
        yield f"{_written(row)} has token {row['fencing_token']} after token {row['highest']}"
    for row in rows[rows["sequence"].duplicated()].to_dict("records"):
        yield f"{_written(row)} has a number that was given before"
    study = record.rows.study
    for column, name in (("sequence", "write"), ("fencing_token", "token")):
        last = rows[column].max() if len(rows) else 0
        if last > study[column]:
            yield f"a {name} has the number {last}, and the study has given {study[column]} at most"


def _written(row: Mapping[Hashable, Any]) -> str:
    what = {"epoch": "an epoch", "decision": "a decision", "event": "an event"}[row["what"]]
    of_trial = "" if pd.isna(row["trial_number"]) else f" of trial {int(row['trial_number'])}"
    return f"write {row['sequence']} ({what}{of_trial})"

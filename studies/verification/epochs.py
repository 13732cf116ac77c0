"""Check I1: every network has each of its epochs once."""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, cast

import numpy as np
import pandas as pd

from studies.base.wording import counted
from studies.verification.check import Check, named
from studies.verification.record import Record
from trainables.training.stopping_rule import stopping_epoch

RULE = "epochs contiguous from 1, none twice, none past the plan, fewer only where a network stopped early"
_KEY = ["trial_number", "replicate"]


def check_epochs(record: Record) -> Check:
    """Compare the epochs of each network with those that its trial reached, or at which it stopped early."""
    rows = record.rows.epochs
    networks = _networks(record, rows)
    broken = networks[~networks["is_whole"]]
    return Check(
        name="I1",
        rule=RULE,
        looked_at=f"{counted(len(rows), 'epoch')} of {counted(int((networks['size'] > 0).sum()), 'network')}",
        faults=[*_unnamed(rows), *_described(broken, rows, record.plan.study.confirm.epochs)],
    )


def _networks(record: Record, rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each planned or recorded network: its epochs, and whether they are complete.

    `reached` is the last epoch that the network should have.
    """
    found = rows.groupby(_KEY)["epoch"].agg(["size", "nunique", "min", "max"]).reset_index()
    networks = record.networks.merge(found, on=_KEY, how="outer").fillna(
        {"reached": 0, "size": 0, "nunique": 0, "min": 1, "max": 0}
    )
    ends = early_ends(record)
    own = pd.Series([ends.get(key) for key in networks[_KEY].itertuples(index=False, name=None)], dtype=float)
    networks["stops_early"] = own < networks["reached"]
    networks["reached"] = np.fmin(networks["reached"], own)
    reached, last = networks["reached"], record.plan.study.confirm.epochs
    is_whole = (
        (networks["size"] == reached)
        & (networks["nunique"] == reached)
        & (networks["max"] == reached)
        & (networks["min"] == 1)
        & (reached <= last)
    )
    return networks.assign(is_whole=is_whole)


def _unnamed(rows: pd.DataFrame) -> Iterator[str]:
    num_unnamed = int(rows[[*_KEY, "epoch"]].isna().any(axis=1).sum())
    if num_unnamed:
        yield f"{counted(num_unnamed, 'row')} without a trial, a replicate or an epoch"


def _described(broken: pd.DataFrame, rows: pd.DataFrame, last: int) -> list[str]:
    theirs = rows.merge(broken[_KEY], on=_KEY)
    epochs = {key: sorted(map(int, group)) for key, group in theirs.groupby(_KEY)["epoch"]}
    described = []
    columns = [*_KEY, "reached", "stops_early"]
    for number, replicate, reached, stops_early in broken[columns].astype(int).itertuples(index=False):
        limit = (
            f"past its early stop after epoch {reached}"
            if stops_early
            else f"past what its trial reached, {reached}"
        )
        faults = "; ".join(_faults(epochs.get((number, replicate), []), reached, last, limit))
        described.append(f"trial {number}, replicate {replicate}: {faults}")
    return described


def _faults(epochs: list[int], reached: int, last: int, limit: str) -> Iterator[str]:
    """Yield the faults in a network's epochs; `reached` is the last it should have, `last` the plan's last one."""
    there = set(epochs)
    twice = {epoch for epoch, following in pairwise(epochs) if epoch == following}
    for kind, listed in (
        ("missing", set(range(1, min(reached, last) + 1)) - there),
        ("there more than once", twice),
        (f"past the plan, which ends with {last}", {epoch for epoch in there if epoch > last}),
        ("before the first", {epoch for epoch in there if epoch < 1}),
        (limit, {e for e in there if reached < e <= last}),
    ):
        if listed:
            yield f"{named(listed, 'epoch')} {'is' if len(listed) == 1 else 'are'} {kind}"
    if reached > last:
        yield f"its trial says that it reached {reached}, and the plan ends with {last}"


Key = tuple[int, int]
"""A trial's number and a replicate."""


def early_ends(record: Record) -> dict[Key, int]:
    """Return the epoch after which each network stops early, computed from patience and monitor; others are absent."""
    rules = {
        number: rule
        for number, trial in record.by_number.items()
        if (rule := _rule(record, trial["params"])) is not None
    }
    rows = record.rows.epochs
    rows = rows[rows["trial_number"].isin(rules)].sort_values("epoch")
    ends = {}
    for key, own in rows.groupby(["trial_number", "replicate"]):
        number, replicate = map(int, cast(Key, key))
        patience, monitor = rules[number]
        values = [value if math.isfinite(value) else None for value in own[monitor].astype(float)]
        end = stopping_epoch(values, monitor=monitor, patience=patience)
        if end is not None:
            ends[number, replicate] = end
    return ends


def _rule(record: Record, params: Any) -> tuple[int, str] | None:
    """Return a trial's patience and monitor; None without early stopping."""
    values = record.plan.hyperparameters(params if isinstance(params, dict) else {})
    patience, monitor = values["patience"], values["monitor"]
    assert isinstance(monitor, str)
    return (patience, monitor) if isinstance(patience, int) else None

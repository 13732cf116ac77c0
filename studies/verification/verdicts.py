"""Checks that verdicts follow from their measures and the plan's thresholds, and the measures from the layers' rows."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from reports.stability.verdicts import Measures, judge, verdict
from studies.base.states import Phase
from studies.database.frames.raw_rows import Damaged, key_of
from studies.database.schema import tables
from studies.diagnosis.verdict_accumulator import initial_of_layers, trained_of_layers
from studies.verification.json_values import parsed
from studies.verification.record import Record
from trainables.base.records import EpochRecord, LayerRecord

_KEY: Final = ["trial_number", "replicate"]
_LAYER: Final = [field.name for field in fields(LayerRecord)]
_RELATIVE: Final = 1e-6
"""Relative tolerance for slopes of logarithms, computed from numbers that were rounded when stored as text."""


def verdict_faults(record: Record) -> Iterator[Damaged]:
    """Yield verdicts that do not follow from their measures, and measures that do not follow from the layers' rows."""
    thresholds, rows = asdict(record.plan.study.thresholds), record.rows.replicates
    layers = _layer_measures(record)
    columns = [*_KEY, "verdict_initial", "verdict_trained", "verdicts"]
    for number, replicate, initial, trained, text in rows[columns].itertuples(index=False):
        details = parsed(text)
        if not isinstance(details, dict):
            if initial is not None or trained is not None:
                yield _of_network(number, replicate, "verdicts are missing")
            continue
        for when, stored in (("initial", initial), ("trained", trained)):
            found = details.get(when)
            words = None if not isinstance(found, dict) else found.get("verdict")
            if stored != words:
                yield _of_network(number, replicate, f"verdict_{when} is {stored}, and {words} in verdicts")
            elif isinstance(found, dict):
                yield from _rejudged(number, replicate, when, found, thresholds)
                yield from _remeasured(number, replicate, when, found, layers)


def _rejudged(
    number: int, replicate: int, when: str, found: Mapping[str, Any], thresholds: Mapping[str, float]
) -> Iterator[Damaged]:
    names = [field.name for field in fields(Measures)]
    measures = found.get("measures")
    if not isinstance(measures, dict) or set(measures) != set(names) or measures["num_nonfinite"] is None:
        return
    findings = judge(Measures(**measures), thresholds)
    if [vars(finding) for finding in findings] != found.get("holds") or verdict(findings) != found["verdict"]:
        what = f"verdict_{when} is {found['verdict']}, and its measures come to {verdict(findings)} or other rules"
        yield _of_network(number, replicate, what)


def _remeasured(
    number: int, replicate: int, when: str, found: Mapping[str, Any], layers: Mapping[Any, Mapping[str, Any]]
) -> Iterator[Damaged]:
    expected = layers.get((number, replicate, when), {})
    for name, value in expected.items():
        stored = found["measures"].get(name)
        is_same = stored == value or (
            isinstance(stored, int | float)
            and isinstance(value, float)
            and math.isclose(stored, value, rel_tol=_RELATIVE)
        )
        if not is_same:
            what = f"verdicts have {name} {stored} as {when}, and its layers come to {value}"
            yield _of_network(number, replicate, what)


def _layer_measures(record: Record) -> dict[tuple[int, int, str], dict[str, float | None]]:
    """Return the measures computed from the confirm phase's layer rows, by trial, replicate, and "initial"/"trained".

    Networks without rows of the initialisation, or with unknown shares of dead units, are left out.
    """
    gradients = record.rows.gradients
    confirms = [number for number, trial in record.by_number.items() if trial["phase"] == Phase.CONFIRM]
    mine = gradients[gradients["trial_number"].isin(confirms)]
    mine = mine[mine[["trial_number", "replicate", "epoch", "layer"]].notna().all(axis=1)]
    known = mine.groupby(_KEY)["dead_fraction"].transform("count") == mine.groupby(_KEY)["layer"].transform(
        "size"
    )
    epochs: dict[tuple[int, int], list[EpochRecord]] = defaultdict(list)
    rows = mine.loc[known, [*_KEY, "epoch", *_LAYER]].sort_values([*_KEY, "epoch", "layer"])
    for (number, replicate, epoch), layers in groupby(
        rows.itertuples(index=False, name=None), itemgetter(0, 1, 2)
    ):
        measured = tuple(LayerRecord(**dict(zip(_LAYER, row[3:], strict=True))) for row in layers)
        epochs[number, replicate].append(EpochRecord(replicate=replicate, epoch=epoch, layers=measured))
    found = {}
    for (number, replicate), records in epochs.items():
        if records[0].epoch == 0:
            found[number, replicate, "initial"] = initial_of_layers(records[0])
            if len(records) > 1:
                found[number, replicate, "trained"] = trained_of_layers(records[1:])
    return found


def _of_network(number: int, replicate: int, what: str) -> Damaged:
    key = key_of(tables.replicate, {"trial_number": number, "replicate": replicate})
    return Damaged(table="replicate", key=key, what=what)

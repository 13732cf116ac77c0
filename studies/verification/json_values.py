"""Checks of columns that hold JSON: metrics, verdicts, evaluations, and the details of events."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from functools import lru_cache
from typing import Any, Final

from reports.inputs.decisions import LOOK_DECIDED, Standing
from reports.stability.growth import VERDICTS
from reports.stability.verdicts import Measures
from reports.statistics.gates import Gate
from studies.base.states import StudyState
from studies.database.frames.raw_rows import Damaged, Rows, key_of
from studies.database.schema import tables
from studies.definition.holdout import HOLDOUT_SCORES
from studies.forecast import gpu_fraction
from studies.run_log import baseline, run_events
from studies.run_log.reused import GROWN
from studies.verification.ranges import COUNT, FINITE, FROM_0, NUMBER, SHARE, Range, of_score
from trainables.base.metrics import BEST_EPOCH, STOPPED_EPOCH, TEST, VALIDATION

_EPOCH: Final = Range(low=1, is_whole=True, may_lack=True)
_METRICS: Final = {
    **{"num_nonfinite": FROM_0, "clip_fraction": SHARE, "spike_rate": SHARE},
    **dict.fromkeys((BEST_EPOCH, STOPPED_EPOCH), _EPOCH),
    **{name: Range(low=0) if name.endswith("loss") else Range(low=0, high=1) for name in HOLDOUT_SCORES},
}
_MEASURES: Final = frozenset(field.name for field in fields(Measures))
_UNREADABLE: Final = object()
_BIN: Final = {"low": SHARE, "high": SHARE, "count": COUNT, "confidence": SHARE, "accuracy": SHARE}
_SECONDS: Final = Range(low=0)

Check = Callable[[Any], Iterator[str]]


def parsed(text: str | None) -> Any:
    """Return the value of a JSON text; None if it is missing or not JSON (NaN and infinities are not)."""
    found = _read(text) if text is not None else None
    return None if found is _UNREADABLE else found


def _read(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return _UNREADABLE


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def unreadable(rows: Rows, *, is_classifier: bool) -> Iterator[Damaged]:
    """Yield each value that is not JSON, or JSON with other content than it should have."""

    @lru_cache(maxsize=4096)  # most epochs have no metrics, or equal ones
    def wrong_metrics(text: str) -> tuple[str, ...]:
        return tuple(_wrong(text, lambda value: _metrics(value, is_classifier)))

    for table, name, wrong in (
        (tables.trial, "params", lambda text: _wrong(text, _mapping)),
        (tables.trial, "versions", lambda text: _wrong(text, _mapping)),
        (tables.replicate, "metrics", wrong_metrics),
        (tables.epoch, "metrics", wrong_metrics),
        (tables.replicate, "verdicts", lambda text: _wrong(text, _verdicts)),
        (tables.evaluation, "confusion", lambda text: _wrong(text, _confusion)),
        (tables.evaluation, "calibration", lambda text: _wrong(text, _calibration)),
        (tables.evaluation, "samples", lambda text: _wrong(text, _list)),
    ):
        frame = rows.by_table[table]
        for place, text in enumerate(frame[name]):
            for what in () if text is None else wrong(text):
                yield Damaged(
                    table=table.name, key=key_of(table, frame.iloc[place].to_dict()), what=f"{name} {what}"
                )
    for event in rows.events.to_dict("records"):
        check = _EVENTS.get(event["kind"])
        for what in () if check is None or event["detail"] is None else _wrong(event["detail"], check):
            key = f"{key_of(tables.event, event)} ({event['kind']})"
            yield Damaged(table=tables.event.name, key=key, what=f"detail {what}")


def _wrong(text: str, check: Check) -> Iterator[str]:
    value = _read(text)
    if value is _UNREADABLE:
        yield "is not JSON"
    else:
        yield from check(value)


def _mapping(value: Any) -> Iterator[str]:
    if not isinstance(value, dict):
        yield "is not a JSON object"


def _list(value: Any) -> Iterator[str]:
    if not isinstance(value, list):
        yield "is not a list"


def _metrics(value: Any, is_classifier: bool) -> Iterator[str]:
    yield from _mapping(value)
    for name, number in value.items() if isinstance(value, dict) else ():
        is_score = name.startswith((VALIDATION, TEST, "train_"))
        allowed = _METRICS.get(name) or (of_score(name, is_classifier) if is_score else FINITE)
        if allowed.excludes(number):
            yield f"has {name} {_shown(number)}, and it holds {allowed.words}"


def _numbers(value: Any, ranges: Mapping[str, Range], where: str) -> Iterator[str]:
    """Yield what is wrong with the numbers that a JSON object must have."""
    if not isinstance(value, dict):
        yield f"has no JSON object as {where}"
        return
    for name, allowed in ranges.items():
        if name not in value or allowed.excludes(value[name]):
            has = _shown(value[name]) if name in value else "missing"
            yield f"has {name} {has} in {where}, which holds {allowed.words}"


def _verdicts(value: Any) -> Iterator[str]:
    if not isinstance(value, dict) or set(value) != {"initial", "trained"}:
        yield "lacks the verdicts at the initialisation and in training"
        return
    for when, found in value.items():
        if found is not None:
            yield from _finding(found, when)


def _finding(found: Any, when: str) -> Iterator[str]:
    if not isinstance(found, dict) or found.get("verdict") not in VERDICTS:
        yield f"has an unknown verdict as {when}"
        return
    measures, holds = found.get("measures"), found.get("holds")
    if not isinstance(measures, dict) or set(measures) != _MEASURES:
        yield f"lacks the measures of a network as {when}"
    else:
        yield from _numbers(measures, dict.fromkeys(measures, FROM_0), f"the measures as {when}")
    if not isinstance(holds, list):
        yield f"has no list of rules that hold as {when}"
        return
    for rule in holds:
        yield from _numbers(rule, {"value": FROM_0, "threshold": FROM_0}, f"a rule as {when}")


def _confusion(value: Any) -> Iterator[str]:
    is_square = isinstance(value, list) and all(
        isinstance(row, list) and len(row) == len(value) for row in value
    )
    if not is_square:
        yield "is not a square of counts"
    elif any(COUNT.excludes(count) for row in value for count in row):
        yield "has values that are not counts"


def _calibration(value: Any) -> Iterator[str]:
    yield from _list(value)
    for place, part in enumerate(value if isinstance(value, list) else (), start=1):
        yield from _numbers(part, _BIN, f"bin {place}")


def _started(value: Any) -> Iterator[str]:
    yield from _mapping(value)
    if isinstance(value, dict):
        yield from _numbers(value.get("dataset"), {"num_classes": COUNT}, "dataset")


def _nodes_checked(value: Any) -> Iterator[str]:
    nodes, notes = (value.get("nodes"), value.get("notes")) if isinstance(value, dict) else (None, None)
    if not isinstance(nodes, list):
        yield "has no list of nodes"
    if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
        yield "has no list of notes"


def _node_lost(value: Any) -> Iterator[str]:
    yield from _mapping(value)
    names = ("address", "host", "node_id")
    if isinstance(value, dict) and not all(
        isinstance(value.get(name), str) and value[name] for name in names
    ):
        yield "lacks the address, host or node_id of a node"


def _ended(value: Any) -> Iterator[str]:
    yield from _numbers(
        value, {"looks": COUNT, **dict.fromkeys(run_events.SECONDS, _SECONDS)}, "the end of a run"
    )
    if isinstance(value, dict) and value.get("state") not in tuple(StudyState):
        yield "has an unknown state"
    if isinstance(value, dict) and run_events.MEASURING in value:
        yield from _numbers(value, {run_events.MEASURING: _SECONDS}, "the end of a run")


def _linear_model(value: Any) -> Iterator[str]:
    ranges = {
        **{"block": COUNT, "strength": FROM_0, "seconds": FROM_0, "train_size": FROM_0},
        **{name: of_score(name, True) for name in baseline.COLUMNS if name.startswith((VALIDATION, TEST))},
    }
    yield from _numbers(value, ranges, "a linear model")
    if isinstance(value, dict) and not isinstance(value.get("model"), str):
        yield "has no name of a model"


def _grown(value: Any) -> Iterator[str]:
    yield from _numbers(value, {"trials": COUNT}, "what was copied")
    if isinstance(value, dict):
        cells = value.get("cells")
        if not isinstance(value.get("source"), str):
            yield "has no source"
        if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
            yield "has no list of cells"


def _look_decided(value: Any) -> Iterator[str]:
    yield from _numbers(value, {"look": COUNT, "num_blocks": COUNT}, "what follows from a look")
    if not isinstance(value, dict):
        return
    cells, questions, blocks = value.get("cells"), value.get("questions"), value.get("next_blocks")
    if not isinstance(cells, list) or any(COUNT.excludes(cell) for cell in cells):
        yield "has no list of cells"
    if blocks is not None and COUNT.excludes(blocks):
        yield "has a number of next blocks that is no count"
    if not isinstance(questions, list) or not all(isinstance(each, dict) for each in questions):
        yield "has no list of questions"
        return
    for each in questions:
        yield from _numbers(each, {"look": COUNT, "num_blocks": COUNT}, "a question")
        if each.get("standing") not in tuple(Standing) or each.get("gate") not in tuple(Gate):
            yield "has a question of unknown standing or gate"


def _peak(value: Any) -> Iterator[str]:
    yield from _numbers(value, dict.fromkeys(("allocated_bytes", "total_bytes"), COUNT), "a peak of memory")


_EVENTS: Final[Mapping[str, Check]] = {
    run_events.STARTED: _started,
    run_events.CLUSTER: lambda value: _numbers(
        value, {"workers": NUMBER, "threads_per_worker": NUMBER}, "the workers"
    ),
    run_events.NODES: _nodes_checked,
    run_events.NODE_LOST: _node_lost,
    run_events.ENDED: _ended,
    baseline.KIND: _linear_model,
    GROWN: _grown,
    LOOK_DECIDED: _look_decided,
    gpu_fraction.PEAK_MEMORY: _peak,
}


def _shown(value: Any) -> str:
    """Return a JSON value on one line, shortened."""
    text = json.dumps(value) if not isinstance(value, float) or math.isfinite(value) else str(value)
    return text if len(text) <= 40 else f"{text[:40]}..."

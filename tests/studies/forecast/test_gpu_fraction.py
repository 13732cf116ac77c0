"""The fraction of a GPU that a trial needs, from made-up peaks."""

from datetime import UTC, datetime

import pytest

from studies.database.rows import EventRow
from studies.forecast.gpu_fraction import (
    GIB,
    HEADROOM,
    PEAK_MEMORY,
    PROCESS_BYTES,
    advice,
    peak_detail,
    suggest,
)
from trainables.base.records import PeakMemory


def event(gib: float, *, of: float = 80, trial: int = 1, kind: str = PEAK_MEMORY) -> EventRow:
    memory = PeakMemory(allocated_bytes=int(gib * GIB), total_bytes=int(of * GIB), gpu="made up")
    now = datetime.now(UTC)
    return EventRow(sequence=trial, at=now, kind=kind, trial_number=trial, detail=peak_detail(memory))


@pytest.mark.parametrize(
    ("gib", "workers", "fitting", "fraction"),
    [(0.1, 4, 4, 0.25), (10, 99, 6, 0.166), (20, 99, 3, 0.333), (40, 99, 1, 1.0), (79, 99, 1, 1.0)],
)
def test_as_many_fit_as_memory_and_workers_allow(
    gib: float, workers: int, fitting: int, fraction: float
) -> None:
    share = suggest([event(gib)], num_workers=workers)
    assert share is not None
    assert (share.fitting, share.fraction) == (fitting, fraction)
    assert share.fitting * share.fraction <= 1, "Ray must be able to give it out"


def test_what_is_suggested_leaves_headroom() -> None:
    for gib in (1, 2, 5, 9, 13, 26):
        share = suggest([event(gib)], num_workers=1000)
        assert share is not None
        assert share.fitting * (gib * GIB * HEADROOM + PROCESS_BYTES) <= 80 * GIB


def test_the_trial_that_needs_most_of_its_gpu_decides() -> None:
    share = suggest([event(4, of=80), event(3, of=16, trial=5), event(2, of=16, trial=6)], num_workers=9)
    assert share is not None
    assert (share.trial, share.fitting) == (5, 3)
    assert share.words == (
        "--gpus-per-trial 0.333: a trial's tensors took up to 3.0 GiB of the 16.0 GiB of made up (trial 5); "
        "with room to spare 3 trials run on it at once"
    )
    alone = suggest([event(15, of=16)], num_workers=9)
    assert alone is not None
    assert alone.words.startswith("--gpus-per-trial 1: ")
    assert alone.words.endswith("one runs on it at a time")


def test_without_a_measure_nothing_is_said_or_how_to_get_one() -> None:
    others = [event(1, kind="worker_lost")]
    assert suggest(others, num_workers=4) is None
    assert advice(others, num_workers=4, has_gpu=False) is None
    told = advice([], num_workers=4, has_gpu=True)
    assert told is not None
    assert "--gpus-per-trial 1" in told

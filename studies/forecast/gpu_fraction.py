"""The fraction of a GPU that a trial needs, from the memory that earlier trials of the same study took."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from studies.database.rows import EventRow
from trainables.base.records import PeakMemory

PEAK_MEMORY = "peak_memory"
"""The event of a trial that used more GPU memory than any before it in its run."""

HEADROOM = 1.25
"""Memory given to a trial, as a multiple of its tensors' peak: the allocator keeps unused pieces."""

PROCESS_BYTES = 600 * 2**20
"""Memory that CUDA itself takes for each process, which the allocator does not count."""

GIB = 2**30

HOW_TO_FIND_OUT = (
    "--gpus-per-trial: unknown until a trial has run here; run the study with --gpus-per-trial 1, stop it "
    "with Ctrl-C when trials have ended, and ask again: what was trained is kept"
)


@dataclass(frozen=True, kw_only=True)
class GpuShare:
    """How many trials fit on a GPU (`fitting`) with `fraction` of it each; `trial` was the largest one."""

    fraction: float
    fitting: int
    trial: int | None
    memory: PeakMemory

    @property
    def words(self) -> str:
        """Return the advice and its reason as text."""
        peak, total = (
            f"{size / GIB:.1f} GiB" for size in (self.memory.allocated_bytes, self.memory.total_bytes)
        )
        several = (
            f"{self.fitting} trials run on it at once" if self.fitting > 1 else "one runs on it at a time"
        )
        return (
            f"--gpus-per-trial {self.fraction:g}: a trial's tensors took up to {peak} of the {total} of "
            f"{self.memory.gpu} (trial {self.trial}); with room to spare {several}"
        )


def peak_detail(memory: PeakMemory) -> str:
    """Return the detail of a peak-memory event, as JSON."""
    return json.dumps(asdict(memory), sort_keys=True)


def suggest(events: Sequence[EventRow], *, num_workers: int) -> GpuShare | None:
    """Return the fraction that fits the largest trial on the smallest GPU seen; None if none was recorded.

    No more trials share a GPU than there are workers.
    """
    seen = [
        (PeakMemory(**json.loads(event.detail)), event.trial_number)
        for event in events
        if event.kind == PEAK_MEMORY
    ]
    if not seen:
        return None
    memory, trial = max(seen, key=lambda each: _needed(each[0]))
    fitting = max(1, min(int(1 / _needed(memory)), num_workers))
    # Rounded down, so that `fitting` trials really fit.
    fraction = math.floor(1000 / fitting) / 1000
    return GpuShare(fraction=fraction, fitting=fitting, trial=trial, memory=memory)


def _needed(memory: PeakMemory) -> float:
    return (memory.allocated_bytes * HEADROOM + PROCESS_BYTES) / memory.total_bytes


def advice(events: Sequence[EventRow], *, num_workers: int, has_gpu: bool) -> str | None:
    """Return which fraction to give a trial; if unknown, how to find out, or None on a machine without a GPU."""
    share = suggest(events, num_workers=num_workers)
    if share is not None:
        return share.words
    return HOW_TO_FIND_OUT if has_gpu else None

"""Which fraction of a GPU a trial needs, told from the memory that trials of the same study took."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from studies.database.rows import EventRow
from trainables.base.records import PeakMemory

PEAK_MEMORY = "peak_memory"
"""The event of a trial that took more of a GPU's memory than any before it in its run."""

HEADROOM = 1.25
"""How many times what its tensors took a trial is given: the allocator keeps pieces that nobody uses."""

PROCESS_BYTES = 600 * 2**20
"""What CUDA itself takes for each process, which the allocator does not count."""

GIB = 2**30

HOW_TO_FIND_OUT = (
    "--gpus-per-trial: unknown until a trial has run here; run the study with --gpus-per-trial 1, stop it "
    "with Ctrl-C when trials have ended, and ask again: what was trained is kept"
)


@dataclass(frozen=True, kw_only=True)
class GpuShare:
    """As many trials as `fitting` share a GPU if each takes `fraction` of it; the largest was `trial`."""

    fraction: float
    fitting: int
    trial: int | None
    memory: PeakMemory

    @property
    def words(self) -> str:
        """Say what to give, and why."""
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
    """Return what the event of a peak holds."""
    return json.dumps(asdict(memory), sort_keys=True)


def suggest(events: Sequence[EventRow], *, num_workers: int) -> GpuShare | None:
    """Return the fraction that fits the largest trial seen on the smallest GPU; None where none was seen on any.

    No more trials share a GPU than there are workers to run them.
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
    # Rounded down, so that as many really fit.
    fraction = math.floor(1000 / fitting) / 1000
    return GpuShare(fraction=fraction, fitting=fitting, trial=trial, memory=memory)


def _needed(memory: PeakMemory) -> float:
    return (memory.allocated_bytes * HEADROOM + PROCESS_BYTES) / memory.total_bytes


def advice(events: Sequence[EventRow], *, num_workers: int, has_gpu: bool) -> str | None:
    """Say which fraction to give; how to find out where this machine has a GPU; None where there is nothing to say."""
    share = suggest(events, num_workers=num_workers)
    if share is not None:
        return share.words
    return HOW_TO_FIND_OUT if has_gpu else None

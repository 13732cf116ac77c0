"""Where trials run and what each takes; free of Ray, so that a command is checked before Ray is imported."""

import os
from dataclasses import dataclass
from typing import Self

from studies.base.errors import UsageError

CLIENT = "ray://"


@dataclass(frozen=True, kw_only=True)
class Resources:
    """The cluster's address (None: this machine), the number of concurrent trials, and what each one takes.

    Raises UsageError if a number is out of range, or if no trial could ever run on this machine.
    """

    address: str | None = None
    workers: int | None = None
    cpus_per_trial: float = 1.0
    gpus_per_trial: float = 0.0
    dashboard: bool = True

    def __post_init__(self) -> None:
        """Check the numbers and the address; report every mistake together."""
        mistakes = []
        if self.workers is not None and self.workers < 1:
            mistakes.append(f"--workers must be a whole number of at least 1; got {self.workers}")
        if not 0 < self.cpus_per_trial < 10_000:
            mistakes.append(f"--cpus-per-trial must be a number above 0; got {self.cpus_per_trial:g}")
        elif self.address is None and self.workers is None and self.cpus_per_trial > num_cores():
            mistakes.append(
                f"--cpus-per-trial must be at most {num_cores()}, the cores of this machine; "
                f"got {self.cpus_per_trial:g}"
            )
        if not 0 <= self.gpus_per_trial < 10_000:
            mistakes.append(f"--gpus-per-trial must be a number of at least 0; got {self.gpus_per_trial:g}")
        elif self.gpus_per_trial > 1 and self.gpus_per_trial % 1:
            mistakes.append(
                "--gpus-per-trial must be a part of one GPU, such as 0.5, or a whole number of them; "
                f"got {self.gpus_per_trial:g}"
            )
        if (self.address or "").startswith(CLIENT):
            # Through Ray's client Tune runs on the cluster, where the recorder would not reach the local storage.
            mistakes.append(
                f"--address {self.address} is one of Ray's client, through which no study can be run: run the command "
                "on a machine of the cluster, with --address auto or HOST:6379"
            )
        if mistakes:
            raise UsageError(mistakes, "Correct it and give the command again; nothing was trained.")

    @classmethod
    def asked_for(cls, *, address: str | None, **others: int | float | bool | None) -> Self:
        """Return the resources; the address defaults to RAY_ADDRESS, and `local` means this machine."""
        address = address or os.environ.get("RAY_ADDRESS") or "local"
        return cls(address=None if address == "local" else address, **others)  # type: ignore[arg-type]

    def arguments(self) -> list[str]:
        """Return the command-line arguments that ask for the same."""
        words = [] if self.address is None else ["--address", self.address]
        words += [] if self.workers is None else ["--workers", str(self.workers)]
        words += [] if self.cpus_per_trial == 1 else ["--cpus-per-trial", f"{self.cpus_per_trial:g}"]
        words += [] if self.gpus_per_trial == 0 else ["--gpus-per-trial", f"{self.gpus_per_trial:g}"]
        return words if self.dashboard else [*words, "--no-dashboard"]


def num_cores() -> int:
    """Return how many CPU cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def workers_here(resources: Resources) -> int:
    """Return the number of workers: as requested, or as many as fit on this machine."""
    return resources.workers or max(1, int((os.cpu_count() or 1) / max(resources.cpus_per_trial, 1e-9)))

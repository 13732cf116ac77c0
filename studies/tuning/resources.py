"""Where trials run and what each one takes; free of Ray, so that a command can be checked before Ray is loaded."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Resources:
    """A cluster's address or None for this machine, how many trials at once, and what each one takes."""

    address: str | None = None
    workers: int | None = None
    cpus_per_trial: float = 1.0
    gpus_per_trial: float = 0.0
    dashboard: bool = True

"""What a contender says when it is done: how many networks and epochs, between which moments."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Self


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """`started` is the start of the first trial, `ended` the end of the last one, in seconds since 1970."""

    networks: int
    network_epochs: int
    started: float
    ended: float

    @property
    def training_seconds(self) -> float:
        """Seconds from the first trial to the last."""
        return self.ended - self.started

    @classmethod
    def of_trials(cls, trials: Iterable[tuple[int, float, float]], *, networks_per_trial: int = 1) -> Self:
        """Return the outcome of trials, each with its epochs, start and end in seconds."""
        epochs, starts, ends = zip(*trials, strict=True)
        return cls(
            networks=networks_per_trial * len(epochs),
            network_epochs=networks_per_trial * sum(epochs),
            started=min(starts),
            ended=max(ends),
        )

    def print(self) -> None:
        """Print it as the last line of a contender's output."""
        print(json.dumps(asdict(self)))

    @classmethod
    def read(cls, output: str) -> Self:
        """Return what the last line of a contender's output says."""
        return cls(**json.loads(output.splitlines()[-1]))

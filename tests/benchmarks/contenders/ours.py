"""Ours: the command that a user gives, in a temporary folder, with what its database and report say of it."""

import json
import sys
import tempfile
from dataclasses import dataclass
from typing import Any

import studies
from tests.benchmarks.contenders.networks import WORKERS, Networks
from tests.benchmarks.contenders.outcome import Outcome
from tests.benchmarks.contenders.time_spent import TimeSpent
from tests.benchmarks.driving.command import run_words
from tests.benchmarks.measuring.processes import Command, measure_command


@dataclass(frozen=True, kw_only=True)
class OurRun:
    """A whole run: what it trained and took, what its workers did of it, and `seconds` as its report states them."""

    outcome: Outcome
    command: Command
    busy_seconds: float
    spent: TimeSpent
    seconds: dict[str, float]

    @property
    def busy_share(self) -> float:
        """Share of the time from the first trial to the last in which the workers trained."""
        return self.busy_seconds / (WORKERS * self.outcome.training_seconds)

    @property
    def idle_seconds(self) -> float:
        """Seconds before the first trial and after the last one."""
        return self.command.wall_seconds - self.outcome.training_seconds

    @property
    def recording_share(self) -> float:
        """Share of the wall time in which the driver recorded."""
        return self.seconds["recording"] / self.command.wall_seconds


def run_ours(networks: Networks, *, seed: int, single_look: bool = True) -> OurRun:
    """Run depth_study, or the part of it that `networks` names, from the command to the report.

    Without `single_look` it goes on until its questions are answered, or capped by the last look.
    """
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "studies.run", "depth_study", "--seed", str(seed), "--json"]
        options = run_words(networks.settings, workers=WORKERS, folder=folder, single_look=single_look)
        command = measure_command(words + options)
        trials = studies.load_study("study", storage=f"sqlite:///{folder}/studies.db").trials()
    report: dict[str, Any] = json.loads(command.output.splitlines()[-1])
    starts, ends = ([at.timestamp() for at in trials[name]] for name in ("started_at", "ended_at"))
    ended = command.looks[-1][0]
    return OurRun(
        outcome=Outcome.of_trials(
            zip(trials["epochs"].tolist(), starts, ends, strict=True),
            networks_per_trial=networks.replicates,
        ),
        command=command,
        busy_seconds=float(trials["busy_seconds"].sum()),
        spent=TimeSpent.of(trials, began=ended - command.wall_seconds, ended=ended),
        seconds=report["seconds"],
    )

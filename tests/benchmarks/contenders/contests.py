"""Running the contenders in turn on the same networks, and the rates at which each trained."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.benchmarks.contenders.networks import Levels, Networks
from tests.benchmarks.contenders.ours import OurRun, run_ours
from tests.benchmarks.contenders.outcome import Outcome
from tests.benchmarks.measuring.processes import Command, measure_command

OURS = "Studies"
RAY = "Ray Tune script"
RAY_KEPT = "Ray Tune script, processes kept"
OPTUNA = "Optuna alone, 2 processes"


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of one contender."""

    outcome: Outcome
    command: Command

    @property
    def rate(self) -> float:
        """Network-epochs a second, from the first trial to the last."""
        return self.outcome.network_epochs / self.outcome.training_seconds

    @property
    def cpu_rate(self) -> float:
        """Network-epochs for a second of all processes' processor time, from the first trial to the last."""
        spent = self.command.cpu_seconds_between(self.outcome.started, self.outcome.ended)
        return self.outcome.network_epochs / spent

    @property
    def whole_rate(self) -> float:
        """Network-epochs a second, from the command to its end."""
        return self.outcome.network_epochs / self.command.wall_seconds

    @property
    def network_rate(self) -> float:
        """Networks a second, from the first trial to the last, however many epochs ASHA gave them."""
        return self.outcome.networks / self.outcome.training_seconds


RATES: Mapping[str, Callable[[Run], float]] = {
    "network-epochs a second, first trial to last": lambda run: run.rate,
    "network-epochs a second of processor time": lambda run: run.cpu_rate,
    "network-epochs a second, command to end": lambda run: run.whole_rate,
    "networks a second, first trial to last": lambda run: run.network_rate,
}

Round = Mapping[str, Run]
"""A run of each contender, one after the other."""


@dataclass(frozen=True, kw_only=True)
class Contest:
    """All rounds, and more about our own runs."""

    rounds: Sequence[Round]
    ours: Sequence[OurRun]

    def values(self, name: str, rate: Callable[[Run], float]) -> list[float]:
        """Return a contender's rate in each round."""
        return [rate(runs[name]) for runs in self.rounds]


def hold(networks: Networks, *, contenders: Sequence[str], num_rounds: int) -> Contest:
    """Run every contender `num_rounds` times, each second time in the opposite order."""
    rounds, ours = [], []
    for number in range(num_rounds):
        runs = {}
        for name in contenders if number % 2 == 0 else reversed(contenders):
            if name == OURS:
                mine = run_ours(networks, seed=number)
                ours.append(mine)
                runs[name] = Run(outcome=mine.outcome, command=mine.command)
            else:
                runs[name] = _run_script(name, networks, seed=number)
            took = f"{runs[name].command.wall_seconds:.0f} s, {runs[name].command.cpu_seconds:.0f} s of processors"
            print(
                f"round {number + 1}: {name}: {took}, {runs[name].rate:.3g} network-epochs a second",
                file=sys.stderr,
            )
        rounds.append(runs)
    return Contest(rounds=rounds, ours=ours)


def _run_script(name: str, networks: Networks, *, seed: int) -> Run:
    cells: Sequence[Levels] = networks.sampled_cells
    words = ["ray_script"] if name == RAY else ["ray_script", "--reuse-actors"]
    if name == OPTUNA:
        words, cells = ["optuna_script"], networks.repeats * networks.cells
    script, *options = words
    command = measure_command(
        [
            *(sys.executable, "-m", f"tests.benchmarks.contenders.{script}", *options),
            *("--seed", str(seed), "--cells", json.dumps(cells)),
        ],
        # By default Ray's workers give way to everything else that runs, and this machine may do more than this.
        settings={"RAY_worker_niceness": "0"},
    )
    return Run(outcome=Outcome.read(command.output), command=command)

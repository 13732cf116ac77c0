"""The script that Ray Tune's documentation leads to: a function trainable, OptunaSearch, ASHA, one network a trial.

It is tuned as a careful user would: one thread a trial, the data in Ray's object store, no worker process for a
DataLoader of 1,077 rows, no checkpoint at each epoch (which the documentation's example writes). With
`--reuse-actors` a worker's process is kept from trial to trial.
"""

import argparse
import json
import tempfile
import time
from typing import Any

import ray
import torch
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.optuna import OptunaSearch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from tests.benchmarks.contenders.networks import BATCH_SIZE, EPOCHS, FIRST_RUNG, REDUCTION_FACTOR, WORKERS
from tests.benchmarks.contenders.outcome import Outcome
from tests.benchmarks.contenders.plain import Parts, build_network, build_optimizer, load_parts, suggest


def train_digits(config: dict[str, Any], parts: Parts) -> None:
    """Train one network and report after each epoch, with the norm of each layer's gradient."""
    torch.set_num_threads(1)
    inputs, targets, val_inputs, val_targets = parts
    network = build_network(config)
    optimizer = build_optimizer(config, network)
    criterion = nn.CrossEntropyLoss()
    train_loader = DataLoader(TensorDataset(inputs, targets), batch_size=BATCH_SIZE, shuffle=True)
    val_loader = DataLoader(TensorDataset(val_inputs, val_targets), batch_size=BATCH_SIZE)
    linear = [layer for layer in network if isinstance(layer, nn.Linear)]
    for _ in range(config.get("epochs", EPOCHS)):
        network.train()
        running_loss = 0.0
        norms = [0.0] * len(linear)
        for batch, labels in train_loader:
            optimizer.zero_grad()
            loss = criterion(network(batch), labels)
            loss.backward()
            for index, layer in enumerate(linear):
                assert layer.weight.grad is not None
                norms[index] += layer.weight.grad.norm().item()
            optimizer.step()
            running_loss += loss.item()
        network.eval()
        val_loss, num_correct = 0.0, 0
        with torch.no_grad():
            for batch, labels in val_loader:
                logits = network(batch)
                val_loss += criterion(logits, labels).item() * len(labels)
                num_correct += int((logits.argmax(1) == labels).sum().item())
        report = {
            "train_loss": running_loss / len(train_loader),
            "val_loss": val_loss / len(val_targets),
            "val_accuracy": num_correct / len(val_targets),
        }
        tune.report(report | {f"norm_{i}": norm / len(train_loader) for i, norm in enumerate(norms, start=1)})


class Clock(tune.Callback):
    """Notes when each trial began and ended."""

    def __init__(self) -> None:
        """Note nothing yet."""
        self.starts: dict[str, float] = {}
        self.ends: dict[str, float] = {}

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Note a start."""
        self.starts.setdefault(trial.trial_id, time.time())

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Note an end."""
        self.ends[trial.trial_id] = time.time()


def main() -> None:
    """Search over the cells given, one trial for each, and print what it came to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=json.loads, required=True, help="a JSON list of factor levels")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reuse-actors", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = search(options.cells, seed=options.seed, reuse_actors=options.reuse_actors, folder=folder)
    outcome.print()


def search(cells: list[dict[str, Any]], *, seed: int, reuse_actors: bool, folder: str) -> Outcome:
    """Train one network for each cell; Optuna chooses its rate, ASHA stops the worse."""
    ray.init(num_cpus=WORKERS)
    clock = Clock()
    trainable = tune.with_parameters(train_digits, parts=load_parts())
    tuner = tune.Tuner(
        tune.with_resources(trainable, {"cpu": 1}),
        tune_config=tune.TuneConfig(
            # The cells are queued, so that every contender trains the same; the rate is Optuna's to choose.
            search_alg=OptunaSearch(
                suggest, metric="val_loss", mode="min", points_to_evaluate=cells, seed=seed
            ),
            scheduler=ASHAScheduler(
                metric="val_loss",
                mode="min",
                max_t=EPOCHS,
                grace_period=FIRST_RUNG,
                reduction_factor=REDUCTION_FACTOR,
            ),
            num_samples=len(cells),
            max_concurrent_trials=WORKERS,
            reuse_actors=reuse_actors,
        ),
        run_config=tune.RunConfig(storage_path=folder, callbacks=[clock]),
    )
    results = tuner.fit()
    print("best:", results.get_best_result("val_loss", "min").config)
    last = [results[index].metrics or {} for index in range(len(results))]
    epochs = {result["trial_id"]: result["training_iteration"] for result in last}
    return Outcome.of_trials((epochs[trial], clock.starts[trial], clock.ends[trial]) for trial in epochs)


if __name__ == "__main__":
    main()

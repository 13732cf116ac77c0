"""A program: trains a trial with little memory to take, as a worker on a full machine has, and says how it went."""

import json
import resource
import sys
from dataclasses import replace

import psutil
import torch

from tests.trainables.conftest import load_digits
from tests.trainables.small import trial_spec
from trainables.base.records import TrialReport
from trainables.trials.reporting import train_trial_spec

REPLICATES = 8


def train_large(replicates: int) -> TrialReport:
    """Train networks that take about 12 MB each and as much again while a batch passes; return the last report."""
    digits = load_digits()
    data = replace(
        digits,
        train=digits.train[:1, :256].repeat(replicates, 1),
        validation=digits.validation[:1, :100].repeat(replicates, 1),
        test=digits.test[:1, :100].repeat(replicates, 1),
    )
    task = trial_spec(
        depth=3,
        width=512,
        batch_size=256,
        rungs=(1,),
        layers_at=(1,),
        blocks=tuple(range(replicates)),
        seeds=tuple(range(replicates)),
    )
    *_, last = train_trial_spec(task, data, worker="")
    return last


def main(megabytes: int) -> None:
    """Print losses and notes of a trial that may take `megabytes` more than a single network has taken before it."""
    torch.set_num_threads(1)
    train_large(1)
    taken = psutil.Process().memory_info().vms
    resource.setrlimit(resource.RLIMIT_AS, (taken + megabytes * 2**20,) * 2)
    last = train_large(REPLICATES)
    losses = [record.val_loss for record in last.replicates]
    print(json.dumps({"losses": losses, "notes": [[note.kind, note.text] for note in last.notes]}))


if __name__ == "__main__":
    main(int(sys.argv[1]))

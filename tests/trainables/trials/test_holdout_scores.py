"""Scores of both held-out parts together, against one evaluation over the rows of both."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from tests.trainables.modules import build_picture
from tests.trainables.signals import in_float64
from tests.trainables.small import train_in_peace, trial_spec
from trainables.base.records import Outcome, ReplicateRecord
from trainables.data.stack_data import StackData
from trainables.networks.memory import MemoryLimits
from trainables.training.evaluation import evaluate
from trainables.training.loop import train_epochs
from trainables.training.stack import Stack
from trainables.trials.report_interval import interval_of

NAMES = ("holdout_loss", "holdout_accuracy")
KINDS: dict[str, dict[str, Any]] = {
    "a stack": {"model": "mlp", "dropout": 0.3, "batch_norm": True, "schedule": "cosine"},
    "modules": {"model": "own", "dropout": 0.3, "batch_norm": True},
}


def ended(kind: str, data: StackData, **changes: Any) -> tuple[list[ReplicateRecord], Stack]:
    """Train to the end; return the last records and the stack with the final weights."""
    task = trial_spec(**{"reads_test": True, "scores_holdout": True, **KINDS[kind], **changes})
    stack = Stack.make(
        task.model,
        task.hyperparameters,
        data,
        seeds=task.seeds,
        build=build_picture if task.model == "own" else None,
    )
    trained = list(train_epochs(stack, epochs=task.epochs))
    return list(interval_of(task, stack, trained, part=range(3)).replicates), stack


def naive(stack: Stack) -> list[tuple[float, float]]:
    """Evaluate on the rows of both parts, concatenated."""
    data = stack.data
    with torch.no_grad():
        losses, accuracies = evaluate(stack.model, data, torch.cat([data.validation, data.test], 1))
    return list(zip(losses.tolist(), accuracies.tolist(), strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_they_are_those_of_the_concatenated_rows(digits: StackData, kind: str) -> None:
    """In float64 both ways sum the same numbers in another order: 720 terms round by less than 1e-13 of the sum."""
    uneven = replace(in_float64(digits), validation=digits.validation[:, :123])
    records, stack = ended(kind, uneven)
    for record, expected in zip(records, naive(stack), strict=True):
        assert [record.metrics[name] for name in NAMES] == pytest.approx(expected, rel=1e-13)
        assert record.metrics["holdout_loss"] != pytest.approx(record.test_loss, rel=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_in_float32_they_are_too_up_to_its_rounding(digits: StackData, kind: str) -> None:
    records, stack = ended(kind, digits)
    for record, expected in zip(records, naive(stack), strict=True):
        assert [record.metrics[name] for name in NAMES] == pytest.approx(expected, rel=1e-5)


def test_a_trial_that_is_not_asked_has_none_and_the_same_numbers_otherwise(digits: StackData) -> None:
    asked, _ = ended("a stack", digits)
    plain, _ = ended("a stack", digits, scores_holdout=False)
    for with_them, without in zip(asked, plain, strict=True):
        assert not {*NAMES} & {*without.metrics}
        assert {
            name: value for name, value in with_them.metrics.items() if name not in NAMES
        } == without.metrics
        assert (with_them.val_loss, with_them.test_loss) == (without.val_loss, without.test_loss)


def test_before_the_end_there_are_none(digits: StackData) -> None:
    task = trial_spec(reads_test=True, scores_holdout=True)
    first, last = train_in_peace(task, digits, worker="")
    assert all(not {*NAMES} & {*record.metrics} for record in first.replicates)
    assert all({*NAMES} <= {*record.metrics} for record in last.replicates)


def test_stacks_that_take_turns_have_the_scores_of_one(digits: StackData) -> None:
    task, limits = trial_spec(reads_test=True, scores_holdout=True, rungs=(1,), layers_at=()), MemoryLimits()
    (whole,) = train_in_peace(task, digits, worker="")
    limits.note(1, 1)
    (turns,) = train_in_peace(task, digits, worker="", limits=limits)
    for one, other in zip(whole.replicates, turns.replicates, strict=True):
        assert one.metrics == pytest.approx(other.metrics, rel=1e-4)


def test_a_network_that_diverged_has_none(digits: StackData) -> None:
    records, _ = ended("a stack", digits, optimizer="sgd", learning_rate=1e30, batch_norm=False)
    assert [record.outcome for record in records] == [Outcome.DIVERGED] * 3
    assert all(not {*NAMES} & {*record.metrics} for record in records)

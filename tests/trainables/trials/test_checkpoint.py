"""From a checkpoint a stack goes on to the very same numbers; a damaged or strange one is refused."""

import copy
import dataclasses
import functools
import math
import pickle
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainables.conftest import load_digits
from tests.trainables.small import trial_spec
from trainables.data.stack_data import StackData
from trainables.training.loop import train
from trainables.training.stack import Stack
from trainables.trials.artifact import from_bytes, metadata_of, to_bytes
from trainables.trials.checkpoint import CheckpointError, CheckpointRef, check, restore, save
from trainables.trials.trial_spec import TrialSpec

EPOCHS = 4
RATES = {"sgd": 0.05, "adam": 1e-3, "rmsprop": 1e-3, "adamw": 1e-3}


@functools.cache
def data() -> StackData:
    """Return a part of the digits."""
    digits = load_digits()
    return dataclasses.replace(digits, train=digits.train[:, :300], validation=digits.validation[:, :60])


def four_epochs(**changes: Any) -> TrialSpec:
    """Return an assignment of four epochs of five steps, all of them measured unless said otherwise."""
    every = tuple(range(EPOCHS + 1))
    return trial_spec(**{"rungs": (EPOCHS,), "layers_at": every, "batch_size": 64, **changes})


def fresh(task: TrialSpec, of: StackData | None = None) -> Stack:
    return Stack.make(task.model, task.hyperparameters, of or data(), seeds=task.seeds)


def assert_resumes_identically(task: TrialSpec, of: StackData | None = None) -> None:
    """Go on from every checkpoint and compare every number, and the whole state at the end bit by bit."""
    undisturbed, records, checkpoints = fresh(task, of), {}, {}
    for epoch in train(undisturbed, epochs=EPOCHS, layers_at=task.layers_at):
        records[undisturbed.epoch] = epoch
        checkpoints[undisturbed.epoch] = save(undisturbed, task)
    for start in range(1, EPOCHS):
        stack = fresh(task, of)
        restore(stack, checkpoints[start], task)
        again = list(train(stack, epochs=EPOCHS, layers_at=task.layers_at))
        # As text, because a NaN is not equal to itself.
        assert repr(again) == repr([records[epoch] for epoch in range(start + 1, EPOCHS + 1)])
        assert save(stack, task) == checkpoints[EPOCHS]


@pytest.mark.parametrize(
    "changes",
    [
        {"batch_norm": True, "dropout": 0.5},
        {"clip_norm": 0.5, "dropout": 0.1, "batch_size": 5},
        {"residual": "zero", "depth": 3, "batch_norm": True},
        {"layers_at": (0, 2, 3), "label_smoothing": 0.1},
        {"layers_at": (), "weight_decay": 0.01},
        {"layers_at": (), "schedule": "plateau", "min_lr": 1e-5, "dropout": 0.3},
        {"layers_at": (), "schedule": "cosine", "clip_norm": 0.5},
        {"layers_at": (0, 1, 3), "patience": 1, "learning_rate": 0.3, "batch_norm": True, "dropout": 0.3},
    ],
    ids=lambda changes: "-".join(changes),
)
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop", "adamw"])
def test_numbers_are_those_of_an_undisturbed_run(optimizer: str, changes: dict[str, Any]) -> None:
    if optimizer == "adamw" and "weight_decay" in changes:
        changes = {**changes, "weight_decay": 0.0, "decoupled_weight_decay": 0.1}
    changes = {"learning_rate": RATES[optimizer], **changes}
    assert_resumes_identically(four_epochs(optimizer=optimizer, **changes))


@settings(max_examples=10)
@given(
    changes=st.fixed_dictionaries(
        {
            "depth": st.integers(1, 3),
            "activation": st.sampled_from(["relu", "tanh", "sigmoid"]),
            "dropout": st.sampled_from([0.0, 0.1, 0.5]),
            "batch_norm": st.booleans(),
            "residual": st.sampled_from(["none", "plain", "scaled", "zero"]),
            "optimizer": st.sampled_from(["sgd", "adam", "rmsprop", "adamw"]),
            "learning_rate": st.sampled_from([1e-3, 0.1, 1e30]),
            "momentum": st.sampled_from([0.0, 0.9]),
            "clip_norm": st.sampled_from([None, 0.5]),
            "patience": st.sampled_from([None, 1, 2]),
            "layers_at": st.sets(st.integers(0, EPOCHS)).map(sorted).map(tuple),
        }
    )
)
def test_any_networks_numbers_are_those_of_an_undisturbed_run(changes: dict[str, Any]) -> None:
    assert_resumes_identically(four_epochs(**changes))


def test_networks_that_diverged_stay_so_and_the_others_go_on() -> None:
    task = four_epochs(batch_norm=True)
    stack = fresh(task)
    stack.model.parameters.value("blocks.1.weight")[1].fill_(math.nan)
    records = list(train(stack, epochs=2, layers_at=task.layers_at))
    checkpoint = save(stack, task)
    rest = list(train(stack, epochs=EPOCHS, layers_at=task.layers_at))
    assert records[-1][1].val_loss is None
    resumed = fresh(task)
    restore(resumed, checkpoint, task)
    assert resumed.diverged == [False, True, False]
    assert repr(list(train(resumed, epochs=EPOCHS, layers_at=task.layers_at))) == repr(rest)


def test_spikes_after_a_checkpoint_are_told_by_the_steps_before_it() -> None:
    task = four_epochs()
    stack = fresh(task)
    for _ in train(stack, epochs=1, layers_at=task.layers_at):
        pass
    assert stack.gradient_norms is not None
    stack.gradient_norms[:] = 1e-9
    resumed = fresh(task)
    restore(resumed, save(stack, task), task)
    (records,) = train(resumed, epochs=2, layers_at=task.layers_at)
    assert [record.metrics["spike_rate"] for record in records] == [1.0] * 3


def test_in_double_precision_too() -> None:
    double = dataclasses.replace(data(), inputs=data().inputs.double())
    assert_resumes_identically(four_epochs(batch_norm=True, optimizer="adam"), double)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop", "adamw"])
def test_on_a_gpu_too(optimizer: str) -> None:
    names = ("inputs", "targets", "train", "validation", "test")
    moved = dataclasses.replace(data(), **{name: getattr(data(), name).cuda() for name in names})
    assert_resumes_identically(four_epochs(batch_norm=True, dropout=0.5, optimizer=optimizer), moved)


@functools.cache
def checkpointed() -> tuple[TrialSpec, bytes]:
    """Return a small assignment and its checkpoint after two epochs."""
    task = four_epochs(depth=1, width=4, batch_norm=True)
    stack = fresh(task)
    for _ in train(stack, epochs=2, layers_at=task.layers_at):
        pass
    return task, save(stack, task)


def test_the_epoch_is_told_and_the_same_state_gives_the_same_bytes() -> None:
    task, checkpoint = checkpointed()
    assert check(checkpoint, task) == 2
    stack = fresh(task)
    restore(stack, checkpoint, task)
    assert save(stack, task) == checkpoint


@settings(max_examples=300)
@given(place=st.floats(0, 1, exclude_max=True), byte=st.integers(1, 255))
def test_a_changed_byte_is_found_or_changes_nothing(place: float, byte: int) -> None:
    task, checkpoint = checkpointed()
    damaged = bytearray(checkpoint)
    damaged[int(place * len(damaged))] ^= byte
    try:
        check(bytes(damaged), task)
    except CheckpointError:
        return
    # White space in the header, or another spelling of the same number.
    stack = fresh(task)
    restore(stack, bytes(damaged), task)
    assert save(stack, task) == checkpoint


@settings(max_examples=100)
@given(place=st.floats(0, 1, exclude_max=True), more=st.binary(max_size=20))
def test_a_cut_or_prolonged_one_is_damaged(place: float, more: bytes) -> None:
    task, checkpoint = checkpointed()
    cut = checkpoint[: int(place * len(checkpoint))] + more
    assert not checkpoint.startswith(cut) or len(cut) < len(checkpoint)
    with pytest.raises(CheckpointError, match="damaged"):
        check(cut, task)
    if more:
        with pytest.raises(CheckpointError, match="damaged"):
            check(checkpoint + more, task)


@pytest.mark.parametrize("strange", [b"", b"no checkpoint", pickle.dumps({"epoch": 2}), b"\0" * 4096])
def test_what_is_no_checkpoint_is_damaged(strange: bytes) -> None:
    with pytest.raises(CheckpointError, match="damaged"):
        check(strange, checkpointed()[0])


@pytest.mark.parametrize(
    "changes",
    [{"learning_rate": 0.02}, {"seeds": (11, 12, 14)}, {"blocks": (0, 1, 3)}, {"layers_at": (0, 4)}],
    ids=lambda changes: next(iter(changes)),
)
def test_another_trials_is_refused_and_the_stack_left_alone(changes: dict[str, Any]) -> None:
    own = {"depth": 1, "width": 4, "batch_norm": True}
    _, checkpoint = checkpointed()
    other = four_epochs(**own, **changes)
    stack = fresh(other)
    before = save(stack, other)
    with pytest.raises(CheckpointError, match="another trial"):
        restore(stack, checkpoint, other)
    assert save(stack, other) == before


def test_the_same_trial_under_another_number_is_not_refused() -> None:
    task, checkpoint = checkpointed()
    assert check(checkpoint, dataclasses.replace(task, number=99, keeps_models=True)) == 2


def test_one_with_nothing_left_to_train_is_refused() -> None:
    task, _ = checkpointed()
    stack = fresh(task)
    with pytest.raises(CheckpointError, match=r"epoch in 1\.\.3"):
        check(save(stack, task), task)
    for _ in train(stack, epochs=EPOCHS, layers_at=task.layers_at):
        pass
    with pytest.raises(CheckpointError, match=r"epoch in 1\.\.3"):
        check(save(stack, task), task)


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("parameters", "longer"),
        ("parameters", "rounded"),
        ("buffers.blocks.0.running_mean", "gone"),
        ("optimizer.exp_avg", "longer"),
        ("optimizer.exp_avg", "rounded"),
    ],
)
def test_another_layout_is_refused_and_the_stack_left_alone(
    monkeypatch: pytest.MonkeyPatch, name: str, how: str
) -> None:
    """As a checkpoint of another version of a model would have, its own checksum being right."""
    task, checkpoint = checkpointed()
    tensors, facts = from_bytes(checkpoint), metadata_of(checkpoint)
    tensor = tensors.pop(name)
    if how != "gone":
        tensors[name] = torch.cat([tensor, tensor]) if how == "longer" else tensor.half()
    monkeypatch.setattr("trainables.trials.checkpoint._digest", lambda *_: facts["sha256"])
    stack = fresh(task)
    before = save(stack, task)
    with pytest.raises(CheckpointError, match="must be torch"):
        restore(stack, to_bytes(tensors, facts), task)
    assert save(stack, task) == before


@pytest.mark.parametrize(
    ("fact", "value"),
    [("epoch", "2"), ("epoch", None), ("diverged", 3), ("assignment", []), ("assignment", {})],
)
def test_facts_of_another_kind_are_damage(monkeypatch: pytest.MonkeyPatch, fact: str, value: object) -> None:
    task, checkpoint = checkpointed()
    facts = metadata_of(checkpoint)
    monkeypatch.setattr("trainables.trials.checkpoint._digest", lambda *_: facts["sha256"])
    with pytest.raises(CheckpointError, match="damaged"):
        check(to_bytes(from_bytes(checkpoint), {**facts, fact: value}), task)


def test_a_checkpoint_ref_travels_but_is_neither_copied_nor_printed() -> None:
    checkpoint_ref = CheckpointRef(5, b"secret" * 1000)
    assert copy.deepcopy({"a": [checkpoint_ref]})["a"][0] is checkpoint_ref
    assert str(checkpoint_ref) == repr(checkpoint_ref) == "checkpoint after epoch 5"
    arrived = pickle.loads(pickle.dumps(checkpoint_ref))
    assert (arrived.epoch, arrived.data) == (5, b"secret" * 1000)
    checkpoint_ref.empty()
    assert (checkpoint_ref.epoch, checkpoint_ref.data) == (5, None)

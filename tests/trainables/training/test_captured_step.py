"""A captured step replays what a plain one computes, and gives way to it wherever it cannot."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from tests.trainables.signals import in_float64
from tests.trainables.small import train_in_peace, trial_spec
from trainables.base.hyperparameters import Hyperparameters
from trainables.base.mask_generator import RandomWords
from trainables.base.records import NoteKind
from trainables.data.augmentation import augmentation_of
from trainables.data.stack_data import StackData
from trainables.training import captured_step
from trainables.training.captured_step import CapturedStep, Replay
from trainables.training.loop import run_steps, train
from trainables.training.schedules import Plateau
from trainables.training.stack import Stack, build_step
from trainables.training.training_step import TrainingStep

pytestmark = [pytest.mark.numeric, pytest.mark.usefixtures("by_torch")]

BEFORE = 3
OPTIONS: dict[str, Any] = {"depth": 3, "batch_norm": True, "dropout": 0.3, "clip_norm": 1.0}
needs_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Capture after few steps."""
    monkeypatch.setattr(captured_step, "STEPS_BEFORE_CAPTURE", BEFORE)


@pytest.fixture
def data(digits: StackData) -> StackData:
    """Four full batches of 64 and one of 44."""
    return replace(digits, train=digits.train[:, :300], validation=digits.validation[:, :60])


class Recording:
    """Stands in for CUDA graphs: a replay does the work again, and writes the hidden outputs where the capture did.

    As in a graph, the optimizer's rate is the one that it had at the capture.
    """

    stack: Stack

    def __init__(self) -> None:
        self.num_captured = self.num_replayed = 0

    def __call__(self, work: Callable[[], None], generator: torch.Generator) -> Replay:
        self.num_captured += 1
        model, group = self.stack.model, self.stack.optimizer.param_groups[0]
        captured_rate = group["lr"]
        places = model.outputs = [torch.full_like(output, torch.nan) for output in model.outputs]

        def replay() -> None:
            self.num_replayed += 1
            rate, group["lr"] = group["lr"], captured_rate
            work()
            group["lr"] = rate
            for place, output in zip(places, model.outputs, strict=True):
                place.copy_(output)
            model.outputs = []

        return replay


def stack_with(data: StackData, capture: Any = None, **changes: Any) -> Stack:
    """Return a fresh stack, whose steps are captured so if `capture` is given."""
    hp = Hyperparameters(**{**OPTIONS, **changes})
    stack = Stack.make("mlp", hp, data, seeds=(1, 2, 3))
    if capture is not None:
        augmentation = augmentation_of(hp, data, RandomWords(stack.generator))
        given = stack.model, stack.optimizer, hp, data, augmentation
        stack.step = CapturedStep(*given, generator=stack.generator, capture=capture)
    return stack


def trained(stack: Stack) -> str:
    """Return everything that is recorded over three epochs, two of them measured, and the weights."""
    records = list(train(stack, epochs=3, layers_at=(0, 1, 3)))
    return repr([records, stack.model.parameters.values.tolist()])


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop", "adamw"])
def test_replays_come_to_the_numbers_of_plain_steps(data: StackData, optimizer: str) -> None:
    recording = Recording()
    recording.stack = stack_with(data, recording, optimizer=optimizer)
    assert trained(recording.stack) == trained(stack_with(data, optimizer=optimizer))
    # Two graphs; of fifteen steps three are full and before the capture, and three are odd.
    assert (recording.num_captured, recording.num_replayed) == (2, 2 * (12 - BEFORE))


def test_replays_change_pictures_as_plain_steps_do(data: StackData) -> None:
    recording, options = Recording(), {"augmentation": "shift+rotation+zoom+shear", "dropout": 0.0}
    recording.stack = stack_with(data, recording, **options)
    assert trained(recording.stack) == trained(stack_with(data, **options))
    assert recording.num_replayed > 0


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop", "adamw"])
@pytest.mark.parametrize("schedule", ["exponential", "plateau", "cosine"])
def test_replays_follow_a_schedule(data: StackData, schedule: str, optimizer: str) -> None:
    options = {"optimizer": optimizer, "schedule": schedule, "learning_rate": 0.05}
    double, recording = replace(data, inputs=data.inputs.double()), Recording()
    recording.stack, plain = stack_with(double, recording, **options), stack_with(double, **options)
    for stack in (recording.stack, plain):
        if schedule == "plateau":
            stack.schedule.plateaus = [Plateau(rate=rate) for rate in (0.05, 0.01, 0.002)]
        for epoch in train(stack, epochs=3):
            assert len({record.learning_rate for record in epoch}) == (3 if schedule == "plateau" else 1)
    assert recording.num_replayed > 0
    found, expected = (stack.model.parameters.values for stack in (recording.stack, plain))
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-9)


def test_after_an_odd_batch_a_replay_shows_its_own_signals(data: StackData) -> None:
    stack = stack_with(data, lambda work, generator: work() or (lambda: None))
    full, odd = data.train[:, :64], data.train[:, 64:100]
    run_steps(stack, [full] * (BEFORE + 1))
    outputs, buffers = stack.model.outputs, stack.model.deltas.buffers
    run_steps(stack, [odd])
    assert stack.model.outputs is not outputs
    run_steps(stack, [full])
    assert stack.model.outputs is outputs
    assert stack.model.deltas.buffers is buffers


def test_where_there_is_no_gpu_steps_are_plain(data: StackData) -> None:
    stack = stack_with(data)
    assert type(stack.step) is TrainingStep
    trained(stack)
    assert stack.step.refusal is None


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU would not refuse")
def test_a_refused_capture_is_noted_and_the_numbers_are_the_same(data: StackData) -> None:
    stack = stack_with(data, captured_step.capture_graph)
    assert trained(stack) == trained(stack_with(data))
    assert stack.step.refusal is not None
    assert "CUDA" in stack.step.refusal


def test_a_capture_that_runs_out_of_memory_is_no_refusal(data: StackData) -> None:
    def run_out(work: Callable[[], None], generator: torch.Generator) -> Replay:
        try:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        finally:
            raise RuntimeError("operation failed due to a previous error during capture")

    stack = stack_with(data, run_out)
    with pytest.raises(torch.OutOfMemoryError):
        trained(stack)


def test_a_trial_tells_of_a_refusal_once(data: StackData, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(work: Callable[[], None], generator: torch.Generator) -> Replay:
        raise RuntimeError("no graphs today\nand more of it")

    def build(*given: Any, generator: torch.Generator) -> TrainingStep:
        return CapturedStep(*given, generator=generator, capture=refuse)

    monkeypatch.setattr("trainables.training.stack.build_step", build)
    first, *rest = train_in_peace(trial_spec(rungs=(1, 2, 3)), data, worker="")
    assert [note.kind for note in first.notes] == [NoteKind.GRAPH_REFUSED]
    assert first.notes[0].text.endswith("no graph holds them: RuntimeError: no graphs today")
    assert [report.notes for report in rest] == [(), ()]


def on_gpu(data: StackData) -> StackData:
    names = ("inputs", "targets", "train", "validation", "test")
    return replace(data, **{name: getattr(data, name).cuda() for name in names})


@needs_a_gpu
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop", "adamw"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_on_a_gpu_graphs_come_to_the_numbers_of_plain_steps(
    data: StackData, optimizer: str, precision: str
) -> None:
    moved, plain, graphs = on_gpu(in_float64(data)), list[float | None](), list[float | None]()
    for found, is_captured in ((plain, False), (graphs, True)):
        stack = stack_with(moved, optimizer=optimizer, precision=precision)
        assert isinstance(stack.step, CapturedStep)
        if not is_captured:
            hp = stack.hyperparameters
            stack.step = TrainingStep(stack.model, stack.optimizer, hp, moved)
        for epoch in train(stack, epochs=3, layers_at=(0, 1, 3)):
            found += [record.train_loss for record in epoch]
        assert stack.step.refusal is None
        assert not is_captured or stack.step._graphs is not None  # type: ignore[attr-defined]
    # bfloat16's rounding is as coarse whatever it began with.
    assert graphs == pytest.approx(plain, rel=1e-9 if precision == "float32" else 1e-3)


@needs_a_gpu
@pytest.mark.parametrize("augmentation", ["none", "shift+rotation+zoom+shear"])
def test_on_a_gpu_replays_never_make_the_host_wait(data: StackData, augmentation: str) -> None:
    moved = on_gpu(data)
    stack = stack_with(moved, augmentation=augmentation)
    batches = torch.split(moved.train, 64, dim=1)
    before = torch.cuda.get_sync_debug_mode()
    with torch.no_grad():
        run_steps(stack, batches)
        run_steps(stack, batches)
        torch.cuda.set_sync_debug_mode("error")
        try:
            run_steps(stack, batches)
        finally:
            torch.cuda.set_sync_debug_mode(before)
    assert stack.step.refusal is None


def test_the_device_decides(data: StackData) -> None:
    stack = stack_with(data)
    step = build_step(
        stack.model,
        stack.optimizer,
        stack.hyperparameters,
        data,
        generator=stack.generator,
    )
    assert type(step) is TrainingStep

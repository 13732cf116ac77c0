"""Checks training on a GPU and measures what is asked of it, in at most eight minutes, without Ray.

`python -m tests.benchmarks.gpu --output FILE` writes one JSON: each check with what it found, and each measure as the
ratio of two things timed in turn, beside its goal. What fails or finds no time is in it, too. Without a GPU it ends
with exit code 2; a failed check or measure makes it 1. `--device cpu --quick` goes the same ways on a CPU, to try the
script; its figures say nothing about a GPU.
"""

import argparse
import json
import math
import multiprocessing
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias

import torch

from tests.trainables.small import trial_spec
from tests.trainables.twin import plain_network, train_plain
from trainables import datasets
from trainables.base.hyperparameters import Hyperparameters
from trainables.base.records import NoteKind
from trainables.data.splits import split_blocks
from trainables.data.stack_data import StackData
from trainables.kernels import cache
from trainables.training import captured_step
from trainables.training.captured_step import CapturedStep
from trainables.training.loop import batches_of, run_steps, train
from trainables.training.stack import Stack
from trainables.training.training_step import TrainingStep
from trainables.trials.reporting import train_trial_spec

SECONDS = 450.0
"""After so many no further check or measure is started; the longest takes under half a minute."""

NO_GPU = 2
"""The exit code without a GPU."""

SAME = 1e-6
"""Relative difference in float64 of what is the same; sums have another order on a GPU."""

CLOSE = 0.1
"""Relative difference of losses in mixed precision from those in float32 after a few epochs."""

Findings: TypeAlias = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Where is computed, and how much: `quick` is a try of the script."""

    device: torch.device
    quick: bool

    @property
    def on_gpu(self) -> bool:
        """Whether there is a GPU to ask."""
        return self.device.type == "cuda"

    @property
    def networks(self) -> int:
        """Networks of the stack that is set against one alone."""
        return 4 if self.quick else 32

    @property
    def epochs(self) -> int:
        """Epochs that are timed at once."""
        return 2 if self.quick else 20

    @property
    def rounds(self) -> int:
        """Pairs that are timed."""
        return 2 if self.quick else 7

    def data(self, replicates: int, *, dtype: torch.dtype = torch.float32) -> StackData:
        """Return the digits on the device, with a split for each replicate."""
        dataset = datasets.load("digits")
        splits = split_blocks(dataset, seed=0, blocks=range(replicates)).values()
        data = StackData.make(dataset, list(splits), self.device)
        return replace(data, inputs=data.inputs.to(dtype))


class NothingToCheckError(Exception):
    """A check or measure that has no meaning on this device; its text says why."""


def options(**changes: Any) -> Hyperparameters:
    """Return a network of depth_study with other hyperparameters."""
    usual = {"depth": 5, "width": 64, "batch_norm": True, "dropout": 0.3, "batch_size": 64}
    return Hyperparameters(**{**usual, **changes})


def check_twins(setting: Setting) -> Findings:
    """Each replicate of a stack in float64 has the losses of a plain module with autograd on the same device."""
    hp, seeds = options(depth=3, dropout=0.0), (11, 12, 13)
    data = setting.data(len(seeds), dtype=torch.float64)
    stack = Stack.make("mlp", hp, data, seeds=seeds)
    twins = [plain_network(stack, replicate).to(setting.device) for replicate in range(len(seeds))]
    history, furthest = list(train(stack, epochs=3)), 0.0
    for replicate, (twin, seed) in enumerate(zip(twins, seeds, strict=True)):
        expected = train_plain(twin, hp, data, replicate=replicate, seed=seed, epochs=3)
        for epoch, plain in zip(history, expected, strict=True):
            own = epoch[replicate]
            assert own.train_loss is not None
            assert own.val_loss is not None
            pairs = (own.train_loss, plain[0]), (own.val_loss, plain[2])
            furthest = max(furthest, *(abs(one - other) / other for one, other in pairs))
    assert furthest <= SAME, f"losses differ by {furthest:.1e} of their size"
    return {"largest_relative_difference": furthest}


def check_synchronization(setting: Setting) -> Findings:
    """The host does not wait for the device within an epoch, neither by itself nor while gradients are recorded."""
    stack = Stack.make("mlp", options(), setting.data(4), seeds=range(4))
    steps = 0
    for records in (False, True):
        for epoch in (1, 2, 3):
            batches = batches_of(stack.data.train, stack.seeds, epoch, stack.hyperparameters.batch_size)
            recorder = stack.step.recorder(len(batches), precise=False) if records else None
            # The first epochs allocate and capture, which may wait.
            forbids = setting.on_gpu and epoch == 3
            if forbids:
                torch.cuda.set_sync_debug_mode("error")
            try:
                with torch.no_grad():
                    run_steps(stack, batches, recorder)
            finally:
                if forbids:
                    torch.cuda.set_sync_debug_mode("default")
            steps += len(batches) if forbids else 0
    if not setting.on_gpu:
        raise NothingToCheckError("a CPU has nothing to wait for")
    return {"steps_without_waiting": steps}


def check_graphs(setting: Setting) -> Findings:
    """Steps are captured as graphs, and replays have the losses of steps launched kernel by kernel."""
    hp, data = options(dropout=0.0), setting.data(4)
    epochs = 4 if setting.on_gpu else 3
    captured, plain = (Stack.make("mlp", hp, data, seeds=range(4)) for _ in range(2))
    plain.step = TrainingStep(plain.model, plain.optimizer, hp, data)
    if not setting.on_gpu:
        # Where there are no graphs, a replay does the work again.
        captured.step = CapturedStep(
            captured.model,
            captured.optimizer,
            hp,
            data,
            generator=captured.generator,
            capture=lambda work, generator: work,
        )
    losses = [
        [record.train_loss for epoch in train(stack, epochs=epochs, layers_at=(epochs,)) for record in epoch]
        for stack in (captured, plain)
    ]
    step = captured.step
    assert isinstance(step, CapturedStep)
    assert step.refusal is None, f"not captured: {step.refusal}"
    steps = epochs * (data.train.shape[1] // hp.batch_size)
    assert steps > captured_step.STEPS_BEFORE_CAPTURE
    furthest = max(abs(one - other) / other for one, other in zip(*losses, strict=True) if one and other)
    assert furthest <= 1e-3, f"losses of replays differ by {furthest:.1e} of their size"
    return {"largest_relative_difference": furthest, "full_steps": steps}


def check_memory(setting: Setting) -> Findings:
    """A trial that runs out of memory halves its stacks and goes on."""
    if not setting.on_gpu:
        raise NothingToCheckError("a CPU's memory is not bounded by this script; tests do that")
    replicates = 32
    task = trial_spec(
        depth=5,
        width=2048,
        batch_size=256,
        rungs=(1,),
        layers_at=(1,),
        blocks=tuple(range(replicates)),
        seeds=tuple(range(replicates)),
    )
    total = torch.cuda.get_device_properties(setting.device).total_memory
    torch.cuda.empty_cache()
    # Weights, gradients, moments and a copy of one network take about half a gigabyte.
    torch.cuda.set_per_process_memory_fraction(min(1.0, 6e9 / total), setting.device)
    try:
        *_, last = train_trial_spec(task, setting.data(replicates), worker="")
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, setting.device)
        torch.cuda.empty_cache()
    halved = [note.text for note in last.notes if note.kind == NoteKind.STACK_HALVED]
    assert halved, "32 networks did not run out of 6 GB"
    assert len(last.replicates) == replicates
    return {"halved": halved}


def check_bfloat16(setting: Setting) -> Findings:
    """Losses in mixed precision are close to those in float32."""
    losses = []
    for precision in ("float32", "bfloat16"):
        stack = Stack.make("mlp", options(precision=precision, dropout=0.0), setting.data(4), seeds=range(4))
        *_, last = train(stack, epochs=3)
        losses.append([record.val_loss or math.nan for record in last])
    furthest = max(abs(one - other) / other for other, one in zip(*losses, strict=True))
    assert furthest <= CLOSE, f"losses differ by {furthest:.1%}"
    return {"largest_relative_difference": furthest}


def measure_stack(setting: Setting) -> Findings:
    """Network-epochs a second: a stack of networks over one network alone; goal at least 20."""
    pairs = _in_turn(
        setting,
        _epochs_of(setting, _stack(setting, setting.networks)),
        _epochs_of(setting, _stack(setting, 1)),
    )
    ratios = [setting.networks * alone / together for together, alone in pairs]
    rate = setting.networks * setting.epochs / min(together for together, _ in pairs)
    return {
        **_ratio(ratios, least=20.0),
        "networks": setting.networks,
        "network_epochs_a_second": rate,
        "of_one_alone": setting.epochs / min(alone for _, alone in pairs),
    }


def measure_processes(setting: Setting) -> Findings:
    """Network-epochs a second: a stack over as many processes, each with one network, on one device; goal 10."""
    count = 2 if setting.quick else setting.networks
    work = _epochs_of(setting, _stack(setting, count))
    work()
    together = min(_seconds(setting, work) for _ in range(setting.rounds))
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(count)
    results: Any = context.Queue()
    processes = [
        context.Process(target=_train_alone, args=(setting, seed, barrier, results)) for seed in range(count)
    ]
    for process in processes:
        process.start()
    try:
        ends = [results.get(timeout=150) for _ in processes]
    finally:
        for process in processes:
            process.join(timeout=5)
            if process.is_alive():
                process.kill()
    apart = max(end for _, end in ends) - min(start for start, _ in ends)
    return {
        **_ratio([apart / together], least=10.0),
        "processes": count,
        "stack_seconds": together,
        "processes_seconds": apart,
    }


def _train_alone(setting: Setting, seed: int, barrier: Barrier, results: Any) -> None:
    """Train one network in a process of its own, at the same time as the others, and tell when."""
    torch.set_num_threads(1)
    work = _epochs_of(setting, _stack(setting, 1, first_seed=seed))
    work()
    barrier.wait(timeout=120)
    start = time.time()
    _seconds(setting, work)
    results.put((start, time.time()))


def measure_recording(setting: Setting) -> Findings:
    """Time of epochs with every step's gradients recorded over the same without; goal at most 1.05."""
    stack = _stack(setting, setting.networks)
    pairs = _in_turn(
        setting, _epochs_of(setting, stack, records=True), _epochs_of(setting, stack, records=False)
    )
    return _ratio([recorded / bare for recorded, bare in pairs], most=1.05)


CHECKS: Mapping[str, Callable[[Setting], Findings]] = {
    "stack_equals_plain_modules": check_twins,
    "no_synchronization_within_an_epoch": check_synchronization,
    "graphs_replay_the_same": check_graphs,
    "out_of_memory_halves_stacks": check_memory,
    "bfloat16_is_close": check_bfloat16,
}
MEASURES: Mapping[str, Callable[[Setting], Findings]] = {
    "stack_over_one_network": measure_stack,
    "stack_over_processes": measure_processes,
    "recording_over_none": measure_recording,
}


def _stack(setting: Setting, networks: int, *, first_seed: int = 0) -> Stack:
    seeds = range(first_seed, first_seed + networks)
    return Stack.make("mlp", options(), setting.data(networks), seeds=seeds)


def _epochs_of(setting: Setting, stack: Stack, *, records: bool = False) -> Callable[[], None]:
    """Return what trains some epochs of a stack, as the loop does within one."""
    batches = batches_of(stack.data.train, stack.seeds, 1, stack.hyperparameters.batch_size)

    def run() -> None:
        recorder = stack.step.recorder(len(batches), precise=False) if records else None
        with torch.no_grad():
            for _ in range(setting.epochs):
                run_steps(stack, batches, recorder)
                if recorder is not None:
                    recorder.end_epoch()

    return run


def _in_turn(
    setting: Setting, first: Callable[[], None], second: Callable[[], None]
) -> list[tuple[float, float]]:
    """Return seconds of both, timed in turn, after each has run twice, which captures its steps."""
    for work in (first, second) * 2:
        work()
    return [(_seconds(setting, first), _seconds(setting, second)) for _ in range(setting.rounds)]


def _seconds(setting: Setting, work: Callable[[], None]) -> float:
    if setting.on_gpu:
        torch.cuda.synchronize()
    started = time.perf_counter()
    work()
    if setting.on_gpu:
        torch.cuda.synchronize()
    return time.perf_counter() - started


def _ratio(ratios: list[float], *, least: float | None = None, most: float | None = None) -> Findings:
    middle = median(ratios)
    met = (least is None or middle >= least) and (most is None or middle <= most)
    goal = {"at_least": least} if least is not None else {"at_most": most}
    return {"ratio": middle, "range": [min(ratios), max(ratios)], "goal": goal, "goal_met": met}


def examine(setting: Setting, *, seconds: float = SECONDS) -> Findings:
    """Return everything that is checked and measured; what fails says how, and the rest goes on."""
    started = time.monotonic()

    def run(all_of: Mapping[str, Callable[[Setting], Findings]]) -> dict[str, Findings]:
        found = {}
        for name, work in all_of.items():
            print(f"{time.monotonic() - started:4.0f} s  {name}", file=sys.stderr, flush=True)
            found[name] = (
                _outcome(work, setting)
                if time.monotonic() - started < seconds
                else {"outcome": "left out", "why": "no time was left"}
            )
        return found

    checks, measures = run(CHECKS), run(MEASURES)
    return {
        "device": _described(setting),
        "torch": torch.__version__,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": setting.quick,
        "checks": checks,
        "measures": measures,
        "seconds": time.monotonic() - started,
    }


def _outcome(work: Callable[[Setting], Findings], setting: Setting) -> Findings:
    started = time.monotonic()
    found: Findings
    try:
        found = {"outcome": "done", **work(setting)}
    except NothingToCheckError as reason:
        found = {"outcome": "left out", "why": str(reason)}
    except Exception:  # every check's outcome belongs into the file, whatever went wrong
        found = {"outcome": "failed", "why": traceback.format_exc()}
    return {**found, "seconds": time.monotonic() - started}


def _described(setting: Setting) -> Findings:
    if not setting.on_gpu:
        return {"kind": "cpu", "threads": torch.get_num_threads()}
    properties = torch.cuda.get_device_properties(setting.device)
    return {
        "kind": "cuda",
        "name": properties.name,
        "memory_bytes": properties.total_memory,
        "cuda": torch.version.cuda,
    }


def main(arguments: list[str] | None = None) -> int:
    """Write the file; return 0, 1 if a check or measure failed, or 2 without a GPU."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, required=True, help="the JSON that is written")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="where to compute")
    parser.add_argument("--quick", action="store_true", help="a try of the script, not a measurement")
    given = parser.parse_args(arguments)
    if given.device == "cuda" and not torch.cuda.is_available():
        print(
            "torch finds no GPU here: nothing was checked or measured, and no file written "
            "(`--device cpu --quick` tries the script without one)",
            file=sys.stderr,
        )
        return NO_GPU
    # On a CPU it tries what a GPU computes with: torch's operations, not compiled kernels.
    os.environ[cache.OFF] = "1"
    found = examine(Setting(device=torch.device(given.device), quick=given.quick))
    given.output.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    outcomes = [each["outcome"] for part in ("checks", "measures") for each in found[part].values()]
    print(
        f"{outcomes.count('done')} of {len(outcomes)} done, {outcomes.count('failed')} failed; see {given.output}"
    )
    return 1 if "failed" in outcomes else 0


if __name__ == "__main__":
    sys.exit(main())

"""The clocks count what they say, the floor holds exactly the products of a step, and the page keeps its sections."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.benchmarks.contenders.networks import WHOLE
from tests.benchmarks.measuring import machine
from tests.benchmarks.measuring.floor import floor_seconds
from tests.benchmarks.measuring.matrix_products import TRAIN_ROWS, MatrixProducts, epoch_batches
from tests.benchmarks.measuring.pairs import time_pairs
from tests.benchmarks.measuring.processes import MARK, Command, ProcessorTimes, measure_command
from tests.benchmarks.measuring.results_page import Section, write_sections
from tests.benchmarks.measuring.spread import Spread, digits
from tests.benchmarks.measuring.stacks import digits as digits_data
from tests.benchmarks.measuring.stacks import hyperparameters
from tests.benchmarks.measuring.text import table
from trainables.kernels import cache
from trainables.training.loop import run_steps
from trainables.training.stack import Stack

BURN = "import time\nwhile time.process_time() < 0.3: pass\nprint('burnt', flush=True)\ninput()"
PARENT = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURN!r}])"


def test_processor_time_of_what_a_command_starts_is_counted_and_that_of_others_is_not() -> None:
    words = [sys.executable, "-c", PARENT]
    with subprocess.Popen(
        words, env={MARK: "mine"}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "burnt\n"
        mine, others = ProcessorTimes("mine"), ProcessorTimes("yours")
        mine.look()
        others.look()
        process.communicate("\n")
    assert mine.total >= 0.28, "clock ticks are hundredths of a second"
    assert others.total == 0


def test_a_command_is_measured_and_one_that_fails_says_why() -> None:
    done = measure_command([sys.executable, "-c", "print('hello')"])
    assert done.output == "hello\n"
    assert done.wall_seconds > 0
    with pytest.raises(subprocess.CalledProcessError) as failed:
        measure_command([sys.executable, "-c", "raise SystemExit('no disk')"])
    assert "no disk" in failed.value.stderr


def test_processor_time_between_two_moments_is_shared_out_evenly() -> None:
    command = Command(output="", wall_seconds=4.0, looks=[(10.0, 0.0), (12.0, 2.0), (14.0, 8.0)])
    assert command.cpu_seconds == 8.0
    assert command.cpu_seconds_between(11.0, 13.0) == pytest.approx(1.0 + 3.0)


@pytest.mark.parametrize("depth", [1, 5])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_the_floor_holds_exactly_the_products_of_a_training_step(
    depth: int, batch_norm: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    products: list[Counter[tuple[torch.Size, ...]]] = []

    def counting(product: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def counted(*factors: Tensor, **named: Any) -> Tensor:
            products[-1][tuple(factor.shape for factor in factors[-2:])] += 1
            return product(*factors, **named)

        return counted

    monkeypatch.setenv(cache.OFF, "1")  # compiled steps call no products of torch's
    data = digits_data(replicates=2)
    stack = Stack.make(
        "mlp", hyperparameters(depth=depth, batch_norm=batch_norm, dropout=0.3), data, seeds=[0, 1]
    )
    batches = torch.split(data.train[:, :150], 64, dim=1)
    floor = MatrixProducts(depth=depth, replicates=2, batch_sizes=[64, 64, 22])
    monkeypatch.setattr(torch, "bmm", counting(torch.bmm))
    monkeypatch.setattr(torch, "baddbmm", counting(torch.baddbmm))
    with torch.no_grad():
        for work in (lambda: run_steps(stack, batches), floor.run_epoch):
            products.append(Counter())
            work()
    assert products[0] == products[1]
    assert products[0].total() == 3 * (3 * (depth + 1) - 1), "the first layer's input needs no gradient"


def test_an_epoch_has_the_batches_of_the_digits() -> None:
    assert digits_data(replicates=1).train.shape[1] == TRAIN_ROWS
    assert sum(epoch_batches(TRAIN_ROWS)) == TRAIN_ROWS
    assert epoch_batches(128) == [64, 64]
    assert floor_seconds(WHOLE.cells[:1], replicates=2, repeats=1) > 0


def test_pairs_run_both_equally_often_and_in_turn() -> None:
    ran: list[str] = []
    pairs = time_pairs(lambda: ran.append("a"), lambda: ran.append("b"), count=3)
    assert "".join(ran) == "ab" + "ab" + "ba" + "ab"
    assert len(pairs.cpu) == len(pairs.wall) == 3


def test_a_spread_is_median_and_range() -> None:
    assert str(Spread.of_ratios([2.0, 9.0, 8.0], [1.0, 3.0, 2.0])) == "3.00 (2.00 to 4.00)"
    assert str(Spread.of([0.5])) == "0.5"
    assert [digits(value) for value in (48720.4, 12.34, 1.234, 0.01234)] == [
        "48,720",
        "12.3",
        "1.23",
        "0.0123",
    ]


def test_a_table_has_columns_of_one_width() -> None:
    lines = table(["way", "rate"], [["ours", 270], ["theirs", 2.5]]).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[3] == "| theirs |  2.5 |"


def section(body: str) -> Section:
    return Section(
        title="Growth", command="python -m x", measured="today, on a machine", load="load 0.1", body=body
    )


def test_the_page_takes_new_sections_in_order_and_keeps_the_others(tmp_path: Path) -> None:
    page = tmp_path / "RESULTS.md"
    write_sections(page, {"growth": section("old growth")}, order=["driver", "growth"])
    write_sections(page, {"driver": section("a driver"), "gpu": section("a GPU")}, order=["driver", "growth"])
    write_sections(page, {"growth": section("new growth")}, order=["driver", "growth"])
    text = page.read_text()
    assert "old growth" not in text
    assert text.index("a driver") < text.index("new growth") < text.index("a GPU")
    assert text.count("## Growth") == 3


def test_figures_of_a_loaded_machine_are_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    assert "loaded machine" in machine.describe_load(1.0, 2.0)
    assert machine.describe_load(0.1, 2.0) == "load average 0.10 at the start, 2.00 at the end"
    assert "torch" in machine.describe_machine()

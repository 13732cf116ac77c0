"""Every part of the benchmarks runs on a tiny size and prints its figures; none of these tests asks how fast."""

import importlib
import inspect
import threading
from collections.abc import Sequence
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
import pytest
from ray import tune

from studies.catalog.depth_study import STUDY
from studies.planning.plan import Plan
from tests.benchmarks import __main__, comparison, cost, driver, ends, growth, recording, training_step
from tests.benchmarks.contenders import contests, optuna_script, plain, ray_script
from tests.benchmarks.contenders.contests import OPTUNA, OURS, RAY, Contest, Run
from tests.benchmarks.contenders.networks import QUICK, WHOLE, Networks
from tests.benchmarks.contenders.ours import OurRun
from tests.benchmarks.contenders.outcome import Outcome
from tests.benchmarks.contenders.time_spent import TimeSpent
from tests.benchmarks.driving.loop import without_ray
from tests.benchmarks.driving.readings import PARTS
from tests.benchmarks.measuring import cost_plot
from tests.benchmarks.measuring.processes import Command
from tests.benchmarks.measuring.results_page import Section
from tests.benchmarks.measuring.stacks import digits, hyperparameters
from trainables.training.stack import Stack


def rows(section: str) -> list[list[str]]:
    """Return the cells of every table of a section, heads and rules included."""
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_training_step_is_set_against_its_products() -> None:
    shapes = [training_step.SHAPES[0], training_step.SHAPES[-1]]
    section = training_step.section(shapes, count=2, data=digits(replicates=2))
    table = rows(section)
    assert [row[:4] for row in table[2:]] == [["off", "3", "0.0", "sgd"], ["on", "7", "0.3", "rmsprop"]]
    assert all(float(row[4]) > 0 for row in table[2:])
    assert "Without batch norm" in section
    assert "at most 1.8 and 2.1" in section


def test_recording_is_set_against_not_recording() -> None:
    table = rows(recording.section([(True, 3, 0.3)], count=1, data=digits(replicates=2)))
    assert table[2][:3] == ["on", "3", "0.3"]
    assert float(table[2][4]) > 0


def test_growth_goes_through_two_interruptions() -> None:
    kind = next(kind for kind in growth.KINDS if kind.study == "tuning_study")
    table = rows(growth.section([kind], num_trials=40, replicates=1))
    assert [row[1] for row in table[2:8]] == [*PARTS, "all"]
    assert all(float(cell) >= 0 for row in table[2:8] for cell in row[2:])
    assert table[-1][0] == kind.name


def test_what_an_epoch_costs_is_told_and_drawn(tmp_path: Path) -> None:
    small = cost.Size(replicates=2, width=8, depth=2, examples=100)
    measured = [cost.measure(replace(small, depth=depth), repeats=1) for depth in (1, 2, 3, 4)]
    assert all(min(each.products, each.plain, each.by_torch, each.alone) > 0 for each in measured)
    table = rows(cost.section({"depth": measured}, repeats=1))
    assert [row[0] for row in table[2:]] == ["1", "2", "3", "4", "grows as"]
    picture = cost_plot.draw(cost.points({"depth": measured}))
    assert picture.startswith(b"\x89PNG")


def test_the_driver_is_metered(tmp_path: Path) -> None:
    """Without Ray here; with it in a longer test."""
    with without_ray(tmp_path):
        measured = driver.measure(driver.Setting(workers=2, seconds_per_epoch=0.0, trials=24), replicates=2)
    taken = measured.taken
    assert taken.trials == 12, "the second half counts"
    assert 1 <= taken.results <= 2
    assert set(taken.cpu_by_part) == set(PARTS)
    assert 0 < taken.cpu_of_parts <= taken.cpu
    assert 0 < measured.share <= 1
    assert max(measured.memory) == 24
    table = rows(driver.section([measured]))
    assert [row[0] for row in table].count("2") == 3


def run(networks: int, epochs: int) -> Run:
    command = Command(output="", wall_seconds=5.0, looks=[(9.0, 0.0), (14.0, 10.0)])
    return Run(
        outcome=Outcome(networks=networks, network_epochs=epochs, started=10.0, ended=12.0), command=command
    )


def spent() -> TimeSpent:
    """Two workers from 10 to 12 s: one trains two trials, one trains one; the command lasts from 9 to 14 s."""
    rows = [("a", 10.0, 10.9, 0.8), ("a", 11.0, 12.0, 0.9), ("b", 10.5, 11.5, 1.0)]
    trials = pd.DataFrame(rows, columns=["worker", "started_at", "ended_at", "busy_seconds"])
    for name in ("started_at", "ended_at"):
        trials[name] = pd.to_datetime(trials[name], unit="s", utc=True)
    return TimeSpent.of(trials, began=9.0, ended=14.0)


def test_the_parts_of_a_runs_time_add_up() -> None:
    found = spent()
    expected = TimeSpent(before=1.0, training=1.35, reporting=0.1, between=0.05, waiting=0.5, after=2.0)
    assert astuple(found) == pytest.approx(astuple(expected), abs=1e-6)
    assert found.total == pytest.approx(5.0)


def test_the_comparison_tells_rates_ratios_hours_and_goals() -> None:
    ours, others = run(3780, 49572), {RAY: run(18, 200), OPTUNA: run(36, 120)}
    mine = OurRun(
        outcome=ours.outcome,
        command=ours.command,
        busy_seconds=3.8,
        spent=spent(),
        seconds={"startup": 1.0, "recording": 0.1},
    )
    contest = Contest(rounds=[{OURS: ours, **others}] * 2, ours=[mine] * 2)
    section = comparison.section(contest, WHOLE, floor=0.001, answer=mine)
    by_name = {row[0]: row[1:] for row in rows(section)}
    assert [row[1:] for row in rows(section) if row[0] == OPTUNA][2:] == [["0.23", "0.06"], ["826"]], (
        "49,572 network-epochs at 60 a second, 3,780 networks at 18"
    )
    ratios = [row for row in rows(section) if row[0] == RAY][1]
    assert ratios[1] == "248 (248 to 248)"
    assert ratios[-1] == "100: yes"
    assert by_name["workers busy, share"] == ["0.95 (0.95 to 0.95)", "at least 0.95", "yes"]
    assert by_name["of it not training"] == ["3.00 (3.00 to 3.00)", "under 40", "yes"]
    assert by_name["all"] == ["5.0", "100"]
    assert "The whole study" not in comparison.section(contest, QUICK, floor=0.001, answer=mine)


def test_contenders_run_in_turn_and_in_the_opposite_order_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def one(name: str, networks: Networks, *, seed: int) -> Run:
        ran.append(f"{name} {seed}")
        return run(1, 18)

    monkeypatch.setattr(contests, "_run_script", one)
    contest = contests.hold(QUICK, contenders=[RAY, OPTUNA], num_rounds=2)
    assert ran == [f"{RAY} 0", f"{OPTUNA} 0", f"{OPTUNA} 1", f"{RAY} 1"]
    assert contest.values(RAY, lambda run: run.rate) == [9.0, 9.0]


def test_all_train_networks_of_the_study() -> None:
    plan = Plan(name="depth_study", study=STUDY, dataset_fingerprint="")
    assert WHOLE.cells == [dict(cell.levels) for cell in plan.cells]
    assert (WHOLE.replicates, WHOLE.trials_per_cell) == (STUDY.replicates, STUDY.search.trials_per_cell)
    sample = WHOLE.sampled_cells
    assert len(sample) == WHOLE.sample
    for factor, levels in WHOLE.factors.items():
        counts = [sum(cell[factor] == level for cell in sample) for level in levels]
        assert max(counts) - min(counts) <= 1, f"{factor} is not balanced"


@pytest.mark.parametrize("batch_norm", [False, True])
def test_the_plain_network_is_the_one_of_the_stack(batch_norm: bool) -> None:
    config = {"depth": 3, "batch_norm": batch_norm, "dropout": 0.3, "optimizer": "sgd", "learning_rate": 0.1}
    network = plain.build_network(config)
    hp = hyperparameters(depth=3, batch_norm=batch_norm, dropout=0.3)
    stack = Stack.make("mlp", hp, digits(replicates=1), seeds=[0])
    shapes = sorted(tuple(parameter.shape) for parameter in network.parameters())
    ours = [stack.model.state_dict(0)[name] for name in stack.model.parameters.names]
    assert shapes == sorted(tuple(parameter.shape) for parameter in ours)
    assert all(name in type(plain.build_optimizer(config, network)).__name__.lower() for name in ["sgd"])


def test_the_ray_tune_script_reports_each_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    reports: list[dict[str, float]] = []
    monkeypatch.setattr(tune, "report", reports.append)
    monkeypatch.setattr(ray_script, "EPOCHS", 2)
    config = {**QUICK.sampled_cells[0], "learning_rate": 1e-3}
    ray_script.train_digits(config, plain.load_parts())
    assert len(reports) == 2
    assert {f"norm_{layer}" for layer in range(1, config["depth"] + 2)} <= set(reports[0])
    assert reports[1]["val_loss"] < reports[0]["val_loss"]


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_optuna_alone_trains_the_cells_in_its_queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optuna_script, "EPOCHS", 1)
    journal = str(tmp_path / "journal.log")
    study = optuna_script.create(journal, QUICK.cells[:2])
    optuna_script.work(journal, 2, 0, threading.Barrier(1))
    trials = study.get_trials()
    assert [trial.state for trial in trials] == [optuna.trial.TrialState.COMPLETE] * 2
    assert [trial.params["depth"] for trial in trials] == [cell["depth"] for cell in QUICK.cells[:2]]
    assert optuna_script.outcome(study).networks == 2


def test_every_part_is_a_program() -> None:
    for name in __main__.PARTS:
        part = importlib.import_module(f"tests.benchmarks.{name}")
        assert callable(part.main)
        assert inspect.getdoc(part)


@pytest.mark.parametrize(("words", "written"), [(["growth"], True), (["growth", "--quick"], False)])
def test_a_full_run_writes_its_results(
    words: Sequence[str],
    written: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def one(name: str, *, quick: bool) -> Section:
        return Section(title=name, command="python", measured="now", load="none", body=f"quick: {quick}")

    monkeypatch.setattr(__main__, "run_part", one)
    monkeypatch.setattr(__main__, "RESULTS", tmp_path / "RESULTS.md")
    assert __main__.main(words) == 0
    assert "## growth" in capsys.readouterr().out
    assert (tmp_path / "RESULTS.md").exists() is written


def test_an_unknown_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        __main__.main(["speed"])
    assert "choices: comparison, ends, training_step" in capsys.readouterr().err


@pytest.mark.slow
def test_the_driver_is_metered_with_ray() -> None:
    measured = driver.measure(driver.Setting(workers=2, seconds_per_epoch=0.01, trials=40), replicates=2)
    assert 0 < measured.busy_share <= 1


@pytest.mark.slow
def test_all_contenders_train() -> None:
    tiny = Networks(
        factors={**QUICK.factors, "depth": (3,)}, trials_per_cell=1, replicates=2, sample=2, repeats=1
    )
    contest = contests.hold(tiny, contenders=[OURS, RAY, OPTUNA], num_rounds=1)
    networks: dict[str, Any] = {name: run.outcome.networks for name, run in contest.rounds[0].items()}
    assert networks == {OURS: 8, RAY: 2, OPTUNA: 2}
    assert all(run.outcome.training_seconds < run.command.wall_seconds for run in contest.rounds[0].values())
    assert 0 < contest.ours[0].busy_share <= 1


def test_the_ends_of_a_run_are_set_against_their_goals() -> None:
    smoke = [ends.Ends(start=5.0, end=2.0, whole=14.0), ends.Ends(start=8.0, end=3.0, whole=18.0)]
    answers = {name: [0.4, 0.3] for name in ends.ANSWERS}
    table = {row[0]: row[1:] for row in rows(ends.section([4.0, 5.0], smoke, [3.5], answers))}
    assert table["times the bare Ray"] == ["1.43 (1.25 to 1.60)", "at most 1.25", "no"]
    assert table["smoke from the command to its end, s"][1:] == ["at most 15", "no"]
    assert table["last trial of depth_study to its page, s"] == ["3.50", "at most 4", "yes"]
    assert table["--help told, the least of 2, s"] == ["0.30", "at most 0.2", "no"]
    assert table["a wrong name told, the least of 2, s"][-1] == "yes"


def test_a_command_that_answers_at_once_is_timed() -> None:
    words, code, _ = ends.ANSWERS["--help"]
    assert ends.answer_seconds(words, code) > 0

"""Predictions come from past studies where there are any, scale as theory says, and write nothing."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from studies.base.states import Phase, StudyState
from studies.database.frames import frames
from studies.database.store import Store
from studies.definition.plan_versions import UNTIL_CLEAR
from studies.forecast import forecast, pilot
from studies.forecast.clear_by_look import DIFFERENCES, chance_clear, questions_of
from studies.forecast.forecast import (
    STARTUP_SECONDS,
    Basis,
    LaterLooks,
    Prediction,
    find_basis,
    half_width,
    predict,
    predict_here,
    predict_seconds,
)
from studies.forecast.pilot import run_pilot
from studies.planning.plan import Plan
from studies.planning.resources import Resources
from studies.run_log import run_events
from studies.storage.paths import Locations
from tests.studies.raytune.driving import drive
from tests.studies.raytune.plans import plan
from trainables import datasets
from trainables.data.dataset import Dataset
from trainables.data.splits import Split
from trainables.data.stack_data import StackData
from trainables.training.stack import Stack

BASIS = Basis(seconds_per_network_epoch=0.01, startup_seconds=5.0, spreads={"depth": 0.05}, source="a test")


def test_half_width_is_what_t_intervals_have_on_average() -> None:
    generator = np.random.default_rng(0)
    samples = generator.normal(0, 0.05, (4000, 10))
    observed = 2.2622 * samples.std(1, ddof=1) / 10**0.5
    assert half_width(0.05, 10) == pytest.approx(observed.mean(), rel=0.05)
    assert half_width(0.05, 1) == float("inf")


def test_more_replicates_take_longer_and_narrow_the_interval() -> None:
    prediction = predict(plan(), BASIS, num_workers=2)
    chain = [prediction, *prediction.alternatives]
    assert [p.replicates for p in chain] == [2, 10, 20, 40]
    assert [p.seconds for p in chain] == sorted(p.seconds for p in chain)
    widths = [p.half_widths["depth"] for p in chain]
    assert widths == sorted(widths, reverse=True)


def test_more_workers_are_faster() -> None:
    assert predict(plan(), BASIS, num_workers=8).seconds < predict(plan(), BASIS, num_workers=2).seconds


def test_a_finished_study_on_the_same_data_is_the_basis(store: Store) -> None:
    drive(plan(), store)
    study = store.find_study("small")
    assert study is not None
    seconds = {"wall": 9.0, "busy": 1.0, "recording": 0.1, "startup": 3.5}
    run_events.note_end(store, study.id, state=StudyState.COMPLETE, looks=1, seconds=seconds)
    dataset = datasets.load("digits")
    assert find_basis(digits_plan(), dataset, store).source.startswith(
        "a pilot"
    )  # the study is not complete yet
    store.set_study_state(study.id, StudyState.COMPLETE)
    basis = find_basis(plan(name="next"), dataset, store)
    assert basis.source.startswith("study small")
    assert basis.startup_seconds == 3.5
    trials = store.trials(study.id)
    per_epoch = sum(t.busy_seconds for t in trials) / sum(2 * t.epochs for t in trials)
    assert basis.seconds_per_network_epoch == pytest.approx(per_epoch)
    assert set(basis.spreads) == {"depth", "optimizer"}


def test_of_a_study_that_stops_early_only_what_was_trained_counts(store: Store, tmp_path: Path) -> None:
    small = plan()
    patient = replace(small, study=replace(small.study, fixed={**small.study.fixed, "patience": 1}))
    drive(patient, store)
    study = store.find_study("small")
    assert study is not None
    seconds = {"wall": 9.0, "busy": 1.0, "recording": 0.1, "startup": 3.5}
    run_events.note_end(store, study.id, state=StudyState.COMPLETE, looks=1, seconds=seconds)
    store.set_study_state(study.id, StudyState.COMPLETE)
    with closing(sqlite3.connect(tmp_path / "studies.db")) as connection, connection:
        connection.execute("DELETE FROM epoch WHERE epoch = 3 AND trial_number = 1")
    trials = store.trials(study.id)
    trained = sum(t.epochs for t in trials) - (trials[0].epochs == 3)
    basis = find_basis(plan(name="next"), datasets.load("digits"), store)
    per_epoch = sum(t.busy_seconds for t in trials) / (2 * trained)
    assert basis.seconds_per_network_epoch == pytest.approx(per_epoch)


def test_a_pilot_counts_the_epochs_that_it_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0

    def train_two(stack: Stack, *, epochs: int) -> Iterator[list[str]]:
        """Train two epochs, a second each; after them all networks have stopped early."""
        nonlocal now
        for stack.epoch in range(1, epochs + 1):
            now += stack.epoch <= 2
            yield ["a record"] if stack.epoch <= 2 else []

    monkeypatch.setattr(pilot, "train", train_two)
    monkeypatch.setattr(pilot, "time", SimpleNamespace(perf_counter=lambda: now))
    assert run_pilot(plan(), datasets.load("digits")).seconds_per_network_epoch == 1 / 2


def test_a_study_on_a_share_of_the_data_is_no_basis_for_one_on_all_of_it(store: Store) -> None:
    drive(plan(), store)
    study = store.find_study("small")
    assert study is not None
    seconds = {"wall": 9.0, "busy": 1.0, "recording": 0.1, "startup": 3.5}
    run_events.note_end(store, study.id, state=StudyState.COMPLETE, looks=1, seconds=seconds)
    store.set_study_state(study.id, StudyState.COMPLETE)
    assert find_basis(plan(name="next"), datasets.load("digits"), store).source.startswith("study small")
    assert find_basis(on_a_tenth(plan()), datasets.load("digits"), store).source.startswith("a pilot")


@pytest.mark.parametrize(
    ("damage", "source"),
    [
        ("UPDATE trial SET epochs = 0, state = 'failed', objective = NULL", "a pilot"),
        ("UPDATE trial SET busy_seconds = 0", "a pilot"),
        ("DELETE FROM event", "study small"),
        ("DELETE FROM replicate", "study small"),
    ],
)
def test_a_past_that_says_nothing_is_passed_over(
    store: Store, tmp_path: Path, damage: str, source: str
) -> None:
    drive(plan(), store)
    study = store.find_study("small")
    assert study is not None
    store.set_study_state(study.id, StudyState.COMPLETE)
    with closing(sqlite3.connect(tmp_path / "studies.db")) as connection, connection:
        connection.execute(damage)
    basis = find_basis(plan(name="next"), datasets.load("digits"), store)
    assert basis.source.startswith(source)
    assert 0 < predict_seconds(plan(name="next"), basis, num_workers=1) < 3600
    assert basis.startup_seconds == STARTUP_SECONDS, "no run tells how long a start takes"


def test_a_pilot_trains_on_the_plans_share_of_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    make = StackData.make

    def noting(dataset: Dataset, splits: Sequence[Split], device: torch.device) -> StackData:
        seen.append(len(splits[0].train))
        return make(dataset, splits, device)

    monkeypatch.setattr(StackData, "make", noting)
    for each in (plan(), on_a_tenth(plan())):
        run_pilot(each, datasets.load("digits"), epochs=1)
    assert seen == [1077, 107]


def on_a_tenth(given: Plan) -> Plan:
    """Return the plan with a tenth of each training part."""
    return replace(given, study=replace(given.study, fixed={**given.study.fixed, "train_size": 0.1}))


def digits_plan() -> Plan:
    """Return the small plan on the real digits."""
    base = plan()
    return Plan(name="digits", study=base.study, dataset_fingerprint=datasets.load("digits").fingerprint)


def test_a_pilot_trains_pairs_of_levels() -> None:
    found = run_pilot(digits_plan(), datasets.load("digits"), epochs=1)
    assert set(found.outcomes["depth"]) == {1, 2}
    assert len(found.outcomes) == 4 * 2  # both levels with each optimizer, two blocks
    assert found.outcomes["test_loss"].between(0, 2.31).all()
    assert 0 < found.seconds_per_network_epoch < 1


def test_a_pilot_does_not_read_the_test_part(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run_pilot(digits_plan(), datasets.load("digits"), epochs=1)
    make = StackData.make

    def without_test(dataset: Dataset, splits: Sequence[Split], device: torch.device) -> StackData:
        data = make(dataset, splits, device)
        return replace(data, test=data.test[:, :0])

    monkeypatch.setattr(StackData, "make", without_test)
    found = run_pilot(digits_plan(), datasets.load("digits"), epochs=1)
    assert found.outcomes.equals(whole.outcomes)
    assert found.outcomes["test_loss"].nunique() > 1


def test_where_an_epoch_takes_long_a_pilot_trains_fewer(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pilot, "MAX_SECONDS", 0.0)
    longer = digits_plan()
    assert longer.study.confirm.epochs > 1
    assert run_pilot(longer, datasets.load("digits")).epochs == 1
    source = find_basis(longer, datasets.load("digits"), store).source
    assert f" networks over 1 of {longer.study.confirm.epochs} epochs, just now" in source


def test_of_large_data_a_pilot_takes_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def make(dataset: Dataset, splits: Sequence[Split], device: torch.device) -> StackData:
        seen.extend(len(split.train) for split in splits)
        return StackData.make(dataset, splits, device)

    monkeypatch.setattr(pilot, "StackData", SimpleNamespace(make=make))
    monkeypatch.setattr(pilot, "MAX_EXAMPLES", 600)
    found = run_pilot(digits_plan(), datasets.load("digits"), epochs=1)
    assert set(seen) == {359}, "a third of 1,077"
    assert found.outcomes["test_loss"].between(0, 2.31).all()


def test_a_pilot_of_convolutions_takes_fewer_of_larger_pictures_and_leaves_their_intervals_open(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pilot, "MAX_PIXELS", 64 * 1797 / 12)
    of_pictures = replace(digits_plan(), study=replace(digits_plan().study, model="cnn"))
    assert run_pilot(digits_plan(), datasets.load("digits"), epochs=1).stride == 1, "fully connected"
    basis = find_basis(of_pictures, datasets.load("digits"), store)
    assert " on one of 12 examples" in basis.source
    assert basis.spreads == {}


def test_predicting_writes_nothing(tmp_path: Path) -> None:
    locations = Locations(storage=f"sqlite:///{tmp_path}/none.db", output=tmp_path / "runs")
    predict_here(digits_plan(), datasets.load("digits"), locations, Resources(workers=1))
    assert list(tmp_path.iterdir()) == []


class TestLaterLooks:
    """What looks after the first may come to, where a plan has any."""

    LOOKS = (10, 20, 40)

    def later(
        self, version: int = UNTIL_CLEAR, *, spread: float | None = 0.02, official_test: bool = False
    ) -> tuple[Plan, Prediction, LaterLooks]:
        small = plan()
        study = replace(small.study, replicates=10, looks=self.LOOKS)
        looking = replace(small, study=study, version=version)
        spreads = {} if spread is None else dict.fromkeys(questions_of(study.factors), spread)
        basis = replace(BASIS, question_spreads=spreads, official_test=official_test)
        found = predict(looking, basis, num_workers=2)
        assert found.later is not None
        return looking, found, found.later

    def test_a_plan_with_one_look_has_none(self) -> None:
        assert predict(plan(), BASIS, num_workers=2).later is None

    def test_time_and_intervals_are_those_of_the_first_look_and_the_rest_is_told_apart(self) -> None:
        looking, found, later = self.later()
        alone = predict(looking.up_to_look(1), BASIS, num_workers=2)
        assert (found.seconds, found.half_widths) == (alone.seconds, alone.half_widths)
        assert later.looks == self.LOOKS
        # The best cell and the best with the other level of each of two factors, over thirty blocks.
        assert later.most_networks == 3 * 30
        assert later.most_seconds == pytest.approx(3 * 30 * 3 * 0.01 / (2 * 0.9))

    def test_chances_are_those_of_the_plans_share_and_hypotheses(self) -> None:
        looking, _, later = self.later()
        smallest, share = looking.study.smallest_effect.log_loss, looking.study.error_shares.loss_at_best
        assert set(later.chances) == set(DIFFERENCES)
        for difference, by_question in later.chances.items():
            # Two questions, and the comparison with a linear model.
            expected = chance_clear(0.02, smallest, self.LOOKS, share, 3, difference * smallest, True)
            assert set(by_question.values()) == {expected}
        assert 0 < later.expected_networks[2.0] < later.expected_networks[0.5] < later.most_networks

    def test_blocks_that_are_not_pooled_take_longer(self) -> None:
        pooled, apart = self.later()[2], self.later(official_test=True)[2]
        assert apart.expected_networks[0.0] > pooled.expected_networks[0.0]

    def test_looks_that_train_all_cells_have_no_expected_number(self) -> None:
        _, _, later = self.later(UNTIL_CLEAR - 1)
        assert later.most_networks == 4 * 30
        assert later.expected_networks == {}
        assert later.chances

    def test_without_a_spread_nothing_is_said_of_chances(self) -> None:
        _, _, later = self.later(spread=None)
        assert (later.spreads, later.chances, later.expected_networks) == ({}, {}, {})
        assert later.most_networks == 90


def test_a_past_study_tells_the_spread_of_each_question(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the first look's blocks alone: those of later looks are scored otherwise."""
    for _ in range(2):
        drive(plan(looks=(10, 20)), store)
    study = store.find_study("small")
    assert study is not None
    store.set_study_state(study.id, StudyState.COMPLETE)
    frame = frames.replicates(store, study.id, Phase.CONFIRM)
    apart = 0.01 * frame["cell"] * frame["block"]
    made_up = frame.assign(test_loss=0.5 + apart.where(frame["block"] < 10, 9.0 * frame["cell"]))
    monkeypatch.setattr(frames, "replicates", lambda *_: made_up)
    basis = find_basis(plan(name="next"), datasets.load("digits"), store)
    assert basis.source.startswith("study small")
    assert set(basis.question_spreads) == set(questions_of(plan().study.factors))
    steps = [spread / (0.01 * np.arange(10).std(ddof=1)) for spread in basis.question_spreads.values()]
    # Two cells with the numbers a and b are apart by |b - a| times the block.
    assert steps == pytest.approx(np.round(steps))
    assert all(1 <= step <= 3 for step in np.round(steps))


def test_a_pilot_tells_one_spread_for_all_questions_if_it_trained_long_enough(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = digits_plan()
    longer = replace(base, study=replace(base.study, replicates=3))
    basis = find_basis(longer, datasets.load("digits"), store)
    assert set(basis.question_spreads) == set(questions_of(base.study.factors))
    assert len(set(basis.question_spreads.values())) == 1
    monkeypatch.setattr(forecast, "LEAST_TRAINED", 1.1)
    assert find_basis(longer, datasets.load("digits"), store).question_spreads == {}

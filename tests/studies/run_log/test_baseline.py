"""The line to beat in a run: fitted once for each block, kept, and found again by a resume and by the report."""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from studies.database.rows import EventRow
from studies.run_log.baseline import KIND, fit_missing, linear_models
from tests.trainables.corpus import corpus, texts
from trainables.data.dataset import Dataset
from trainables.data.linear_model import fit_linear
from trainables.data.splits import split_blocks

CORPUS = replace(corpus(*texts()), has_linear_model=True)
SPLITS = split_blocks(CORPUS, seed=0, blocks=range(3), sizes=(None, 0.5))


@dataclass
class Noted:
    """A log that keeps what it is told."""

    events: list[EventRow] = field(default_factory=list)

    def add_event(self, study_id: int, kind: str, trial_number: int | None, detail: str) -> None:
        """Keep an event."""
        row = EventRow(
            sequence=len(self.events),
            at=datetime.now(UTC),
            kind=kind,
            trial_number=trial_number,
            detail=detail,
        )
        self.events.append(row)


def fit(log: Noted, *, dataset: Dataset = CORPUS, most: int = 100) -> None:
    num_before = len(log.events)
    fit_missing(
        log,
        1,
        dataset=dataset,
        splits=SPLITS,
        events=list(log.events),
        should_stop=lambda: len(log.events) - num_before >= most,
    )


def test_every_block_and_share_of_the_data_gets_one() -> None:
    log = Noted()
    fit(log)
    frame = linear_models(log.events)
    assert frame["block"].tolist() == [0, 1, 2, 0, 1, 2]
    assert frame["train_size"].isna().tolist() == [True] * 3 + [False] * 3
    expected = fit_linear(CORPUS, SPLITS[0.5, 1])
    (row,) = frame[(frame["train_size"] == 0.5) & (frame["block"] == 1)].to_dict("records")
    assert row["model"] == "logistic regression"
    for name in ("strength", "val_loss", "val_accuracy", "test_loss", "test_accuracy"):
        assert row[name] == pytest.approx(getattr(expected, name))


def test_a_stopped_run_keeps_what_it_has_and_a_resume_fits_the_rest() -> None:
    whole, log = Noted(), Noted()
    fit(whole)
    fit(log, most=2)
    assert len(log.events) == 2
    fit(log)
    fit(log)
    assert len(log.events) == 6
    drop = ["seconds"]
    assert linear_models(log.events).drop(columns=drop).equals(linear_models(whole.events).drop(columns=drop))


def test_a_dataset_without_one_costs_nothing() -> None:
    log = Noted()
    fit(log, dataset=replace(CORPUS, has_linear_model=False))
    assert log.events == []
    assert linear_models(log.events).empty


def test_other_events_are_passed_over() -> None:
    log = Noted()
    log.add_event(1, "run_started", None, "{}")
    fit(log)
    assert len(linear_models(log.events)) == 6
    assert {event.kind for event in log.events} == {"run_started", KIND}
    assert all(json.loads(event.detail)["seconds"] >= 0 for event in log.events if event.kind == KIND)

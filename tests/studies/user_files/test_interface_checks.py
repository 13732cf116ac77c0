"""What a user's own file brings is checked before anything is trained: mistakes with their lines, and warnings."""

from pathlib import Path

import pytest
import torch

from studies.base.errors import StudiesError, UsageError
from studies.database.store import Store
from studies.execution.preparation import load_dataset, settle
from studies.execution.registration import register
from studies.planning.plan import Plan
from studies.planning.request import Draft, Request, draft
from studies.planning.resources import Resources
from studies.results.report_inputs import report_inputs
from studies.storage.paths import locate
from tests.studies.own_file import write


def drafted(path: Path, **settings: object) -> Draft:
    return draft(Request(study=str(path), settings=settings))


def settled(path: Path, **settings: object) -> tuple[Plan, tuple[str, ...]]:
    made = drafted(path, **settings)
    return settle(made, load_dataset(made), locate(), Resources())


def mistakes_of(path: Path, **settings: object) -> str:
    with pytest.raises(UsageError) as caught:
        settled(path, **settings)
    return "\n".join([*caught.value.mistakes, caught.value.advice])


def line_of(path: Path, text: str) -> str:
    """Return `path:line` of the line that begins with `text`."""
    lines = path.read_text().splitlines()
    return f"{path}:{next(number for number, line in enumerate(lines, 1) if line.strip().startswith(text))}"


class TestAGoodFile:
    def test_its_data_and_networks_are_the_studys(self, tmp_path: Path) -> None:
        path = write(tmp_path)
        plan, warnings = settled(path)
        assert (plan.study.model, plan.study.dataset, warnings) == ("own", "own", ())
        dataset = load_dataset(drafted(path))
        assert (dataset.shape, dataset.classes, len(dataset.inputs)) == ((2, 3), ("down", "up"), 90)
        assert plan.dataset_fingerprint == dataset.fingerprint

    def test_the_plan_keeps_its_own_hyperparameters(self, tmp_path: Path) -> None:
        plan, _ = settled(write(tmp_path))
        again = Plan.from_dict(plan.name, plan.to_dict())
        assert again.hash == plan.hash
        assert again.study == plan.study
        values = plan.hyperparameters({"units": 8, "dropout": 0.5, "learning_rate": 0.01})
        assert (values["units"], values["gain"], values["depth"]) == (8, 2.0, 3)
        assert plan.to_dict()["hyperparameters"] == {"units": 4, "gain": 1.0}

    def test_a_plan_without_them_is_as_it_was(self) -> None:
        plan = drafted(Path("depth_study")).plan("f00d")
        assert "hyperparameters" not in plan.to_dict()

    def test_it_can_be_varied(self, tmp_path: Path) -> None:
        plan, _ = settled(write(tmp_path), **{"factors.units": [2, 16], "fixed.gain": 0.5})
        assert (plan.study.factors["units"], plan.study.fixed["gain"]) == ((2, 16), 0.5)

    def test_studies_own_networks_can_be_trained_on_its_data(self, tmp_path: Path) -> None:
        path = write(tmp_path, ('hyperparameters={"units": 4, "gain": 1.0},', ""), ('"units": (4, 8), ', ""))
        path.write_text(path.read_text().replace('"gain": 2, ', ""))
        plan, warnings = settled(path, model="mlp")
        assert (plan.build, warnings) == (None, ())


@pytest.mark.parametrize(
    ("old", "new", "line", "expected"),
    [
        (
            "build(hyperparameters, input_shape, num_classes)",
            "build(hyperparameters)",
            "def build",
            "build(hyperparameters, input_shape, num_classes) is how it is called; it takes (hyperparameters)",
        ),
        ("def load():", "def load(path):", "def load", "load() is how it is called; it takes (path)"),
        (
            "    return nn.Sequential(",
            "    return list(",
            "return list(",
            "build() with units 4, dropout 0.0: TypeError: list expected at most 1 argument, got 5",
        ),
        (
            "    units = round",
            "    return [1]\n    units = round",
            "def build",
            "build() must return a torch.nn.Module; got a list",
        ),
        (
            "nn.Linear(units, num_classes)",
            "nn.Linear(units, num_classes + 1)",
            "def build",
            "the network must return logits (examples, classes), (16, 2) for inputs (16, 2, 3); got shape (16, 3)",
        ),
        ("nn.Linear(6, units)", "nn.Linear(7, units)", "def build", "mat1 and mat2 shapes cannot be multiplied"),
        (
            "hyperparameters.units",
            "hyperparameters.unit",
            "units = round",
            "AttributeError: no hyperparameter unit (did you mean units?)",
        ),
        (
            "return inputs, np",
            "inputs[3, 1, 2] = np.nan\n    return inputs, np",
            "def load",
            "load(): inputs must be finite; row 3 has nan at 1, 2 (1 such values in all)",
        ),
        (
            "    inputs = np.random",
            "    np.load('gone.npy')\n    inputs = np.random",
            "np.load",
            "load() raised FileNotFoundError: [Errno 2] No such file or directory: 'gone.npy'",
        ),
        ("return inputs, np", "return inputs.ravel(), np", "def load", "load(): inputs must have shape"),
        (
            '"units": (4, 8)',
            '"units": (4, "eight")',
            "STUDY",
            'each level of factors.units must be a whole number, as its default is; got "eight"',
        ),
        ('"units": (4, 8)', '"unitz": (4, 8)', "STUDY", "factors.unitz: no such hyperparameter (did you mean units?)"),
        ('{"units": 4,', '{"units": None,', "STUDY", "hyperparameters.units must be its default: a number, a text"),
        ('{"units": 4,', '{"units": 4, "width": 3,', "STUDY", "hyperparameters.width: width is a hyperparam"),
        ('{"units": 4,', '{"units": 4, "class": 3,', "STUDY", "hyperparameters.class: the name must be one that"),
        ('{"units": 4,', '{"units": 4, "widths": 3,', "STUDY", "hyperparameters.widths: the name is taken"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, line: str, expected: str
) -> None:
    path = write(tmp_path, (old, new))
    told = mistakes_of(path)
    assert told.startswith(line_of(path, line))
    assert expected in told


def test_one_line_of_advice_says_how_to_declare_a_hyperparameter(tmp_path: Path) -> None:
    told = mistakes_of(write(tmp_path, ('hyperparameters={"units": 4, "gain": 1.0},', "")))
    assert "factors.units: no such hyperparameter" in told
    assert "is declared with its default: Study(hyperparameters={'num_heads': 4}, ...)" in told


def test_functions_of_a_package_count_where_the_study_says_so(tmp_path: Path) -> None:
    imported = ("def load():", "from tests.studies.own_loader import load\n\n\ndef unused():")
    assert (
        settled(write(tmp_path, imported, ("nn.Linear(6, units)", "nn.Linear(64, units)")))[0].study.dataset
        == "digits"
    )
    plan, _ = settled(write(tmp_path, imported, ("question=", 'dataset="own", question=')))
    assert plan.study.dataset == "own"


def test_a_mistake_at_one_level_alone_is_found(tmp_path: Path) -> None:
    path = write(
        tmp_path, ("    units = round", "    assert hyperparameters.units < 8, 'too many'\n    units = round")
    )
    assert f"{line_of(path, 'assert')}: build() with units 8, " in mistakes_of(path)


def test_what_the_file_lacks_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, ("def build(", "def make("), ("def load(", "def read("))
    told = mistakes_of(path, model="own", dataset="own")
    assert (
        "model own is what build() or train() in the study's own file makes, and there is no build() or"
        in told
    )
    assert "dataset own is what load() in the study's own file makes, and there is no load()" in told
    assert f"{path}: hyperparameters (units, gain) are read by build()" in mistakes_of(path, dataset="digits")
    with pytest.raises(UsageError, match="there is no build"):
        drafted(Path("depth_study"), model="own")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("nn.Dropout(hyperparameters.dropout)", "nn.Dropout(0.1)", "factors.dropout: build() never reads"),
        (
            "* hyperparameters.gain",
            "",
            "fixed.gain: build() never reads hyperparameters.gain, so that it has no effect",
        ),
        ('"gain": 1.0}', '"gain": 1.0, "spare": 2}', "hyperparameters.spare: build() never reads it"),
        (
            "    units = round",
            "    import torch; torch.manual_seed(0)\n    units = round",
            "the same weights",
        ),
        (
            "nn.Flatten(),",
            "nn.Flatten(), nn.Linear(6, 6), nn.Threshold(1e9, 0),",
            "build(): no gradient reaches 1",
        ),
        (
            "nn.Flatten(),",
            "nn.Flatten(), nn.Threshold(1e9 if units == 16 else -1e9, np.inf),",
            "loss is not finite before any training",
        ),
    ],
)
def test_what_is_odd_is_a_warning_with_the_place_of_build(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    path = write(tmp_path, (old, new))
    _, warnings = settled(path)
    found = [warning for warning in warnings if expected in warning]
    assert len(found) == 1
    assert found[0].startswith(f"warning: {line_of(path, 'def build')}: ")


def test_networks_of_which_none_has_a_loss_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, ("nn.Flatten(),", "nn.Flatten(), nn.Threshold(1e9, np.inf),"))
    said = f"{line_of(path, 'def build')}: build(): the loss of each of the 3 networks tried is not finite before any"
    assert said in mistakes_of(path)
    assert "scale" not in mistakes_of(path), "inputs are of a usual size"


def test_reading_everything_at_once_is_reading(tmp_path: Path) -> None:
    for all_of_them in ("vars(hyperparameters)", "dataclasses.asdict(hyperparameters)"):
        path = write(
            tmp_path,
            ("    units = round", f"    import dataclasses; values = {all_of_them}\n    units = round"),
            ("nn.Dropout(hyperparameters.dropout)", 'nn.Dropout(values["dropout"])'),
        )
        assert settled(path)[1] == ()


def test_trying_out_leaves_randomness_alone(tmp_path: Path) -> None:
    before = torch.get_rng_state()
    settled(write(tmp_path))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_changed_file_is_refused_and_a_study_without_a_run_has_no_report(tmp_path: Path) -> None:
    path, locations = write(tmp_path), locate(f"sqlite:///{tmp_path}/s.db", str(tmp_path))
    with Store.open(f"sqlite:///{tmp_path}/s.db", create=True) as store:
        study = register(store, drafted(path).plan("f00d"), Request(study=str(path)), locations)
        with pytest.raises(
            StudiesError, match="study own has no run yet, and its data are what its own file loads"
        ):
            report_inputs(store, study)
        write(tmp_path, ("nn.ReLU()", "nn.Tanh()"))
        with pytest.raises(
            UsageError, match="Go on with the recorded one: put its file, and the modules beside it, back"
        ):
            register(store, drafted(path).plan("f00d"), Request(study=str(path)), locations)

"""Files from elsewhere are data: nothing that a study reads back can run code."""

import ast
import io
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError

from studies.planning.plan import Plan
from studies.planning.planned_trial import PlannedTrial
from studies.raytune.checkpoints import FOLDER, Checkpoints
from studies.raytune.experiment import assign
from studies.search.trial_queue import TrialQueue
from tests.hostile import Trap
from tests.studies.raytune.plans import plan
from trainables.trials.artifact import from_bytes
from trainables.trials.checkpoint import CheckpointError, sealed
from trainables.trials.loop_checkpoint import LOOP, NO_STACK, load

ROOT = Path(__file__).resolve().parents[3]
LOADERS = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
CALLS = {"eval", "exec", "compile", "__import__"}
METHODS = {"torch.load", "numpy.load", "np.load", "pd.read_pickle", "pandas.read_pickle", "yaml.load"}
ONLY_IN = {
    "trainables/user_code/code.py": {"exec", "compile"},
    "trainables/datasets/cifar10.py": {"pickle"},
    "trainables/trials/loop_checkpoint.py": {"pickle", "torch.load"},
    "studies/exchange/plain_script/data_text.py": {"exec", "compile"},
    "studies/user_files/python_source.py": {"compile"},
    "reports/pages/drawing_processes.py": {"pickle"},
}
"""A user's own study is a program, and run as one, at the user's word. CIFAR-10's Python archive is checked by SHA-256,
and then read by an unpickler that makes arrays and refuses everything else. What a loop of one's own keeps is loaded
with `weights_only`, by the unpickler of torch that makes tensors and plain data. A script that is exported is tried: it
is written from a template, and what is the user's own in it are literals. The source of a notebook's cell is compiled,
never run, to see whether it is what the kernel has run. A page's drawings go to processes that it
started itself, and come back, by pipes that nobody else has.
"""


def hostile_files(trap: Path) -> dict[str, bytes]:
    """Return files of every kind that torch or Python would run on loading."""
    zipped, saved = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Trap(trap)))
    torch.save({"parameters": Trap(trap)}, saved)
    header = pickle.dumps(Trap(trap))
    return {
        "pickle": pickle.dumps(Trap(trap)),
        "zip": zipped.getvalue(),
        "torch": saved.getvalue(),
        "header": len(header).to_bytes(8, "little") + header,
        "metadata": b"\x20\0\0\0\0\0\0\0" + b'{"__metadata__":{"network":"["}}',
        "nothing": b"",
    }


@pytest.mark.parametrize("kind", ["pickle", "zip", "torch", "header", "metadata", "nothing"])
def test_a_hostile_checkpoint_is_refused_and_not_run(tmp_path: Path, kind: str) -> None:
    small: Plan = plan()
    trial = TrialQueue(small).next_trial()
    assert isinstance(trial, PlannedTrial)
    data = hostile_files(tmp_path / "trapped")[kind]
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / f"trial-{trial.number}-epoch-1.safetensors").write_bytes(data)
    found, refused = Checkpoints(tmp_path).newest(assign(small, trial, keeps_models=False))
    assert found is None
    assert len(refused) == 1
    assert not (tmp_path / "trapped").exists()


def test_hostile_weights_are_refused_and_not_run(tmp_path: Path) -> None:
    files = hostile_files(tmp_path / "trapped")
    for kind in files.keys() - {"metadata"}:
        with pytest.raises(SafetensorError):
            from_bytes(files[kind])
    assert not (tmp_path / "trapped").exists()
    pickle.loads(files["pickle"])
    assert (tmp_path / "trapped").exists(), "it is no trap: the test tests nothing"


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("kind", ["pickle", "zip", "torch", "nothing"])
def test_what_a_loop_kept_is_refused_and_not_run(tmp_path: Path, kind: str) -> None:
    small: Plan = plan()
    trial = TrialQueue(small).next_trial()
    assert isinstance(trial, PlannedTrial)
    task = assign(small, trial, keeps_models=False)
    hostile = bytearray(hostile_files(tmp_path / "trapped")[kind])
    packed = torch.frombuffer(hostile, dtype=torch.uint8) if hostile else torch.empty(0, dtype=torch.uint8)
    kept = {f"{LOOP}{number}": packed.clone() for number in range(len(task.seeds))}
    facts = {"epoch": 1, "diverged": [False] * len(task.seeds), **NO_STACK}
    with pytest.raises(CheckpointError):
        load(sealed(kept, facts, task), task)
    assert not (tmp_path / "trapped").exists()


@pytest.mark.parametrize("package", ["studies", "trainables", "reports", "search_spaces"])
def test_no_source_loads_what_could_run(package: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in sorted((ROOT / package).rglob("*.py"))
        for line, name in uses(path)
        if name not in ONLY_IN.get(path.relative_to(ROOT).as_posix(), ())
    ]
    assert found == []


def uses(path: Path) -> list[tuple[int, str]]:
    """Return where a source uses what loads or runs code."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                found += [(node.lineno, each.name) for each in names if each.name in LOADERS]
            case ast.ImportFrom(module=str(module)) if module.partition(".")[0] in LOADERS:
                found.append((node.lineno, module))
            case ast.Call(func=ast.Name(id=name)) if name in CALLS:
                found.append((node.lineno, name))
            case ast.Call(func=ast.Attribute() as method, keywords=keywords) if ast.unparse(
                method
            ) in METHODS and "allow_pickle=False" not in [ast.unparse(keyword) for keyword in keywords]:
                found.append((node.lineno, ast.unparse(method)))
    return found

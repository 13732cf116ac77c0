"""The README's promises: its commands run, its example is a study, its links lead somewhere."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from studies import load_study
from studies.__main__ import DOORS
from studies.planning.request import Request, draft
from studies.user_files.loader import load_definition
from tests.readme import README, block
from trainables.base.hyperparameters import Hyperparameters
from trainables.trials.artifact import from_bytes, metadata_of

ROOT = Path(__file__).resolve().parent.parent


def shell_commands() -> list[str]:
    """Return every line of the README's shell blocks."""
    blocks = re.findall(r"```sh\n(.*?)\n```", README, re.DOTALL)
    return [line for text in blocks for line in text.splitlines() if line.strip()]


def run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the installed command in a folder of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STUDIES_")}
    return subprocess.run(
        [sys.executable, "-m", "studies", *arguments],
        cwd=folder,
        env={**environment, "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("study", ["depth_study", "tuning_study"])
def test_the_studies_it_names_run_in_the_smoke_profile(study: str, tmp_path: Path) -> None:
    done = run(["run", study, "--profile", "smoke"], tmp_path)
    assert done.returncode == 0, done.stderr
    page = tmp_path / "runs" / f"{study}-smoke" / "report.html"
    assert f"runs/{study}-smoke/report.html" in done.stdout
    assert page.stat().st_size > 50_000
    report = json.loads(page.with_name("report.json").read_text(encoding="utf-8"))
    assert report["state"] == "complete"


def test_its_own_study_can_be_drafted(tmp_path: Path) -> None:
    path = tmp_path / "my_study.py"
    path.write_text(block("my_study.py"), encoding="utf-8")
    assert draft(Request(study=str(path))).study.factors == {"width": (32, 128), "dropout": (0.1, 0.5)}


def test_its_study_of_ones_own_data_and_network_runs(tmp_path: Path) -> None:
    (tmp_path / "my_transformer.py").write_text(block("my_transformer.py"), encoding="utf-8")
    done = run(["run", "./my_transformer.py", "--no-dashboard", "--profile", "smoke"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr
    folder = tmp_path / "runs" / "my_transformer-smoke"
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["accounting"]["networks"] == 24
    assert report["accounting"]["failed"] == 0
    assert "models of your own were compared" in report["analysis"][0]
    study = load_study("my_transformer-smoke", storage=f"sqlite:///{tmp_path}/runs/studies.db")
    gradients = study.gradients()
    assert sorted(gradients["layer"].unique()) == [1, 2, 3, 4, 5, 6, 7]  # embedding, then three a block
    assert gradients["delta_rms"].gt(0).all()
    best = (folder / "models" / "best" / "block-0.safetensors").read_bytes()
    metadata = metadata_of(best)
    hyperparameters = Hyperparameters.from_dict(metadata["hyperparameters"])
    code = load_definition(str(tmp_path / "my_transformer.py")).code
    assert code is not None
    network = code.build(hyperparameters, tuple(metadata["input_shape"]), len(metadata["classes"]))
    network.load_state_dict(from_bytes(best))


def test_its_loop_that_watches_runs(capsys: pytest.CaptureFixture[str]) -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
    names = {
        "model": model,
        "optimizer": torch.optim.SGD(model.parameters(), lr=0.1),
        "batches": [(torch.ones(6, 4), torch.ones(6, dtype=torch.int64))] * 3,
        "num_epochs": 2,
        "nn": nn,
    }
    exec(block("watch"), names)
    assert [line.split()[:2] for line in capsys.readouterr().out.splitlines()] == [
        ["0", "1"],
        ["0", "2"],
        ["1", "1"],
        ["1", "2"],
    ]


def test_its_commands_are_commands() -> None:
    for line in shell_commands():
        for command in re.split(r"\s*&&\s*", line):
            words = shlex.split(command)
            if words[0] == "studies":
                assert words[1] in DOORS, command


def test_the_doors_of_its_table_exist() -> None:
    named = set(re.findall(r"`studies (\w+)", README))
    assert named <= set(DOORS)
    assert set(DOORS) <= named | {"database"}


def test_the_settings_it_names_are_settings() -> None:
    from studies.definition.overrides import derive
    from studies.definition.settings import parse_setting

    study = load_definition("depth_study")[1]
    for text in re.findall(r"`--set ([^`\s]+)`", README):
        name, value = parse_setting(text)
        of_a_table = name == "header" or name.startswith("columns.")
        table = {"dataset": "csv:flowers.csv", "target": "species"} if of_a_table else {}
        rare = {"min_class_count": 4} if name == "rare_classes" else {}
        derive(study, settings={**table, **rare, name: value})


def test_its_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", README):
        if not target.startswith("http"):
            assert (ROOT / target).is_file(), target


def test_both_commands_name_the_constraints() -> None:
    for name in ("install and run", "install and test"):
        assert "-c constraints.txt" in block(name)
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert "torch==2.13.0" in pinned

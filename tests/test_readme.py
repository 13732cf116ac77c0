"""The README's promises: its commands run, its example is a study, its links lead somewhere."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from studies.__main__ import DOORS
from studies.catalog import load

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(name: str) -> str:
    """Return the text of the code block after the comment with this name."""
    found = re.search(rf"<!-- {re.escape(name)} -->\s*```\w+\n(.*?)\n```", README, re.DOTALL)
    assert found is not None, f"the README has no block {name}"
    return found.group(1)


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


def test_its_own_study_runs(tmp_path: Path) -> None:
    (tmp_path / "my_study.py").write_text(block("my_study.py"), encoding="utf-8")
    small = {
        "replicates": 2,
        "search.trials_per_cell": 2,
        "search.rungs": [1, 3],
        "confirm.epochs": 3,
        "factors.width": [8, 16],
    }
    settings = [word for name, value in small.items() for word in ("--set", f"{name}={json.dumps(value)}")]
    done = run(["run", "./my_study.py", "--no-dashboard", *settings], tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Does a wider network forgive dropout?" in done.stdout


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
    from studies.variants import derive, parse_setting

    study = load("depth_study")[1]
    for text in re.findall(r"`--set ([^`\s]+)`", README):
        name, value = parse_setting(text)
        derive(study, settings={name: value})


def test_its_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", README):
        if not target.startswith("http"):
            assert (ROOT / target).is_file(), target


def test_both_commands_name_the_constraints() -> None:
    for name in ("install and run", "install and test"):
        assert "-c constraints.txt" in block(name)
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert "torch==2.13.0" in pinned

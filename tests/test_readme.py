"""The documentation's promises: commands run, examples are studies, options exist, links lead somewhere."""

import argparse
import ast
import doctest
import importlib
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import studies
from studies import load_study
from studies.__main__ import DOORS
from studies.base.errors import StudiesError
from studies.database.schema import tables
from studies.definition.overrides import derive
from studies.definition.settings import parse_setting
from studies.execution.session import Result
from studies.planning.request import Request, draft
from studies.user_files.loader import load_definition
from tests import api, structure
from tests.readme import PAGES, README, ROOT, anchors, block, shell_lines, spans
from trainables.base.hyperparameters import Hyperparameters
from trainables.data.dataset import Dataset
from trainables.trials.artifact import from_bytes, metadata_of

page = pytest.mark.parametrize("name", PAGES)
RUN_HERE = {"my_study.py", "my_transformer.py", "watch", "contrasts", "growth", "names", "errors", "wine.py"}
RUN_IN_ORDER = ("run from Python", "results", "frames", "predict from Python")
RUN_ELSEWHERE = {"my_regression.py"}  # tests/studies/test_own_loop.py
RUN_ELSEWHERE |= {"in a notebook"}  # tests/studies/test_notebook.py
RUN_ELSEWHERE |= {
    "deep.py",
    "gradients.py",
    "clothes.py",
    "pictures.py",
    "predict.py",
}  # tests/test_course.py
OTHERS_OPTIONS = {
    *("--loops", "--threads", "--quick", "--strict"),  # of the tests and benchmarks, which CONTRIBUTING names
    *("--build", "--scale", "--exclusive", "--requeue", "--signal"),  # of Docker and SLURM
}


def run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python with these arguments in a folder of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STUDIES_")}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**environment, "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which depth_study has run in the smoke profile."""
    return run_smoke("depth_study", tmp_path_factory.mktemp("smoke"))


def run_smoke(study: str, folder: Path) -> Path:
    done = run(["-m", "studies", "run", study, "--profile", "smoke"], folder)
    assert done.returncode == 0, done.stderr
    page = folder / "runs" / f"{study}-smoke" / "report.html"
    assert f"runs/{study}-smoke/report.html" in done.stdout
    assert page.stat().st_size > 50_000
    report = json.loads(page.with_name("report.json").read_text(encoding="utf-8"))
    assert report["state"] == "complete"
    assert public_keys() <= set(report)
    return folder


@pytest.mark.slow
def test_the_study_without_cells_runs_in_the_smoke_profile(tmp_path: Path) -> None:
    run_smoke("tuning_study", tmp_path)


def test_the_study_it_names_runs_in_the_smoke_profile_and_is_read_from_python(smoke: Path) -> None:
    done = run(["-c", "\n".join(block(name) for name in RUN_IN_ORDER)], smoke)
    assert (done.returncode, done.stdout.split()[0]) == (0, "runs/depth_study-smoke/report.html"), done.stderr


@pytest.mark.parametrize("name", api.public_names())
def test_every_public_name_of_python_has_an_example(name: str) -> None:
    assert api.without_example(name) == []


def test_every_public_name_of_python_is_on_a_page_of_the_api() -> None:
    documented = [api.find(name) for name in api.IDENTIFIERS]
    assert [name for name in api.public_names() if api.find(name) not in documented] == []


def test_the_examples_of_the_api_give_what_they_say(smoke: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STUDIES_STORAGE", "STUDIES_OUTPUT", "STUDIES_DATA", "RAY_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(smoke)
    made: dict[str, Result] = {}
    run_study = studies.run_study

    def run_once(study: str, **options: Any) -> Result:
        """Many examples begin with the same call, which makes the report of a finished study again each time."""
        call = repr((study, options))
        if call not in made:
            made[call] = run_study(study, **options)
        return made[call]

    monkeypatch.setattr(studies, "run_study", run_once)
    told: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for test in api.examples():
        runner.run(test, out=told.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(told)
    assert runner.tries > 50


def public_keys() -> set[str]:
    """Return the keys of report.json that may be relied on."""
    row = next(line for line in PAGES["docs/public.md"].splitlines() if line.startswith("| `report.json`"))
    return set(re.findall(r"`(\w+)`", row))


def test_its_own_study_can_be_drafted(tmp_path: Path) -> None:
    path = tmp_path / "my_study.py"
    path.write_text(block("my_study.py"), encoding="utf-8")
    assert draft(Request(study=str(path))).study.factors == {"width": (32, 128), "dropout": (0.1, 0.5)}


def test_its_study_of_ones_own_data_and_network_runs(tmp_path: Path) -> None:
    (tmp_path / "my_transformer.py").write_text(block("my_transformer.py"), encoding="utf-8")
    words = ["-m", "studies", "run", "./my_transformer.py", "--no-dashboard", "--profile", "smoke"]
    done = run(words, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr
    folder = tmp_path / "runs" / "my_transformer-smoke"
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["accounting"]["networks"] == 24
    assert report["accounting"]["failed"] == 0
    assert "models of your own were compared" in report["notes"][0]
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


def test_its_statistics_run_on_a_frame_from_anywhere(capsys: pytest.CaptureFixture[str]) -> None:
    exec(block("contrasts"), {})
    assert capsys.readouterr().out.split()[-5:] == ["depth", "3", "5", "-0.04", "INDICATED"]
    exec(block("growth"), {})
    assert float(capsys.readouterr().out) == pytest.approx(2.0)


def test_its_mistake_is_caught(capsys: pytest.CaptureFixture[str]) -> None:
    exec(block("errors"), {})
    assert "did you mean depth?" in capsys.readouterr().out


def test_what_it_imports_from_studies_is_what_studies_exports() -> None:
    names: dict[str, object] = {}
    exec(block("names"), names)
    named = {name for name in names if name != "__builtins__"}
    for name in studies.__all__:
        assert f"`{name}`" in PAGES["docs/public.md"] or f"`studies.{name}`" in PAGES["docs/public.md"]
        assert name in named or name.islower() or issubclass(getattr(studies, name), StudiesError)


def test_its_dataset_is_one() -> None:
    names: dict[str, object] = {"__name__": "wine"}
    exec(block("wine.py"), names)
    dataset = names["load"]()  # type: ignore[operator]
    assert isinstance(dataset, Dataset)
    assert dataset.describe()["examples"] in (178, "178")


@page
def test_every_python_block_is_run_by_a_test(name: str) -> None:
    blocks = re.findall(r"(?:<!-- ([^>]+?) -->\s*)?```python\n(.*?)\n```", PAGES[name], re.DOTALL)
    for title, code in blocks:
        ast.parse(code)
        assert title in RUN_HERE | RUN_ELSEWHERE | set(RUN_IN_ORDER), f"{name}: {code[:80]}"


@page
def test_its_commands_are_commands(name: str) -> None:
    for command in [*shell_lines(PAGES[name]), *command_spans(PAGES[name])]:
        words = [word for word in shlex.split(command) if "=" not in word or word.startswith("-")]
        if words[0] == "studies":
            _check_door(command)
        elif words[:2] == ["python", "-m"] and not words[2].startswith("studies."):
            assert importlib.util.find_spec(words[2]) is not None, command
            for word in words[3:]:
                assert "/" not in word or (ROOT / word).exists(), command


def command_spans(text: str) -> list[str]:
    """Return the commands in a page's prose, but those that end in three dots."""
    return [
        span
        for span in spans(text)
        if span.startswith(("studies ", "python -m ")) and not span.endswith("...")
    ]


def _check_door(command: str) -> None:
    """Parse a command as its door does; names in capitals stand for what a reader puts there."""
    door, *rest = shlex.split(command)[1:]
    assert door in DOORS, command
    rest = [re.sub(r"^N$", "1", word) for word in rest]
    required = {
        *("run", "plan", "status", "stop", "show", "report", "export", "predict", "monitor"),
        *("verify", "delete", "new", "data", "logs", "submit"),
    }
    if any(word.isupper() or not word.startswith("-") for word in rest) or door not in required:
        parser_of(door).parse_args(rest)


def parser_of(door: str) -> argparse.ArgumentParser:
    """Return the parser of a door."""
    module = importlib.import_module("studies.database.__main__" if door == "database" else f"studies.{door}")
    parser: argparse.ArgumentParser = (getattr(module, "run_parser", None) or module._parser)()
    return parser


@page
def test_the_options_it_names_are_options(name: str) -> None:
    known = {
        option
        for door in DOORS
        for action in parser_of(door)._actions
        for option in action.option_strings
        if option.startswith("--")
    }
    named = {word for span in spans(PAGES[name]) for word in re.findall(r"(?:^| )(--[a-z-]+)", span)}
    left = named - known - OTHERS_OPTIONS
    assert not left or left <= options_of_ray()


def options_of_ray() -> set[str]:
    """Return the options of Ray's commands that pages of clusters name."""
    from ray.scripts.scripts import cli

    commands = ("start", "symmetric-run", "get-auth-token")
    return {
        option
        for command in commands
        for parameter in cli.commands[command].params
        for option in parameter.opts
    }


def test_the_doors_of_its_table_exist() -> None:
    commands = PAGES["docs/configuration.md"]
    named = set(re.findall(r"^\| `studies (\w+)", commands, re.MULTILINE))
    assert named == set(DOORS)
    for text in PAGES.values():
        assert set(re.findall(r"`studies ([a-z]+)", text)) <= set(DOORS)


@page
def test_the_settings_it_names_are_settings(name: str) -> None:
    for command in [*shell_lines(PAGES[name]), *(span for span in spans(PAGES[name]) if "--set" in span)]:
        words = shlex.split(command)
        texts = [
            words[i + 1]
            for i, word in enumerate(words[:-1])
            if word == "--set" and "FIELD" not in words[i + 1]
        ]
        given = dict(parse_setting(text) for text in texts)
        given |= {"dataset": "digits"} if given.get("dataset") == "wine" else {}
        if given.get("dataset") == "csv:flowers.csv" or not {"target", "header"} & set(given):
            given = {**_around(given), **given}
        else:
            given = {"dataset": "csv:flowers.csv", "target": "species", **given}
        study = next((word for word in words if word.endswith("_study")), "depth_study")
        if texts and given.get("model") != "NAME":
            derive(load_definition(study)[1], settings=given)


def _around(given: Mapping[str, object]) -> dict[str, object]:
    """Return what these settings need beside them."""
    is_of_table = any(name.startswith("columns.") for name in given)
    table = {"dataset": "csv:flowers.csv", "target": "species"} if is_of_table else {}
    rare = {"min_class_count": 4} if "rare_classes" in given else {}
    return {**table, **rare}


@page
def test_its_links_lead_somewhere(name: str) -> None:
    links = re.findall(r"\]\(([^)]+)\)", PAGES[name])
    for link in links:
        if link.startswith("http"):
            continue
        path, _, anchor = link.partition("#")
        target = ((ROOT / name).parent / path).resolve() if path else ROOT / name
        assert target.is_file(), link
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), link


@page
def test_the_paths_it_names_exist(name: str) -> None:
    folders = ("studies/", "trainables/", "reports/", "search_spaces/", "tests/", "docs/", ".ci/")
    made_by_the_reader = {"trainables/datasets/wine.py", "tests/trainables/datasets/test_wine.py"}
    for span in spans(PAGES[name]):
        if span.startswith(folders) and " " not in span and "NAME" not in span:
            assert span in made_by_the_reader or (ROOT / span).exists(), span


def test_the_readme_is_short_and_leads_to_every_page() -> None:
    assert len(README.splitlines()) <= 120
    for name in PAGES:
        assert name == "README.md" or f"({name})" in README


def test_the_tables_it_documents_have_these_columns() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| (`(?:study_)?id`.*?) \| (.*?) \|$", PAGES["docs/storage.md"], re.MULTILINE
    )
    assert len(rows) == 7
    for name, key, columns in rows:
        table = tables.metadata.tables[name]
        assert re.findall(r"`(\w+)`", key) == [column.name for column in table.primary_key]
        assert set(re.findall(r"`(\w+)`", columns)) <= {column.name for column in table.columns}


def test_the_tree_of_errors_is_that_of_the_code() -> None:
    lines = block("tree of errors").splitlines()
    shown: dict[str, str] = {}
    path = [""]
    for line in lines:
        depth = (len(line) - len(line.lstrip())) // 4
        names = re.findall(r"\b\w+Error\b", line.split("  a ")[0])
        names = names[:2] if "," in line.strip()[:14] else names[:1]
        path[depth:] = names[:1]
        shown |= dict.fromkeys(names, path[depth - 1] if depth else "")
    assert shown == dict(errors())


def errors() -> Iterator[tuple[str, str]]:
    """Yield every exception class of the packages with the one of ours that it derives from, or an empty text."""
    ours = {
        node.name: [base.id for base in node.bases if isinstance(base, ast.Name)]
        for package in structure.PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if "Error(" in (text := path.read_text(encoding="utf-8"))
        for node in ast.parse(text).body
        if isinstance(node, ast.ClassDef) and node.name.endswith("Error")
    }
    for name, bases in ours.items():
        yield name, next((base for base in bases if base in ours), "")


def test_both_commands_name_the_constraints() -> None:
    for name in ("install and run", "install and test", "set up"):
        assert "-c constraints.txt" in block(name)
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert "torch==2.13.0" in pinned


def test_the_changelog_begins_with_the_version_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## ([\d.]+)", changelog, re.MULTILINE)[0] == project["version"]

"""`studies export --wandb`: the offline runs hold the recorded values, read with W&B's own messages."""

import json
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import wandb
from wandb.proto import wandb_internal_pb2

from studies.export import main
from studies.results.recorded import RecordedStudy
from tests.studies.exchange.conftest import CELLS
from tests.studies.exchange.expected import expected_networks

TARGET = ("--wandb", "wb")
RECORD: Any = vars(wandb_internal_pb2)["Record"]
_FILE_HEADER, _BLOCK, _HEADER = 7, 32768, 7
_FULL, _LAST = 1, 4


def records(path: Path) -> Iterator[Any]:
    """Yield the records of a .wandb file: W&B's messages in LevelDB's log format, in blocks of 32 KiB."""
    data = path.read_bytes()
    assert data[:4] == b":W&B"
    place, part = _FILE_HEADER, b""
    while place + _HEADER <= len(data):
        if (left := _BLOCK - place % _BLOCK) < _HEADER:
            place += left
            continue
        _, length, kind = struct.unpack("<IHB", data[place : place + _HEADER])
        place += _HEADER
        part += data[place : place + length]
        place += length
        if kind in (_FULL, _LAST):
            yield RECORD.FromString(part)
            part = b""


def files() -> list[Path]:
    """Return the files that `wandb sync` uploads."""
    return sorted(Path("wb", "wandb").glob("offline-run-*/run-*.wandb"))


def read(path: Path) -> dict[str, Any]:
    """Return what a file says: config, group, curves by measure and step, summary, exit code."""
    found: dict[str, Any] = {"curves": {}, "summary": {}}
    for record in records(path):
        match record.WhichOneof("record_type"):
            case "run":
                found["run"] = record.run
                found["config"] = {each.key: json.loads(each.value_json) for each in record.run.config.update}
            case "history":
                items = {
                    "/".join(each.nested_key): json.loads(each.value_json) for each in record.history.item
                }
                for name, value in items.items():
                    found["curves"].setdefault(name, {})[items["_step"]] = value
            case "summary":
                found["summary"] |= {each.key: json.loads(each.value_json) for each in record.summary.update}
            case "exit":
                found["exit"] = record.exit.exit_code
    return found


def test_the_offline_runs_hold_the_recorded_values(
    cells: RecordedStudy, capsys: pytest.CaptureFixture[str]
) -> None:
    own = sys.exit, sys.excepthook
    assert main([CELLS, *TARGET]) == 0
    assert (sys.exit, sys.excepthook) == own, "W&B replaces both at each run"
    assert "wandb sync wb/wandb/offline-run-*" in capsys.readouterr().out
    expected = expected_networks(cells)
    runs = [read(path) for path in files()]
    assert len(runs) == len(expected) == 12
    for run in runs:
        about = run["config"]["studies"]
        network = expected[about["trial"], about["block"]]
        assert (run["run"].project, run["run"].job_type) == (CELLS, network.phase)
        assert run["run"].run_group == f"cell {network.cell}: depth={network.params['depth']}"
        assert {name: run["config"][name] for name in network.params} == network.params
        assert {name: run["curves"][name] for name in network.curves} == network.curves
        assert {name: run["summary"][name] for name in network.scores} == network.scores
        assert run["exit"] == 0
    assert not Path("wb", ".unfinished").exists()


def test_a_second_export_writes_what_is_missing_and_nothing_else(cells: RecordedStudy) -> None:
    assert main([CELLS, *TARGET, "--phase", "confirm"]) == 0
    first = {path: path.read_bytes() for path in files()}
    assert len(first) == 4
    assert main([CELLS, *TARGET, "--phase", "confirm"]) == 0
    assert {path: path.read_bytes() for path in files()} == first


def test_an_interrupted_export_leaves_finished_runs_and_goes_on(
    cells: RecordedStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish, ended = wandb.Run.finish, []

    def interrupted(run: wandb.Run, *arguments: Any, **more: Any) -> None:
        ended.append(run.id)
        if len(ended) == 2:
            raise KeyboardInterrupt
        finish(run, *arguments, **more)

    monkeypatch.setattr(wandb.Run, "finish", interrupted)
    assert main([CELLS, *TARGET, "--phase", "confirm"]) == 130
    assert [path.stem for path in files()] == [f"run-{ended[0]}"]
    monkeypatch.setattr(wandb.Run, "finish", finish)
    assert main([CELLS, *TARGET, "--phase", "confirm"]) == 0
    assert len(files()) == 4


def test_without_the_package_the_command_that_installs_it_is_told(
    cells: RecordedStudy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    assert main([CELLS, *TARGET]) == 2
    assert "pip install 'studies[wandb]'" in capsys.readouterr().err
    assert not Path("wb").exists()

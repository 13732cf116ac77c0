"""`studies export --tensorboard`: TensorBoard's own reader finds the recorded values of each network."""

import sys
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # type: ignore[import-untyped]
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData  # type: ignore[import-untyped]

from reports.pages.atomic_files import write_whole
from studies.exchange import tensorboard as exchange
from studies.export import main
from studies.results.recorded import RecordedStudy
from tests.studies.exchange.conftest import CELLS
from tests.studies.exchange.expected import expected_networks

TARGET = ("--tensorboard", "tb")


def runs() -> dict[tuple[int, int], Path]:
    """Return the folder of each network by trial and block."""
    found = {}
    for path in sorted(Path("tb", CELLS).glob("*/*")):
        _, trial, _, block, _ = path.name.split("_")
        found[int(trial), int(block)] = path
    return found


def test_tensorboard_reads_the_recorded_values(cells: RecordedStudy) -> None:
    assert main([CELLS, *TARGET]) == 0
    expected = expected_networks(cells)
    assert set(runs()) == set(expected)
    for key, folder in runs().items():
        network = expected[key]
        assert folder.parent.name == f"cell_{network.cell}_depth={network.params['depth']}"
        read = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
        assert set(network.curves) | set(network.scores) <= set(read.Tags()["scalars"])
        for tag, curve in network.curves.items():
            # TensorBoard keeps single precision.
            assert {event.step: event.value for event in read.Scalars(tag)} == pytest.approx(curve, rel=1e-6)
        for tag, score in network.scores.items():
            assert [event.value for event in read.Scalars(tag)] == pytest.approx([score], rel=1e-6)
        start = _hparams(read, "session_start_info").session_start_info
        assert start.hparams["depth"].number_value == network.params["depth"]
        assert start.hparams["learning_rate"].number_value == network.params["learning_rate"]
        assert start.group_name == f"trial {key[0]}"
        assert _hparams(read, "session_end_info").session_end_info.status == 1


def _hparams(read: EventAccumulator, tag: str) -> HParamsPluginData:
    content = read.SummaryMetadata(f"_hparams_/{tag}").plugin_data.content
    return HParamsPluginData.FromString(content)


def test_a_second_export_writes_what_is_missing_and_nothing_else(cells: RecordedStudy) -> None:
    assert main([CELLS, *TARGET, "--phase", "confirm"]) == 0
    first = {path: path.stat().st_mtime_ns for path in Path("tb").rglob("*tfevents*")}
    assert len(first) == 4
    assert main([CELLS, *TARGET]) == 0
    second = {path: path.stat().st_mtime_ns for path in Path("tb").rglob("*tfevents*")}
    assert len(second) == 12
    assert second.items() >= first.items()


def test_an_interrupted_export_leaves_whole_files_and_goes_on(
    cells: RecordedStudy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written: list[Path] = []
    write = write_whole

    def interrupted(path: Path, content: bytes) -> None:
        if len(written) == 5:
            raise KeyboardInterrupt
        written.append(path)
        write(path, content)

    monkeypatch.setattr(exchange, "write_whole", interrupted)
    assert main([CELLS, *TARGET]) == 130
    assert f"Go on with: studies export {CELLS}" in capsys.readouterr().err
    monkeypatch.setattr(exchange, "write_whole", write)
    assert main([CELLS, *TARGET]) == 0
    assert len(runs()) == 12


def test_without_the_package_the_command_that_installs_it_is_told(
    cells: RecordedStudy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "tensorboard"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    assert main([CELLS, *TARGET]) == 2
    assert "pip install 'studies[tensorboard]'" in capsys.readouterr().err
    assert not Path("tb").exists()


def test_a_place_that_is_a_file_is_refused(cells: RecordedStudy, capsys: pytest.CaptureFixture[str]) -> None:
    Path("tb").write_text("mine", encoding="utf-8")
    assert main([CELLS, *TARGET]) == 2
    assert "--tensorboard tb:" in capsys.readouterr().err
    assert Path("tb").read_text(encoding="utf-8") == "mine"

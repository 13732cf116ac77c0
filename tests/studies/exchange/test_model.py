"""`studies export --model`: what is asked is checked before anything is written."""

import sys
from pathlib import Path

import pytest

from studies.export import main
from studies.results.recorded import RecordedStudy
from tests.studies.exchange.conftest import CELLS

Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize("package", ["onnx", "onnxruntime", "onnxscript"])
def test_without_a_package_the_command_that_installs_it_is_told(
    package: str, cells: RecordedStudy, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    assert main([CELLS, "--model", "model", "--model-format", "torch,onnx-int8"]) == 2
    told = capsys.readouterr().err
    assert f"--model-format onnx-int8 needs the package {package}" in told
    assert "pip install 'studies[onnx]'" in told
    assert not Path("model").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "model", "--model-format", "onxn"], "did you mean onnx?"),
        (["--model-format", "onnx"], "nothing to export to was named"),
        (["--model-format", "onnx", "--frames", "frames"], "--model-format goes with --model"),
        (["--model", "model", "--make-environment"], "--make-environment goes with --model-format tflite"),
        (["--model", "model"], "models/best does not exist"),
    ],
)
def test_mistakes_are_told_and_nothing_is_written(
    arguments: list[str], words: str, cells: RecordedStudy, capsys: Capture
) -> None:
    assert main([CELLS, *arguments]) == 2
    assert words in capsys.readouterr().err
    assert not Path("model").exists()
    assert not Path("frames").exists()

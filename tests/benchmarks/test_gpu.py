"""The script for a GPU runs on a CPU, and says plainly when there is no GPU; nothing here asks how fast."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.benchmarks import gpu
from trainables.kernels import cache


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert gpu.main(["--output", str(tmp_path / "gpu.json")]) == gpu.NO_GPU
    assert "no GPU here: nothing was checked or measured" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_it_goes_its_ways_on_a_cpu_without_ray(tmp_path: Path) -> None:
    output = tmp_path / "gpu.json"
    program = (
        "import sys; sys.modules['ray'] = None\n"
        "if __name__ == '__main__':\n"
        "    from tests.benchmarks.gpu import main\n"
        f"    sys.exit(main(['--device', 'cpu', '--quick', '--output', {str(output)!r}]))\n"
    )
    script = tmp_path / "program.py"
    script.write_text(program)
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, script],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr + (output.read_text() if output.exists() else "")
    found = json.loads(output.read_text())
    outcomes = {name: each["outcome"] for name, each in (found["checks"] | found["measures"]).items()}
    left_out = {"no_synchronization_within_an_epoch", "out_of_memory_halves_stacks"}
    assert set(outcomes) == {*gpu.CHECKS, *gpu.MEASURES}
    assert {name for name, outcome in outcomes.items() if outcome == "left out"} == left_out
    assert all(each["ratio"] > 0 for each in found["measures"].values())
    assert found["device"]["kind"] == "cpu"


def test_what_fails_is_in_the_file_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(setting: gpu.Setting) -> gpu.Findings:
        raise RuntimeError("the device is gone")

    monkeypatch.setenv(cache.OFF, "")  # set back afterwards
    monkeypatch.setattr(gpu, "CHECKS", {"first": fail, "second": lambda setting: {"fine": True}})
    monkeypatch.setattr(gpu, "MEASURES", {})
    output = tmp_path / "gpu.json"
    assert gpu.main(["--device", "cpu", "--quick", "--output", str(output)]) == 1
    checks = json.loads(output.read_text())["checks"]
    assert checks["first"]["outcome"] == "failed"
    assert "the device is gone" in checks["first"]["why"]
    assert checks["second"]["fine"]


def test_what_finds_no_time_is_left_out() -> None:
    setting = gpu.Setting(device=torch.device("cpu"), quick=True)
    found = gpu.examine(setting, seconds=-1)
    assert {each["why"] for each in (found["checks"] | found["measures"]).values()} == {"no time was left"}

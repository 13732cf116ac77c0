"""What trains networks is compiled by a process beside Ray's, where that is needed, and never with a secret."""

import json
import sys
import time
from pathlib import Path

import pytest

from studies.execution import kernels_ahead
from studies.execution.kernels_ahead import compiling_ahead
from trainables.kernels import cache


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Nothing is compiled yet, and kernels are on."""
    monkeypatch.delenv(cache.OFF, raising=False)
    monkeypatch.setattr(cache, "is_filled", lambda: False)
    return []


def test_the_process_gets_no_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: list[str]
) -> None:
    seen = tmp_path / "seen.json"
    program = f"import json, os; open({str(seen)!r}, 'w').write(json.dumps(dict(os.environ)))"
    monkeypatch.setattr(kernels_ahead, "PROGRAM", program)
    monkeypatch.setenv("STUDIES_STORAGE", "postgresql://ann:secret@db/studies")
    monkeypatch.setenv("PGPASSWORD", "secret")
    deadline = time.monotonic() + 30
    with compiling_ahead("mlp", told.append):
        while not (seen.exists() and seen.read_text()) and time.monotonic() < deadline:
            time.sleep(0.01)
    environment = json.loads(seen.read_text())
    assert "PATH" in environment
    assert "secret" not in str(environment)
    assert len(told) == 1


@pytest.mark.parametrize("model", ["cnn", "own"])
def test_models_without_kernels_start_nothing(
    monkeypatch: pytest.MonkeyPatch, told: list[str], model: str
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere")
    with compiling_ahead(model, told.append):
        assert told == []


def test_a_process_that_still_compiles_ends_with_the_start(
    monkeypatch: pytest.MonkeyPatch, told: list[str]
) -> None:
    monkeypatch.setattr(kernels_ahead, "PROGRAM", "import time; time.sleep(600)")
    began = time.monotonic()
    with compiling_ahead("mlp", told.append):
        pass
    assert time.monotonic() - began < 60

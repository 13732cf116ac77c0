"""TensorFlow Lite: how its environment is asked for, and, by hand, what it makes of every form of module."""

import sys
from pathlib import Path

import pytest

from tests.trainables.use.subjects import FORMS, subject
from trainables.use import formats
from trainables.use.exported import tflite_environment
from trainables.use.exported.errors import ExportError


@pytest.mark.parametrize("name", ["tflite", "tflite-int8"])
def test_without_an_environment_it_says_how_to_make_one_and_what_that_takes(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIES_CACHE", str(tmp_path / "cache"))
    with pytest.raises(ExportError) as caught:
        formats.export(name, subject("mlp"), tmp_path / "out")
    for told in ("--make-environment", str(tmp_path / "cache"), "about 1 GB", "STUDIES_CACHE"):
        assert told in caught.value.advice
    assert list(tmp_path.iterdir()) == []


def test_an_environment_that_cannot_be_made_leaves_nothing_and_tells_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIES_CACHE", str(tmp_path))
    monkeypatch.setattr(tflite_environment, "PACKAGES", ("no-such-file-of-a-package.whl",))
    told: list[str] = []
    with pytest.raises(ExportError, match=r"cannot be made \(ERROR.*no-such-file"):
        tflite_environment.make_environment(told.append)
    assert not tflite_environment.is_made()
    assert not tflite_environment.environment_folder().exists()
    assert str(tmp_path) in told[0]
    assert "GB" in told[0]


def test_other_packages_are_another_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIES_CACHE", str(tmp_path))
    before = tflite_environment.environment_folder()
    monkeypatch.setattr(tflite_environment, "PACKAGES", ("torch==9.9.9",))
    assert tflite_environment.environment_folder() != before
    assert before.parent == tmp_path


def test_what_the_worker_says_last_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # This Python lacks the worker's packages.
    monkeypatch.setattr(
        "trainables.use.exported.tflite_files.python_of_environment", lambda: Path(sys.executable)
    )
    with pytest.raises(ExportError, match=r"cannot be converted.*No module named 'litert_torch'"):
        formats.export("tflite", subject("mlp"), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def environment() -> None:
    """Make the environment once, in the cache of whoever runs this."""
    tflite_environment.make_environment(print)


@pytest.mark.slow
@pytest.mark.usefixtures("environment")
class TestInItsEnvironment:
    """What is made of every form of module."""

    @pytest.mark.parametrize("form", FORMS)
    def test_every_form_computes_the_same(self, form: str, tmp_path: Path) -> None:
        exported = formats.export("tflite", subject(form), tmp_path)
        assert exported.largest_probability_difference < 1e-5
        assert exported.scores.accuracy == exported.module_scores.accuracy
        assert (tmp_path / "labels.txt").read_text(encoding="utf-8").split() == [str(n) for n in range(10)]

    @pytest.mark.parametrize("form", FORMS)
    def test_in_8_bits_it_is_smaller_and_predicts_nearly_the_same(self, form: str, tmp_path: Path) -> None:
        whole = formats.export("tflite", subject(form), tmp_path)
        small = formats.export("tflite-int8", subject(form), tmp_path)
        assert small.num_bytes < 0.7 * whole.num_bytes
        assert small.scores.accuracy == pytest.approx(whole.scores.accuracy, abs=0.02)
        assert small.scores.log_loss == pytest.approx(whole.scores.log_loss, abs=0.05)

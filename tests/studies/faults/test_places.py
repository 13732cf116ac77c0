"""A study whose output is a URL: the place goes away and comes back, or the driver dies and another machine goes on."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from studies.execution.run_files import MOVED
from studies.storage.paths import locate
from studies.storage.place import Place
from studies.verification.verification import Verification, verify
from tests.studies.faults.forked import Forked, Nursery
from tests.studies.faults.light_run import LightRun
from tests.studies.faults.soundness import num_doubled
from tests.studies.faults.traces import wait_until
from tests.studies.faults.watched_run import NAME
from tests.studies.storage.s3_server import Bucket, s3_server

CANARY = "canary-secret-77"


class PlacedRun(LightRun):
    """A study whose files go to a URL, from one of several machines, each with folders of its own."""

    def __init__(self, nursery: Nursery, folder: Path, url: str) -> None:
        super().__init__(nursery, folder, f"sqlite:///{folder}/studies.db")
        self.place = Place.parse(url)
        self.settings = {"STUDIES_OUTPUT": url}
        self.move("first")

    def move(self, machine: str) -> None:
        """Let the next driver run on this machine."""
        self.settings["XDG_STATE_HOME"] = str(self.folder / machine)

    def verified(self, machine: str, monkeypatch: pytest.MonkeyPatch) -> Verification:
        """Return what `studies verify` finds on a machine, of the files at the place."""
        monkeypatch.setenv("XDG_STATE_HOME", str(self.folder / machine))
        locations = locate(self.url, self.place.url)
        with self.opened() as (store, study):
            assert study is not None
            assert num_doubled(store, study.id) == 0
            return verify(store, NAME, locations.folder(NAME), locations.at_place(NAME))

    def kill(self, kind: float = 0.0, place: float = 0.0, delay: float = 0.0, *, before: int = 30) -> None:  # type: ignore[override]
        """Kill a driver in the middle of the study."""
        driver = self.start_until(before, patience=0.3)
        driver.send(signal.SIGKILL)
        driver.finish()
        self.gate.open()


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with s3_server() as served:
        yield served


def on_s3(drivers: Nursery, folder: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> PlacedRun:
    for name, value in bucket.environment.items():
        monkeypatch.setenv(name, value)
    run = PlacedRun(drivers, folder, bucket.url())
    run.settings |= bucket.environment
    return run


@pytest.fixture
def run(drivers: Nursery, tmp_path: Path) -> PlacedRun:
    """Return a study whose files go to the folder `place`, by a URL."""
    return PlacedRun(drivers, tmp_path, f"file://{tmp_path}/place")


def take_away(run: PlacedRun) -> None:
    """Let the place go away: a file lies where its folder was."""
    place = run.folder / "place"
    place.rename(run.folder / "gone")
    place.touch()


def bring_back(run: PlacedRun) -> None:
    (run.folder / "place").unlink()
    (run.folder / "gone").rename(run.folder / "place")


def on_again(run: PlacedRun, driver: Forked, num_reports: int) -> None:
    """Let a driver at the gate go on, and wait for as many more reports."""
    known = len(run.acknowledged.reports())
    run.gate.open()
    wait_until(
        lambda: driver.has_ended or len(run.acknowledged.reports()) >= known + num_reports, "more reports"
    )


def test_on_s3_a_killed_driver_is_followed_by_one_on_another_machine(
    drivers: Nursery, tmp_path: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = on_s3(drivers, tmp_path, bucket, monkeypatch)
    run.kill()
    run.move("second")
    run.finish()
    assert run.verified("third", monkeypatch).is_sound
    assert {"runs/index.html", "runs/small/report.html", "runs/small/study.json"} <= set(bucket.objects)
    assert any(key.startswith("runs/small/models/") for key in bucket.objects)
    told = b"".join(content for content, _ in bucket.objects.values())
    assert CANARY.encode() not in told + (tmp_path / "studies.db").read_bytes()


def test_a_place_that_goes_away_and_comes_back_costs_nothing(
    run: PlacedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = run.start_until(30, patience=0.3)
    take_away(run)
    on_again(run, driver, 1)
    bring_back(run)
    assert driver.finish() == 0, driver.errors
    assert run.verified("elsewhere", monkeypatch).is_sound


def test_a_place_that_never_comes_back_is_named_and_its_files_are_copied_later(
    run: PlacedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = run.start_until(30, patience=0.3)
    take_away(run)
    run.gate.open()
    assert driver.finish() == 1
    with run.opened() as (_, study):
        assert study is not None
        assert study.state == "complete"
    what, *advice = driver.errors.splitlines()[-3:]
    assert re.search(rf"not copied to file://{run.folder}/place/small \(.+\): ", what), driver.errors
    assert "studies report small" in advice[0]
    bring_back(run)
    found = run.verified("first", monkeypatch)
    assert [check.name for check in found.checks if not check.holds] == ["I8"]
    assert "it waits in" in str(found)
    report = subprocess.run(
        [sys.executable, "-m", "studies.report", NAME, "--storage", run.url],
        env={**os.environ, **run.settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert report.returncode == 0, report.stderr
    assert f"Copied to file://{run.folder}/place/small" in report.stderr
    assert run.verified("elsewhere", monkeypatch).is_sound


def test_a_place_that_cannot_be_used_is_told_before_the_first_trial(
    drivers: Nursery, tmp_path: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = on_s3(drivers, tmp_path, bucket, monkeypatch)
    run.settings["STUDIES_OUTPUT"] = bucket.url(bucket="nowhere")
    driver = run.start()
    assert driver.finish() == 2
    what, advice = driver.errors.splitlines()
    assert "NO_SUCH_BUCKET" in what
    assert "credentials" in advice
    bucket.refuses_writing = True
    run.settings["STUDIES_OUTPUT"] = bucket.url()
    driver = run.start()
    assert driver.finish() == 2
    assert "ACCESS_DENIED" in driver.errors
    assert CANARY not in driver.errors
    assert not (tmp_path / "studies.db").exists()


def test_another_study_of_the_name_keeps_its_files(run: PlacedRun) -> None:
    mark = run.folder / "place" / NAME / "study.json"
    mark.parent.mkdir(parents=True)
    mark.write_text('{"study": "small", "plan_hash": "another", "created_at": "2026-01-01T00:00:00+00:00"}\n')
    driver = run.start()
    assert driver.finish() == 2
    assert "holds the files of another study of this name" in driver.errors
    assert [path.name for path in mark.parent.iterdir()] == ["study.json"]
    assert run.num_events(MOVED) == 0

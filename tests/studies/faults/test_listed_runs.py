"""The list of all studies follows a run: it is running while it trains, and interrupted after Ctrl-C."""

import signal
from pathlib import Path

from studies.results.made_report import find_report
from tests.studies.faults.forked import Nursery
from tests.studies.faults.light_run import LightRun
from tests.studies.faults.watched_run import NAME


def listed(run: LightRun) -> str:
    return (run.output / "index.html").read_text(encoding="utf-8").split("<article>")[1]


def test_a_run_is_listed_while_it_trains_and_after_it_is_interrupted(
    drivers: Nursery, tmp_path: Path
) -> None:
    run = LightRun(drivers, tmp_path, f"sqlite:///{tmp_path}/studies.db", workers=1)
    driver = run.start_until(5, patience=5)
    assert f"<bdi>{NAME}</bdi>" in listed(run)
    assert ">running<" in listed(run)
    assert "0 of 18 trials have ended" in listed(run)
    driver.send(signal.SIGINT)
    run.gate.open()
    assert driver.finish() == 130
    assert ">interrupted<" in listed(run)
    assert "No report yet." in listed(run)
    run.finish()
    assert ">interrupted<" not in listed(run)
    assert f'href="{NAME}/report.html"' in listed(run)
    with run.opened() as (_, study):
        assert study is not None
        report = find_report(run.output / NAME, study)
    assert report is not None
    assert report.is_current, "a run changes something after it has made its report"


def test_a_list_that_cannot_be_written_ends_no_run_before_its_report(
    drivers: Nursery, tmp_path: Path
) -> None:
    run = LightRun(drivers, tmp_path, f"sqlite:///{tmp_path}/studies.db", workers=1)
    (run.output / "index.html").mkdir(parents=True)
    driver = run.start_until(5, patience=5)
    driver.send(signal.SIGINT)
    run.gate.open()
    assert driver.finish() == 130, "it ends as it would"
    assert "note: the list of all studies in" in driver.errors
    assert not run.missing()

"""A server that hangs: it neither answers nor refuses, and a driver neither waits for it nor loses anything."""

import signal
import time
from pathlib import Path

from tests.studies.faults.forked import Nursery
from tests.studies.faults.light_run import LightRun
from tests.studies.faults.servers import Server
from tests.studies.faults.traces import wait_until
from tests.studies.faults.watched_run import Rows

MAX_SECONDS_TO_STOP = 20


def test_training_goes_on_and_ctrl_c_ends_it(
    drivers: Nursery, tmp_path: Path, guarded: Server, undisturbed: Rows
) -> None:
    run = LightRun(drivers, tmp_path, guarded.make("hanging"))
    driver = run.start_until(30, patience=0.3)
    known = len(run.acknowledged.reports())
    with guarded.hanging():
        run.gate.open()
        wait_until(
            lambda: driver.has_ended or len(run.acknowledged.reports()) >= known + 20,
            "reports to be acknowledged while the server hangs",
        )
        started = time.monotonic()
        driver.send(signal.SIGINT)
        assert driver.finish() == 130, driver.errors
        assert time.monotonic() - started < MAX_SECONDS_TO_STOP
        assert str(run.spool) in driver.errors
    assert run.spool.exists()
    run.finish()
    assert not run.spool.exists()
    run.check_end(undisturbed)

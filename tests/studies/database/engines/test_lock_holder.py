"""A locked SQLite file is told with the process that has it locked, and what to do about it."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from studies.database.engines.lock_holder import find_lock_holder
from studies.database.engines.problems import OutageError
from studies.database.store import Store
from tests.studies.database.recorded import new_study

HOLD = """
import sqlite3, sys, time
other = sqlite3.connect(sys.argv[1], isolation_level=None)
other.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
time.sleep(60)
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a database that is not waited for long."""
    monkeypatch.setattr("studies.database.engines.sqlite.BUSY_SECONDS", 0.05)
    with Store.open(f"sqlite:///{tmp_path}/studies.db") as store:
        new_study(store)
    return tmp_path / "studies.db"


@pytest.fixture
def holder(path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Return a process inside a transaction."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        yield process
        process.kill()


def test_a_process_stopped_inside_a_transaction_is_named_by_every_door(
    path: Path, holder: "subprocess.Popen[str]", capsys: pytest.CaptureFixture[str]
) -> None:
    from studies.delete import main as delete
    from studies.stop import main as stop

    holder.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, holder.pid, os.WSTOPPED | os.WNOWAIT)
    storage = ("--storage", f"sqlite:///{path}", "--output", str(path.parent / "runs"))
    for door in (stop, delete):
        assert door(["depth_study", *storage, *(["--yes"] if door is delete else [])]) == 1
        what, advice = capsys.readouterr().err.strip().splitlines()[-2:]
        assert f"is locked by process {holder.pid} on " in what
        assert f" ({Path(sys.executable).name}), inside a transaction; " in what
        assert what.endswith("that process is stopped")
        assert advice.startswith(
            f"Let it go on (kill -CONT {holder.pid}) or end it (kill -KILL {holder.pid})"
        )


def test_a_takeover_waits_for_no_one_who_holds_the_file(path: Path, holder: "subprocess.Popen[str]") -> None:
    with Store.open(f"sqlite:///{path}") as store:
        with (
            pytest.raises(OutageError, match=f"is locked by process {holder.pid} on "),
            store.hold(1, take_over=True),
        ):
            raise AssertionError("it was taken")
        holder.kill()
        holder.wait()
        with store.hold(1, take_over=True):
            assert find_lock_holder(path) is None


def test_this_process_is_told_as_itself(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        assert find_lock_holder(path) is None
        other.execute("BEGIN IMMEDIATE")
        found = find_lock_holder(path)
        assert found is not None
        assert (found.process, found.is_stopped) == (os.getpid(), False)
        other.execute("ROLLBACK")
        assert find_lock_holder(path) is None, "looking for it took no lock away, and none is left"

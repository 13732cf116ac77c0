"""Prints a sample of the present plan version: six small studies, run and interrupted by the real command.

python -m tests.studies.samples > tests/studies/samples/plan_NUMBER.sql
"""

import shutil
import socket
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from studies.database.store import Store
from tests.studies.command import finished, rows, started
from tests.studies.samples.laid_out import FILES
from tests.studies.verification.sound import reseal_rows

LOOKS = (
    "--set",
    "replicates=10",
    "--set",
    "smallest_effect.log_loss=0.001",
    "--looks",
    "10,20",
    "--name",
    "looks",
)
FINISHED = (("./cells.py", "--set", "replicates=2"), ("./loop.py",), ("./cells.py", *LOOKS))
UNFINISHED = (("./cells.py", "--seed", "1"), ("./loop.py", "--seed", "1"), ("./table.py",))
ON = ("--workers", "1", "--no-dashboard")


def record(folder: Path) -> None:
    """Run every study in `folder`; those of UNFINISHED are interrupted when two of their trials have ended."""
    for name in FILES:
        shutil.copy(Path(__file__).with_name(name), folder)
    for words in FINISHED:
        command = finished(folder, "run", *words, *ON)
        assert command.process.returncode == 0, command.errors
    for words in UNFINISHED:
        before = _num_ended(folder)
        with started(folder, "run", *words, *ON) as command:
            command.wait_until(lambda before=before: _num_ended(folder) >= before + 2)  # type: ignore[misc]
            command.press_ctrl_c()
            assert command.finish() == 130, command.errors


def dump(folder: Path) -> str:
    """Return the database as text, without the names of the folder and the machine, and sealed as it is then."""
    named = _text_of(folder / "runs" / "studies.db")
    return sealed(
        named.replace(str(folder), "/home/somebody").replace(socket.gethostname(), "somewhere"), folder
    )


def sealed(text: str, folder: Path) -> str:
    """Return a database's text with digests of what its rows hold now."""
    path = folder / "sealed.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(text)
    with Store.open(f"sqlite:///{path}", create=False) as store:
        for study in store.studies():
            reseal_rows(store, study.name)
    return _text_of(path)


def _text_of(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return "".join(f"{line}\n" for line in connection.iterdump())


def _num_ended(folder: Path) -> int:
    return len(rows(folder, "SELECT 1 FROM trial WHERE ended_at IS NOT NULL"))


def main() -> None:
    """Print the dump of studies recorded for it."""
    with tempfile.TemporaryDirectory() as folder:
        record(Path(folder))
        sys.stdout.write(dump(Path(folder)))


if __name__ == "__main__":
    main()

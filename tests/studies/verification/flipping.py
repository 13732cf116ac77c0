"""Flips one bit in each byte of a small study's database, and says what came of it."""

import contextlib
import io
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

import pandas as pd

from reports.inputs.inputs import ReportInputs
from studies import list as list_door
from studies import report, show, status
from studies.base.errors import StudiesError
from studies.database.lookup import find
from studies.database.store import Store
from studies.results.report_inputs import report_inputs
from studies.verification.verification import verify
from tests.studies.raytune.plans import plan
from tests.studies.verification import sound

NAME: Final = "small"
DOORS: Final = {
    "show": (show.main, [NAME]),
    "show --trial": (show.main, [NAME, "--trial", "1"]),
    "status": (status.main, [NAME]),
    "list": (list_door.main, []),
}


@dataclass(kw_only=True)
class Tally:
    """How often verify said what, and what must never be: tracebacks, and Sound over a changed value."""

    said: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def prepared(folder: Path) -> tuple[bytes, dict[str, Any]]:
    """Record a small study in a database of small pages; return its bytes, and what its page is made from."""
    with Store.open(sound.url(folder)) as store:
        sound.complete(store, folder, plan(trials=1))
    with closing(sqlite3.connect(folder / sound.STORAGE, isolation_level=None)) as connection:
        for statement in ("journal_mode = DELETE", "page_size = 512", "journal_mode = WAL"):
            connection.execute(f"PRAGMA {statement}")
            connection.execute("VACUUM")
    return (folder / sound.STORAGE).read_bytes(), made_from(folder)


def made_from(folder: Path) -> dict[str, Any]:
    """Return everything that the study's page is made from, but when."""
    with Store.open(sound.url(folder), create=False) as store:
        inputs = report_inputs(store, find(store, NAME))
    return {
        each.name: getattr(inputs, each.name) for each in fields(ReportInputs) if each.name != "generated_at"
    }


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Return the names of what two pages would be made from differently."""
    return [name for name in one if not _is_same(one[name], other[name])]


def _is_same(one: Any, other: Any) -> bool:
    if isinstance(one, pd.DataFrame):
        return isinstance(other, pd.DataFrame) and one.equals(other)
    return bool(one == other)


def flip(folder: Path, whole: bytes, position: int) -> None:
    """Write the database with one bit of one byte turned, as no writer of ours would."""
    changed = bytearray(whole)
    changed[position] ^= 1 << position % 8
    for each in folder.glob(f"{sound.STORAGE}-*"):
        each.unlink()
    (folder / sound.STORAGE).write_bytes(changed)


def flip_all(folder: Path, whole: bytes, positions: Iterable[int], undamaged: Mapping[str, Any]) -> Tally:
    """Flip these bytes in turn, and have every door look at each."""
    tally = Tally()
    for position in positions:
        flip(folder, whole, position)
        said = _verified(folder, position, tally)
        tally.said[said] += 1
        for name, (main, arguments) in DOORS.items():
            _open(main, arguments, f"byte {position}, {name}", tally)
        if said == "Sound":
            try:
                changed = differences(undamaged, made_from(folder))
            except Exception as error:
                changed = [repr(error)]
            if changed:
                tally.wrong.append(f"byte {position}: Sound, and other {', '.join(changed)}")
        elif said != "refused":
            _open(report.main, [NAME], f"byte {position}, report", tally)
    return tally


def _verified(folder: Path, position: int, tally: Tally) -> str:
    """Return what verify said: Sound, the checks that fail, or refused where nothing could be read."""
    try:
        with Store.open(sound.url(folder), create=False) as store:
            found = verify(store, NAME, folder / NAME)
    except StudiesError:
        return "refused"
    except Exception as error:
        tally.wrong.append(f"byte {position}, verify: {type(error).__name__}: {error}")
        return "traceback"
    return "Sound" if found.is_sound else " ".join(sound.faults(found))


def _open(main: Any, arguments: list[str], where: str, tally: Tally) -> None:
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            main(arguments)
    except Exception as error:
        tally.wrong.append(f"{where}: {type(error).__name__}: {error}")

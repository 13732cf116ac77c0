"""A folder as its user left it: a sample's storage in the default place, and the files its studies were run from."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from studies.database.schema import migrate

HERE = Path(__file__).parent
FILES = ("cells.py", "loop.py", "table.py", "flowers.csv")
SAMPLES = {path.stem: path for path in sorted(HERE.glob("*.sql"))}
"""The samples by name: `plan_VERSION`, with the schema's revision where that is not the one of its time."""


def lay_out(sample: str, folder: Path) -> str:
    """Fill `folder`, upgrade the storage to today's schema as its user would, and return its URL."""
    (folder / "runs").mkdir()
    for name in FILES:
        shutil.copy(HERE / name, folder)
    path = folder / "runs" / "studies.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SAMPLES[sample].read_text(encoding="utf-8"))
    url = f"sqlite:///{path}"
    migrate.upgrade(url)
    return url

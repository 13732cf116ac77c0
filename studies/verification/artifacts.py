"""Check I8: the files of a study exist, byte for byte."""

import hashlib
from pathlib import Path
from typing import Any, Protocol

from studies.base.errors import StudiesError
from studies.base.wording import count, counted
from studies.database.frames.raw_rows import Rows
from studies.verification.check import Check

RULE = "artifacts present with the recorded SHA-256"


class FolderElsewhere(Protocol):
    """A study's folder that is not on this machine; its text names it."""

    def digest(self, relative: str) -> str | None:
        """Return the SHA-256 of a file in it, None if there is none; raise StudiesError if it cannot be read."""


def check_artifacts(rows: Rows, folder: Path, elsewhere: FolderElsewhere | None = None) -> Check:
    """Read every recorded file below `folder`, or `elsewhere`; a path that leads out of it is not followed.

    A file that has not come there yet may wait in `folder`, which is told.
    """
    files = rows.artifacts.to_dict("records")
    num_bytes = sum(file["num_bytes"] for file in files)
    found = [(file["path"], _fault(file, folder, elsewhere)) for file in files]
    return Check(
        name="I8",
        rule=RULE,
        looked_at=f"{counted(len(files), 'file')} of {count(num_bytes)} bytes",
        faults=[f"{path} {fault}" for path, fault in found if fault is not None],
    )


def _fault(file: dict[Any, Any], folder: Path, elsewhere: FolderElsewhere | None) -> str | None:
    """Return what is wrong with a file, None if nothing is."""
    path = (folder / file["path"]).resolve()
    if not path.is_relative_to(folder.resolve()):
        return f"leads out of {folder}, and was not read"
    if elsewhere is None:
        return _fault_here(file, folder, path)
    try:
        found = elsewhere.digest(file["path"])
    except StudiesError as error:
        return f"cannot be read: {error.message}"
    if found == file["sha256"]:
        return None
    waits = "" if _fault_here(file, folder, path) else f"; it waits in {folder} (studies report copies it)"
    if found is None:
        return f"is not in {elsewhere}{waits}"
    return f"has the hash {found[:12]} in {elsewhere}, and {file['sha256'][:12]} was recorded{waits}"


def _fault_here(file: dict[Any, Any], folder: Path, path: Path) -> str | None:
    if not path.is_file():
        return f"is not in {folder}"
    try:
        with path.open("rb") as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if found != file["sha256"]:
        return f"has the hash {found[:12]}, and {file['sha256'][:12]} was recorded"
    return None

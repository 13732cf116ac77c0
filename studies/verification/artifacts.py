"""Check I8: the files of a study exist, byte for byte."""

import hashlib
from pathlib import Path
from typing import Any

from studies.base.wording import count, counted
from studies.database.frames.raw_rows import Rows
from studies.verification.check import Check

RULE = "artifacts present with the recorded SHA-256"


def check_artifacts(rows: Rows, folder: Path) -> Check:
    """Read every recorded file below `folder`; a path that leads out of it is not followed."""
    files = rows.artifacts.to_dict("records")
    num_bytes = sum(file["num_bytes"] for file in files)
    found = [(file["path"], _fault(file, folder)) for file in files]
    return Check(
        name="I8",
        rule=RULE,
        looked_at=f"{counted(len(files), 'file')} of {count(num_bytes)} bytes",
        faults=[f"{path} {fault}" for path, fault in found if fault is not None],
    )


def _fault(file: dict[Any, Any], folder: Path) -> str | None:
    """Return what is wrong with a file, None if nothing is."""
    path = (folder / file["path"]).resolve()
    if not path.is_relative_to(folder.resolve()):
        return f"leads out of {folder}, and was not read"
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

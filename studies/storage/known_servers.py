"""The job servers that this user has submitted to from this machine: only they are told the user's token.

A storage may be written by others, and a study's run records where its job was submitted to. A server that a storage
alone names is not asked: whoever is told a cluster's token can run any code on it.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from studies.storage.place import state_folder

FILE_NAME: Final = "job_servers"
GIVEN: Final = "RAY_API_SERVER_ADDRESS"
"""Ray's own environment variable of a job server, by which a user names another one."""


def remember(url: str) -> None:
    """Note a server that the user has given; where nothing can be written it is given by `GIVEN` later."""
    path = _file()
    with suppress(OSError):
        if url not in _noted(path):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with path.open("a", encoding="utf-8") as file:
                file.write(f"{url}\n")


def is_known(url: str) -> bool:
    """Return whether the user has submitted to a server from this machine, or names it now."""
    if url and url == os.environ.get(GIVEN, "").rstrip("/"):
        return True
    with suppress(OSError):
        return url in _noted(_file())
    return False


def _file() -> Path:
    return state_folder() / FILE_NAME


def _noted(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").split("\n")[:-1] if path.is_file() else []

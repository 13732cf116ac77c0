"""Where studies are kept: the storage and the output folder, from flags, the environment or the defaults."""

import os
from dataclasses import dataclass
from pathlib import Path

from studies.database.address import parse, secrets
from studies.errors import UsageError

DEFAULT_STORAGE = "sqlite:///runs/studies.db"
DEFAULT_OUTPUT = "runs"


@dataclass(frozen=True, kw_only=True)
class Locations:
    """The storage's URL and the folder in which every study has its own."""

    storage: str
    output: Path

    def folder(self, name: str) -> Path:
        """Return the folder of the study called `name`; raise UsageError if it would lie elsewhere."""
        root = self.output.resolve()
        folder = (root / name).resolve()
        if folder.parent != root:
            raise UsageError(
                [f"the folder of study {name} would lie outside {root}"], "Choose another --name."
            )
        return self.output / name

    def make_folders(self) -> None:
        """Make the output folder, and the default storage's own; another storage's folder must be there."""
        self.output.mkdir(parents=True, exist_ok=True)
        if self.storage == DEFAULT_STORAGE:
            Path(DEFAULT_OUTPUT).mkdir(exist_ok=True)


def locate(storage: str | None = None, output: str | Path | None = None) -> Locations:
    """Return the locations; a flag wins over STUDIES_STORAGE and STUDIES_OUTPUT, and those over the defaults.

    A password typed into a flag is a UsageError: others on the machine can read command lines.
    """
    if storage is not None and secrets(parse(storage)):
        raise UsageError(
            ["--storage holds a password, which a list of processes shows to everybody"],
            "Put it into STUDIES_STORAGE, or into a file that PGPASSFILE names.",
        )
    return Locations(
        storage=storage or os.environ.get("STUDIES_STORAGE") or DEFAULT_STORAGE,
        output=Path(output or os.environ.get("STUDIES_OUTPUT") or DEFAULT_OUTPUT),
    )


def check_writable(output: Path) -> None:
    """Raise UsageError unless files can be written below `output`; nothing is written to find out."""
    existing = output.absolute()
    while not existing.exists():
        existing = existing.parent
    advice = "Choose a folder that you may write to with --output, or set STUDIES_OUTPUT."
    if not existing.is_dir():
        raise UsageError([f"output folder {output}: {existing} is a file"], advice)
    if not os.access(existing, os.W_OK | os.X_OK) or _is_read_only(existing):
        raise UsageError([f"output folder {output}: {existing} cannot be written to"], advice)


def _is_read_only(folder: Path) -> bool:
    """Say whether the file system is mounted read-only, which permissions do not tell root."""
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)

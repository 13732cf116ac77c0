"""Where studies are kept: the storage and the output folder, from flags, the environment or the defaults."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from studies.database.address import parse, secrets
from studies.errors import UsageError

DEFAULT_STORAGE = "sqlite:///runs/studies.db"
DEFAULT_OUTPUT = "runs"


@dataclass(frozen=True, kw_only=True)
class Locations:
    """The storage's URL and the folder in which every study has its own; `arguments` are the flags that say so."""

    storage: str
    output: Path
    arguments: tuple[str, ...] = ()

    def folder(self, name: str) -> Path:
        """Return the folder of the study called `name`; raise UsageError if it would lie elsewhere."""
        root = self.output.resolve()
        folder = (root / name).resolve()
        if folder.parent != root:
            raise UsageError(
                [f"the folder of study {name} would lie outside {root}"], "Choose another --name."
            )
        return self.output / name

    def check(self) -> None:
        """Raise UsageError unless files can be written where they belong; nothing stays written."""
        check_writable(self.output)
        if self.storage == DEFAULT_STORAGE:
            check_writable(Path(DEFAULT_OUTPUT))

    def make_storage_folder(self) -> None:
        """Make the default storage's folder; another storage's folder must be there."""
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
    arguments = [] if storage is None else ["--storage", storage]
    arguments += [] if output is None else ["--output", str(output)]
    return Locations(
        storage=storage or os.environ.get("STUDIES_STORAGE") or DEFAULT_STORAGE,
        output=Path(output or os.environ.get("STUDIES_OUTPUT") or DEFAULT_OUTPUT),
        arguments=tuple(arguments),
    )


def check_writable(output: Path) -> None:
    """Raise UsageError unless files can be written below `output`, tried with a folder that is taken away again."""
    existing = output.absolute()
    while not existing.exists() and not existing.is_symlink():
        existing = existing.parent
    advice = "Choose a folder that you may write to with --output, or set STUDIES_OUTPUT."
    if not existing.is_dir():
        what = "leads nowhere" if existing.is_symlink() else "is a file"
        raise UsageError([f"output folder {output}: {existing} {what}"], advice)
    try:
        Path(tempfile.mkdtemp(prefix=".studies-", dir=existing)).rmdir()
    except OSError as error:
        reason = (error.strerror or "it cannot be written to").lower()
        raise UsageError(
            [f"output folder {output}: nothing can be written in {existing} ({reason})"], advice
        ) from error

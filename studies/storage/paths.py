"""Where studies are kept: the storage and the output folder, from flags, the environment or the defaults."""

import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from studies.base.errors import StudiesError, UsageError
from studies.database.engines.address import parse, secrets
from studies.definition.overrides import check_name

DEFAULT_STORAGE = "sqlite:///runs/studies.db"
DEFAULT_OUTPUT = "runs"


@dataclass(frozen=True, kw_only=True)
class Locations:
    """The storage's URL and the folder in which every study has its own; `arguments` are the flags that say so.

    Without `output_is_given` the folder is the default, and a study's own may be elsewhere
    (`studies.storage.remembered`).
    """

    storage: str
    output: Path
    arguments: tuple[str, ...] = ()
    output_is_given: bool = field(default=True, compare=False)

    def folder(self, *names: str) -> Path:
        """Return the folder of a study, or of several together; raise UsageError if it would lie elsewhere.

        So would that of a study under a name that none may have, which somebody else wrote into the storage.
        """
        joined = "-and-".join(check_name(name) for name in names)
        root = self.output.resolve()
        if (root / joined).resolve().parent != root:
            raise UsageError(
                [f"the folder of study {joined} would lie outside {root}"], "Choose another --name."
            )
        return self.output / joined

    def make_folder(self, *names: str) -> Path:
        """Make that folder where it is missing, for its owner alone, and return it.

        One that is there stays as open as its owner has made it.
        """
        folder = self.folder(*names)
        make_private(folder)
        refuse_links_out(folder)
        return folder

    def check(self) -> None:
        """Raise UsageError unless files can be written where they belong; nothing stays written."""
        check_writable(self.output)
        if self.storage == DEFAULT_STORAGE:
            check_writable(Path(DEFAULT_OUTPUT))

    def make_storage_folder(self) -> None:
        """Make the default storage's folder; another storage's folder must be there."""
        if self.storage == DEFAULT_STORAGE:
            make_private(Path(DEFAULT_OUTPUT))


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
    given = output or os.environ.get("STUDIES_OUTPUT")
    return Locations(
        storage=storage or os.environ.get("STUDIES_STORAGE") or DEFAULT_STORAGE,
        output=Path(given or DEFAULT_OUTPUT),
        arguments=tuple(arguments),
        output_is_given=bool(given),
    )


def make_private(folder: Path) -> None:
    """Make a folder, and those above it that are missing, readable by their owner alone."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)


def refuse_links_out(folder: Path) -> None:
    """Raise UsageError where a folder below this one is a link that leads out of it: files would be written there."""
    root = folder.resolve()
    for parent, folders, _ in os.walk(folder):
        for name in folders:
            path = Path(parent, name)
            if path.is_symlink() and not path.resolve().is_relative_to(root):
                raise UsageError(
                    [
                        f"{path} is a link to {path.resolve()}, which lies outside {root}: nothing is written there"
                    ],
                    "Replace the link by a folder (remove it, and it is made again), or give another --output.",
                )


def below(folder: Path, relative: str) -> Path:
    """Return the path of a file below `folder` as a storage names it; raise StudiesError if it would lie elsewhere."""
    path = folder / relative
    if not path.resolve().is_relative_to(folder.resolve()):
        raise StudiesError(
            f"a file that the storage names would lie outside {folder}: {relative}",
            "Nothing was read or written there; find out who else writes to the storage.",
        )
    return path


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

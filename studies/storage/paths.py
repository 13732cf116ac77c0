"""Where studies are kept: the storage's URL and the output folder, from options, the environment or the defaults."""

import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from reports.pages.atomic_files import make_private
from studies.base.errors import StudiesError, UsageError
from studies.definition.overrides import check_name
from studies.storage.place import Place, PlaceFolder, is_url, mirror_folder

DEFAULT_STORAGE = "sqlite:///runs/studies.db"
DEFAULT_OUTPUT = "runs"


@dataclass(frozen=True, kw_only=True)
class Locations:
    """The storage's URL and the folder with a subfolder for each study; `arguments` are the options for these.

    Without `output_is_given` the folder is the default, and a study's files may be in the folder recorded for it
    (`studies.storage.remembered`).
    """

    storage: str
    output: Path
    """With `place`, the user's own folder on this machine from which files are copied there, and fetched to."""
    place: Place | None = None
    arguments: tuple[str, ...] = ()
    output_is_given: bool = field(default=True, compare=False)

    def folder(self, *names: str) -> Path:
        """Return the folder of a study, or of several together; raise UsageError if it would lie outside `output`.

        An invalid name, which another program may have written into the storage, raises UsageError, too.
        """
        joined = "-and-".join(check_name(name) for name in names)
        root = self.output.resolve()
        if (root / joined).resolve().parent != root:
            raise UsageError(
                [f"the folder of study {joined} would lie outside {root}"], "Choose another --name."
            )
        return self.output / joined

    def shown(self, *names: str) -> str:
        """Return where what a study's folder holds is looked for by others: a path, or a URL."""
        return str(self.output.joinpath(*names)) if self.place is None else self.place.named(*names)

    def recorded(self) -> str:
        """Return what a run records as its output: an absolute path, or a URL."""
        return str(self.output.absolute()) if self.place is None else self.place.url

    def at_place(self, name: str) -> PlaceFolder | None:
        """Return a study's folder at the place, None where files lie in a folder of this machine."""
        return None if self.place is None else self.place.folder(name)

    def make_folder(self, *names: str) -> Path:
        """Return that folder; if it is missing, it is made, for its owner only.

        The permissions of an existing folder are not changed.
        """
        folder = self.folder(*names)
        make_private(folder)
        refuse_links_out(folder)
        return folder

    def check(self) -> None:
        """Raise UsageError unless files can be written to both places; leaves nothing behind."""
        self.check_output()
        if self.storage == DEFAULT_STORAGE:
            check_writable(Path(DEFAULT_OUTPUT))

    def check_output(self) -> None:
        """Raise UsageError unless files can be written there; leaves nothing behind."""
        if self.place is None:
            check_writable(self.output)
            return
        check_writable(self.output, what=f"this machine's folder for {self.place.url},", advice=_SET_STATE)
        self.place.check()

    def is_unused(self) -> bool:
        """Return whether the storage is a SQLite file that is not there, so that nothing is recorded."""
        scheme, _, path = self.storage.partition(":///")
        return scheme == "sqlite" and "?" not in path and not Path(path).exists()

    def make_storage_folder(self) -> None:
        """Make the folder of the default storage; that of another storage must exist."""
        if self.storage == DEFAULT_STORAGE:
            make_private(Path(DEFAULT_OUTPUT))


def locate(storage: str | None = None, output: str | Path | None = None) -> Locations:
    """Return the locations: options come before STUDIES_STORAGE and STUDIES_OUTPUT, these before the defaults.

    An output may be a URL: its files are then kept in a folder of the user's own, and copied. Raises UsageError for a
    password in an option, because other users of the machine can read command lines, and for a secret in a URL.
    """
    if storage is not None:
        # Imported here, because SQLAlchemy takes a while, and what is wrong with a command is told before.
        from studies.database.engines.address import parse, secrets

        if secrets(parse(storage)):
            raise UsageError(
                ["--storage holds a password, which a list of processes shows to everybody"],
                "Put it into STUDIES_STORAGE, or into a file that PGPASSFILE names.",
            )
    arguments = [] if storage is None else ["--storage", storage]
    arguments += [] if output is None else ["--output", str(output)]
    given = output or os.environ.get("STUDIES_OUTPUT")
    place = None
    if given is not None and is_url(given):
        place = Place.parse(str(given), option="--output" if output else "STUDIES_OUTPUT")
    return Locations(
        storage=storage or os.environ.get("STUDIES_STORAGE") or DEFAULT_STORAGE,
        output=Path(given or DEFAULT_OUTPUT) if place is None else mirror_folder(place),
        place=place,
        arguments=tuple(arguments),
        output_is_given=bool(given),
    )


def refuse_links_out(folder: Path) -> None:
    """Raise UsageError if a folder below this one is a symbolic link that leads out of it."""
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
    """Return the path of a file named by a storage; raise StudiesError if it would lie outside `folder`."""
    path = folder / relative
    if not path.resolve().is_relative_to(folder.resolve()):
        raise StudiesError(
            f"a file that the storage names would lie outside {folder}: {relative}",
            "Nothing was read or written there; find out who else writes to the storage.",
        )
    return path


_SET_STATE: Final = (
    "Set XDG_STATE_HOME to a folder that you may write to: what waits to be copied is kept in it."
)
_CHOOSE_OUTPUT: Final = "Choose a folder that you may write to with --output, or set STUDIES_OUTPUT."


def check_writable(output: Path, *, what: str = "output folder", advice: str = _CHOOSE_OUTPUT) -> None:
    """Raise UsageError unless files can be written below `output`; tested by making and removing a folder.

    `what` names the folder in the error, and `advice` says what to do.
    """
    existing = output.absolute()
    while not existing.exists() and not existing.is_symlink():
        existing = existing.parent
    if not existing.is_dir():
        why = "leads nowhere" if existing.is_symlink() else "is a file"
        raise UsageError([f"{what} {output}: {existing} {why}"], advice)
    try:
        Path(tempfile.mkdtemp(prefix=".studies-", dir=existing)).rmdir()
    except OSError as error:
        reason = (error.strerror or "it cannot be written to").lower()
        raise UsageError(
            [f"{what} {output}: nothing can be written in {existing} ({reason})"], advice
        ) from error

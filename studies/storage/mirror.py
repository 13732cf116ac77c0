"""A study's folder on this machine and at a place: what is new here is copied there, what is newer there fetched.

A file `.copied.json` in the folder here says which version of each file was the same in both. It may be lost: then
more is copied than needed. So whatever a killed run did not copy is known to the next one on this machine.
"""

import json
import os
import posixpath
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from reports.pages.atomic_files import PARTIAL, make_private, write_whole
from studies.storage.paths import below
from studies.storage.place import PlaceFolder, Stamp

COPIED: Final = ".copied.json"
"""The file with what was copied; like the spool, and all files whose names begin with a dot, it stays here."""
MARK: Final = "study.json"
"""The file that identifies the study; the first to be copied."""
MODELS: Final = "models"
CHECKPOINTS: Final = "checkpoints"
RESUMED_FROM: Final = (MARK, f"{MODELS}/", f"{CHECKPOINTS}/")
"""What a run that goes on needs: a file, and folders."""
PAGE: Final = "report.html"
RECORD: Final = "report.json"
PAGES: Final = (PAGE, RECORD, "figures/")
"""What the list of all studies, and `studies show`, repeat of a report."""
_STAYS_HERE: Final = re.compile(rf"\..*|spool\.jsonl.*|.*{re.escape(PARTIAL)}|.*\.lock")
_ORDER: Final = (MARK, f"{MODELS}/", f"{CHECKPOINTS}/")


@dataclass(frozen=True)
class Copied:
    """The version of a file that is the same here and there."""

    here: Stamp
    there: Stamp


@final
class Mirror:
    """The two folders of one study; a method that asks the place raises PlaceError where that fails.

    What is pending can be asked from any thread, also while another one waits for the place.
    """

    def __init__(self, folder: Path, there: PlaceFolder) -> None:
        """Look at what was copied before."""
        self.folder, self.there = folder, there
        self._copied = _read(folder / COPIED)
        self._lock = threading.Lock()

    def pending(self, *wanted: str) -> list[str]:
        """Return the files that are to be copied: the mark first, then models, checkpoints and the rest.

        `wanted` are names of files, and folders with a slash at the end; without any all files are meant.
        """
        with self._lock:
            found = [
                name
                for name, stamp in self._files()
                if _is_wanted(name, wanted) and (name not in self._copied or self._copied[name].here != stamp)
            ]
        return sorted(found, key=lambda name: (_place_of(name), name))

    def dropped(self) -> list[str]:
        """Return the checkpoints that are there, as far as known here, and were removed here."""
        with self._lock:
            copied = [name for name in self._copied if name.startswith(f"{CHECKPOINTS}/")]
        return [name for name in copied if not (self.folder / name).exists()]

    def remove(self, name: str) -> None:
        """Remove a file there."""
        self.there.remove(name)
        self._keep(name, None)

    def copy(self, name: str) -> None:
        """Copy a file there, if it is still here."""
        path = self.folder / name
        try:
            here = _stamp(path)
            there = self.there.put(name, path)
        except FileNotFoundError:  # removed meanwhile, as checkpoints are
            return
        self._keep(name, Copied(here, there))

    def fetch(self, *wanted: str) -> list[str]:
        """Fetch the files that were changed there since they were the same, or are not here; return their names.

        A file that is newer in both is taken from there: whoever went on elsewhere went on from that one.
        """
        fetched, files = [], self.there.files()
        with self._lock:
            for name in self._copied.keys() - files.keys():
                del self._copied[name]  # it was removed there, and is copied again if it is still here
        for name, stamp in sorted(files.items()):
            if not _is_wanted(name, wanted) or _STAYS_HERE.fullmatch(posixpath.basename(name)):
                continue
            path = below(self.folder, name)
            with self._lock:
                known = self._copied.get(name)
            if known is None or known.there != stamp or not path.is_file():
                make_private(path.parent)
                self.there.fetch(name, path)
                self._keep(name, Copied(_stamp(path), stamp))
                fetched.append(name)
        return fetched

    def _files(self) -> Iterator[tuple[str, Stamp]]:
        for parent, folders, files in os.walk(self.folder):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in files:
                path = Path(parent, name)
                if _STAYS_HERE.fullmatch(name) or path.is_symlink():
                    continue
                try:
                    yield path.relative_to(self.folder).as_posix(), _stamp(path)
                except FileNotFoundError:
                    continue

    def _keep(self, name: str, copied: Copied | None) -> None:
        """Take note of a file that is the same in both, or gone from both."""
        with self._lock:
            self._copied.pop(name, None)
            if copied is not None:
                self._copied[name] = copied
            content = {
                each: [*vars(stamps.here).values(), *vars(stamps.there).values()]
                for each, stamps in sorted(self._copied.items())
            }
            write_whole(self.folder / COPIED, json.dumps(content).encode())


def _is_wanted(name: str, wanted: tuple[str, ...]) -> bool:
    return not wanted or any(
        name == each or (each.endswith("/") and name.startswith(each)) for each in wanted
    )


def _place_of(name: str) -> int:
    return next((place for place, each in enumerate(_ORDER) if _is_wanted(name, (each,))), len(_ORDER))


def _stamp(path: Path) -> Stamp:
    found = path.stat()
    return Stamp(found.st_size, found.st_mtime_ns)


def _read(path: Path) -> dict[str, Copied]:
    """Return what was copied; nothing if that cannot be read, which costs no more than copying again."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {
            name: Copied(Stamp(*map(int, each[:2])), Stamp(*map(int, each[2:])))
            for name, each in content.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}

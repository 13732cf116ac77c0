"""The files of a published dataset: where they are looked for, how they are checked, and how to get them."""

import gzip
import hashlib
import os
import zlib
from dataclasses import dataclass
from pathlib import Path

from trainables.base.errors import TrainableError


class DatasetError(TrainableError, ValueError):
    """A dataset cannot be loaded: what is wrong, and what to do about it.

    >>> print(DatasetError("no file", "Fetch it."))
    no file. Fetch it.
    """

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message, advice)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message}. {self.advice}"


@dataclass(frozen=True, kw_only=True)
class PublishedFile:
    """One file under its published name, with its URL and the SHA-256 of its content.

    If the URL ends in `.gz` and the name does not, the hash is of the unpacked content, and the file on disk may be
    packed or not, because distributions repack it.
    """

    name: str
    url: str
    sha256: str

    @property
    def fetched_name(self) -> str:
        """The name of the file as downloaded and stored."""
        return self.url.rsplit("/", 1)[-1]

    @property
    def names(self) -> tuple[str, ...]:
        """The names that the file may have on disk."""
        return tuple(dict.fromkeys((self.name, self.fetched_name)))

    def read(self, path: Path) -> bytes:
        """Return the unpacked content of the file at `path`; raise DatasetError if it is unreadable or wrong."""
        try:
            content = path.read_bytes()
        except OSError as error:
            raise DatasetError(f"{path} cannot be read ({error.strerror})", "See who may read it.") from error
        return self.unpack(content, str(path), is_packed=path.name != self.name)

    def unpack(self, content: bytes, origin: str, *, is_packed: bool) -> bytes:
        """Return the unpacked `content`; raise DatasetError if it is not what was published."""
        advice = f"Delete it and fetch it again from {self.url}"
        try:
            content = gzip.decompress(content) if is_packed else content
        except (OSError, EOFError, zlib.error) as error:
            raise DatasetError(f"{origin} is damaged ({error})", f"{advice}.") from error
        found = hashlib.sha256(content).hexdigest()
        if found != self.sha256:
            raise DatasetError(
                f"{origin} is damaged or another file: its SHA-256 is {found} and should be {self.sha256}",
                f"{advice}.",
            )
        return content


@dataclass(frozen=True, kw_only=True)
class Publication:
    """How a dataset is published: its files, and a system package that installs them into the folder `installed`.

    With `is_alternative` each file holds the whole dataset, and any one of them is enough.
    """

    dataset: str
    files: tuple[PublishedFile, ...]
    package: str | None = None
    installed: Path | None = None
    is_alternative: bool = False

    @property
    def folder(self) -> Path:
        """The dataset's folder below STUDIES_DATA."""
        return data_folder() / self.dataset

    def find(self, file: PublishedFile) -> Path | None:
        """Return the path of `file`, None if it is missing; searched in its folder, STUDIES_DATA and `installed`."""
        folders = [self.folder, data_folder(), *([self.installed] if self.installed else [])]
        paths = [folder / name for folder in folders for name in file.names]
        return next((path for path in paths if path.is_file()), None)

    def read(self, file: PublishedFile) -> bytes:
        """Return the content of `file`; raise DatasetError that says how to get it if it is missing or damaged."""
        path = self.find(file)
        if path is None:
            raise DatasetError(f"{file.fetched_name} is missing in {self.folder.absolute()}", self.advice)
        return file.read(path)

    @property
    def wanted(self) -> tuple[PublishedFile, ...]:
        """The files to download if there is none."""
        return self.files[:1] if self.is_alternative else self.files

    @property
    def advice(self) -> str:
        """How to get the files."""
        installing = f"apt-get install {self.package}; " if self.package else ""
        return (
            f"Get {'it' if len(self.wanted) == 1 else 'them'} by one of: studies data {self.dataset}; "
            f"{installing}download {' '.join(file.url for file in self.wanted)} into that folder. "
            "STUDIES_DATA names the folder of datasets."
        )


def data_folder() -> Path:
    """Return the folder of datasets: STUDIES_DATA, else `data` in the current folder."""
    return Path(os.environ.get("STUDIES_DATA") or "data")

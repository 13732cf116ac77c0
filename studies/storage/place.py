"""A place named by a URL, which pyarrow's filesystems open: files are put there, fetched, listed and removed."""

import hashlib
import os
import posixpath
import re
import socket
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeVar, final
from urllib.parse import parse_qsl, urlsplit

from reports.pages.atomic_files import write_whole
from studies.base.errors import StudiesError, UsageError
from studies.base.wording import error_line, printable

T = TypeVar("T")

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SECRET: Final = re.compile(r"key|secret|passw|pwd|token|credential|signature|^sig$", re.IGNORECASE)
"""Names of a URL's fields that hold something secret; pyarrow's own are access_key and secret_key."""
_RENAMING: Final = ("local", "hdfs")
"""Filesystems on which a file is written under another name and renamed; elsewhere it appears only when it is whole."""
_KNOWN: Final = ("s3", "gs", "gcs", "file")
"""Schemes whose URLs, without fields, name a folder of this machine or of one of the large services."""
NUM_BYTES: Final = 2**20
"""How much of a file is read at a time."""
SCHEMES: Final = "s3://, gs://, abfs://, hdfs://, file://, and fsspec+NAME:// for a filesystem of fsspec"
CREDENTIALS: Final = (
    "Leave it out of the URL: credentials come from the environment, as the libraries read them "
    "(AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or ~/.aws, GOOGLE_APPLICATION_CREDENTIALS, a Kerberos ticket)."
)


class PlaceError(StudiesError):
    """A place does not answer or refuses what is asked."""


@dataclass(frozen=True)
class Stamp:
    """What tells one version of a file at a place from another: its size in bytes and its time, in nanoseconds."""

    num_bytes: int
    modified_ns: int


def is_url(output: str | Path) -> bool:
    """Return whether an output is a URL rather than a path.

    >>> is_url("s3://bucket/runs"), is_url("runs"), is_url("/mnt/runs")
    (True, False, False)
    """
    return isinstance(output, str) and _SCHEME.match(output) is not None


@final
@dataclass(frozen=True)
class Place:
    """The folder that a URL names; `url` holds no secret. Every method raises PlaceError where the place fails."""

    url: str

    @classmethod
    def parse(cls, url: str, *, option: str = "--output") -> "Place":
        """Return the place of a URL; raise UsageError, which does not repeat it, if it holds a secret."""
        try:
            parts = urlsplit(url)
        except ValueError as error:  # which may repeat what stands before @
            raise UsageError([f"{option}: no URL of a folder"], f"Give one such as {SCHEMES}.") from error
        secrets = sorted({name for name, _ in parse_qsl(parts.query) if _SECRET.search(name)})
        if "@" in parts.netloc and ":" in parts.netloc.rpartition("@")[0]:
            secrets.insert(0, "what stands before @")
        if secrets:
            raise UsageError(
                [f"{option} holds a secret, which others can read ({', '.join(secrets)})"], CREDENTIALS
            )
        if parts.fragment or not (parts.netloc or parts.path.strip("/")):
            raise UsageError([f"{option} {url}: no URL of a folder"], f"Give one such as {SCHEMES}.")
        path = parts.path.rstrip("/")
        return cls(f"{parts.scheme}://{parts.netloc}{path}{f'?{parts.query}' if parts.query else ''}")

    @property
    def may_be_any_server(self) -> bool:
        """Whether the URL may name any server: by one of its fields, or because its kind of URL begins with one."""
        return "?" in self.url or self.url.partition("://")[0].lower() not in _KNOWN

    def named(self, *names: str) -> str:
        """Return the URL of what lies there, to be shown.

        >>> Place("s3://bucket/runs?region=eu-west-1").named("small", "report.html")
        's3://bucket/runs/small/report.html?region=eu-west-1'
        """
        path, separator, query = self.url.partition("?")
        return f"{'/'.join((path.rstrip('/'), *names))}{separator}{query}"

    def folder(self, name: str) -> "PlaceFolder":
        """Return the folder of a study."""
        return PlaceFolder(self, name)

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        """The filesystem, and the path of the folder on it."""
        from pyarrow.fs import FileSystem  # which takes a while to load

        return FileSystem.from_uri(self.url)  # type: ignore[no-any-return]

    def path(self, relative: str) -> str:
        """Return the path of a file on the filesystem."""
        return posixpath.join(self._opened[1], relative)

    def check(self) -> None:
        """Raise UsageError unless a file can be written, read and removed there; leaves nothing behind."""
        name, content = f".studies-{socket.gethostname()}-{uuid.uuid4().hex[:12]}", b"studies"
        try:
            self.put_bytes(name, content)
            found = self.read(name)
            self.remove(name)
        except PlaceError as error:
            raise UsageError([error.message], error.advice) from error
        if found != content:
            raise UsageError(
                [f"output {self.url}: what was written there is read back differently"],
                "Choose another --output, or set STUDIES_OUTPUT.",
            )

    def put(self, relative: str, path: Path) -> Stamp:
        """Copy a file there, whole or not at all, and return its stamp. Raises OSError if it cannot be read here."""
        with path.open("rb") as source:
            return self._asking(lambda: self._put(relative, iter(lambda: source.read(NUM_BYTES), b"")))

    def put_bytes(self, relative: str, content: bytes) -> Stamp:
        """Write a file there."""
        return self._asking(lambda: self._put(relative, [content]))

    def _put(self, relative: str, chunks: Iterable[bytes]) -> Stamp:
        filesystem, _ = self._opened
        target = self.path(relative)
        renames = filesystem.type_name in _RENAMING
        written = f"{target}.{uuid.uuid4().hex[:8]}.partial" if renames else target
        num_bytes = 0
        try:
            with self._output(written) as stream:
                for chunk in chunks:
                    stream.write(chunk)
                    num_bytes += len(chunk)
            if renames:
                filesystem.move(written, target)
        except BaseException:
            if renames:
                with suppress(Exception):
                    filesystem.delete_file(written)
            raise
        found = self._stamp(filesystem.get_file_info(target))
        if found is None or found.num_bytes != num_bytes:
            raise OSError(f"{relative} was written, and is not there whole")
        return found

    def _output(self, path: str) -> Any:
        filesystem, _ = self._opened
        try:
            return filesystem.open_output_stream(path)
        except FileNotFoundError:
            filesystem.create_dir(posixpath.dirname(path), recursive=True)
            return filesystem.open_output_stream(path)

    def fetch(self, relative: str, path: Path) -> None:
        """Copy a file from there to `path`, whole or not at all. Raises OSError if it cannot be written here."""
        write_whole(path, self.read(relative))

    def read(self, relative: str) -> bytes:
        """Return what a file there holds."""
        return self._asking(lambda: self._read(relative))

    def _read(self, relative: str) -> bytes:
        with self._opened[0].open_input_stream(self.path(relative)) as stream:
            return bytes(stream.read())

    def digest(self, relative: str) -> str | None:
        """Return the SHA-256 of a file there, None if there is none."""

        def read() -> str | None:
            filesystem, _ = self._opened
            path = self.path(relative)
            if self._stamp(filesystem.get_file_info(path)) is None:
                return None
            found = hashlib.sha256()
            with filesystem.open_input_stream(path) as stream:
                while chunk := stream.read(NUM_BYTES):
                    found.update(chunk)
            return found.hexdigest()

        return self._asking(read)

    def files(self, folder: str) -> dict[str, Stamp]:
        """Return the files below a folder there by their paths in it, with their stamps; none if it is not there."""

        def look() -> dict[str, Stamp]:
            from pyarrow.fs import FileSelector

            filesystem, _ = self._opened
            base = self.path(folder)
            infos = filesystem.get_file_info(FileSelector(base, recursive=True, allow_not_found=True))
            found = {info.path[len(base) :].lstrip("/"): self._stamp(info) for info in infos}
            return {name: stamp for name, stamp in found.items() if stamp is not None}

        return self._asking(look)

    def stamps(self, relatives: Iterable[str]) -> dict[str, Stamp]:
        """Return the stamps of those of these files that are there."""
        names = list(relatives)

        def look() -> Mapping[str, Stamp | None]:
            infos = self._opened[0].get_file_info([self.path(name) for name in names]) if names else []
            return {name: self._stamp(info) for name, info in zip(names, infos, strict=True)}

        return {name: stamp for name, stamp in self._asking(look).items() if stamp is not None}

    def remove(self, relative: str) -> None:
        """Remove a file there, if it is there."""

        def remove() -> None:
            with suppress(FileNotFoundError):
                self._opened[0].delete_file(self.path(relative))

        self._asking(remove)

    def remove_folder(self, folder: str) -> None:
        """Remove a folder there with all that is in it."""

        def remove() -> None:
            with suppress(FileNotFoundError):
                self._opened[0].delete_dir(self.path(folder))

        self._asking(remove)

    @staticmethod
    def _stamp(info: Any) -> Stamp | None:
        if not info.is_file:
            return None
        # Whole seconds: servers tell fractions where they list files, and none where they describe one.
        return Stamp(int(info.size or 0), int(info.mtime_ns or 0) // 10**9 * 10**9)

    def _asking(self, work: Callable[[], T]) -> T:
        """Return what `work` returns; whatever a filesystem raises becomes a PlaceError."""
        try:
            return work()
        except Exception as error:  # a filesystem of fsspec raises what its library raises
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> PlaceError:
        reason = printable(error_line(str(error)) or type(error).__name__)
        if isinstance(error, ValueError) and "nrecognized filesystem" in reason:
            return PlaceError(
                f"output {self.url}: no filesystem for this kind of URL", f"Give one such as {SCHEMES}."
            )
        if isinstance(error, ImportError):
            return PlaceError(
                f"output {self.url}: {reason}",
                "Install what this kind of URL needs, or choose another --output.",
            )
        return PlaceError(
            f"output {self.url}: {reason}",
            "Check that it exists, and that the credentials in the environment may write there; or choose another "
            "--output (STUDIES_OUTPUT).",
        )


@final
@dataclass(frozen=True)
class PlaceFolder:
    """A study's folder at a place."""

    place: Place
    name: str

    def __str__(self) -> str:
        return self.place.named(self.name)

    def files(self) -> dict[str, Stamp]:
        """Return its files by their paths in it."""
        return self.place.files(self.name)

    def put(self, relative: str, path: Path) -> Stamp:
        """Copy a file into it."""
        return self.place.put(f"{self.name}/{relative}", path)

    def read(self, relative: str) -> bytes:
        """Return what a file in it holds."""
        return self.place.read(f"{self.name}/{relative}")

    def fetch(self, relative: str, path: Path) -> None:
        """Copy a file out of it."""
        self.place.fetch(f"{self.name}/{relative}", path)

    def digest(self, relative: str) -> str | None:
        """Return the SHA-256 of a file in it, None if there is none."""
        return self.place.digest(f"{self.name}/{relative}")

    def remove(self, relative: str) -> None:
        """Remove a file in it."""
        self.place.remove(f"{self.name}/{relative}")

    def remove_all(self) -> None:
        """Remove it."""
        self.place.remove_folder(self.name)


def state_folder() -> Path:
    """Return the user's own folder on this machine for what Studies keeps there between commands."""
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "studies"


def mirror_folder(place: Place) -> Path:
    """Return the user's own folder on this machine for the files of a place.

    It lies below XDG_STATE_HOME (~/.local/state), as it holds what is not at the place yet and must not be lost.
    """
    scheme, _, rest = place.url.partition("?")[0].partition("://")
    words = re.sub(r"[^A-Za-z0-9.-]+", "-", f"{scheme}-{rest}").strip("-.")[-48:]
    return state_folder() / f"{words}-{hashlib.sha256(place.url.encode()).hexdigest()[:12]}"

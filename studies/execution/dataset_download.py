"""Downloads published datasets; each file is checked by SHA-256 before it is stored."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from reports.pages.atomic_files import make_private, write_whole
from studies.base.errors import StudiesError
from trainables.data.dataset_files import DatasetError, Publication, PublishedFile

TIMEOUT_SECONDS = 30.0
"""How long a server may send nothing."""


def fetch(publication: Publication, *, tell: Callable[[str], None]) -> list[Path]:
    """Return the paths of the dataset's files, downloading those that are missing; `tell` gets a line for each.

    Raises StudiesError if a file is damaged, or cannot be downloaded or stored; earlier downloads are kept.
    """
    found = {file: publication.find(file) for file in publication.files}
    if publication.is_alternative:
        there = [file for file in publication.files if found[file]]
        found = {file: found[file] for file in (there or publication.wanted)[:1]}
    return [_get(publication, file, path, tell) for file, path in found.items()]


def _get(
    publication: Publication, file: PublishedFile, path: Path | None, tell: Callable[[str], None]
) -> Path:
    try:
        if path is None:
            tell(f"fetching {file.url}")
            content = _download(publication, file.url)
            file.unpack(content, f"what {file.url} sent", is_packed=file.fetched_name != file.name)
            path = _keep(publication.folder / file.fetched_name, content)
        else:
            file.read(path)
    except DatasetError as error:
        raise StudiesError(error.message, error.advice) from error
    tell(f"{path}: whole, SHA-256 {file.sha256}")
    return path


def _download(publication: Publication, url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response:
            content: bytes = response.read()
    except (OSError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        if isinstance(error, urllib.error.HTTPError):
            error.close()  # releases the connection
        raise StudiesError(
            f"{url} cannot be fetched ({reason})",
            f"Its folder is {publication.folder.absolute()}. {publication.advice}",
        ) from error
    return content


def _keep(path: Path, content: bytes) -> Path:
    try:
        make_private(path.parent)
        write_whole(path, content)
    except OSError as error:
        raise StudiesError(
            f"{path} cannot be written ({error.strerror})",
            "Name another folder of datasets with STUDIES_DATA.",
        ) from error
    return path

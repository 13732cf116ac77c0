"""What one node of a Ray cluster finds out about itself; sent as code, as our packages may not be installed there.

So it imports nothing but the standard library at first.
"""

import importlib
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import socket
import tempfile
import time
import uuid
from typing import Any

NUM_BYTES = 2**20
"""How much is written to see whether a disk has room."""


def look(asked: dict[str, Any]) -> dict[str, Any]:
    """Return what is found on this node, as plain data.

    `asked` has the `packages` whose versions are wanted, `imports` that must work, `modules` that must be there, and
    the `output`: its `url`, or the `path` of a folder that is there with its `inode`.
    """
    began = time.time()
    found: dict[str, Any] = {"host": socket.gethostname(), "python": platform.python_version()}
    found["versions"] = {name: _version(name) for name in asked["packages"]}
    found["import_error"] = _import_error(asked["imports"])
    found["missing"] = [name for name in asked["modules"] if not _is_there(name)]
    found["temporary"] = _temporary()
    found["output_error"] = _output_error(asked["output"])
    return {**found, "began": began, "ended": time.time()}


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except Exception:
        return None


def _import_error(names: list[str]) -> str | None:
    """Return the first error of importing these modules, None if all can be imported."""
    for name in names:
        try:
            importlib.import_module(name)
        except BaseException as error:  # whatever a broken library raises, its end of the process included
            return f"import {name}: {_words(error)}"
    return None


def _is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except BaseException:  # it imports the package that a module is in, which may be broken in any way
        return False


def _temporary() -> dict[str, Any]:
    """Return Ray's folder for temporary files, its disk's free and total bytes, and why it cannot be written to."""
    folder = _session_folder()
    try:
        usage = shutil.disk_usage(folder)
        free, total = usage.free, usage.total
        error = _write(folder, b"\0" * NUM_BYTES)
    except OSError as problem:
        free, total, error = 0, 0, _words(problem)
    return {"folder": folder, "free": free, "total": total, "error": error}


def _session_folder() -> str:
    try:
        from ray._private.worker import global_worker

        node: Any = global_worker.node
        return str(node.get_session_dir_path())
    except Exception:  # a part of Ray that may move
        return tempfile.gettempdir()


def _output_error(output: dict[str, Any]) -> str | None:
    """Return why this node cannot write into the output, None if it can."""
    try:
        if "url" in output:
            return _put(output["url"])
        there = os.stat(output["path"])
        if there.st_ino != output["inode"]:
            return "another folder has this path there"
        return _write(output["path"], b"studies")
    except Exception as error:  # what an fsspec filesystem raises is anything
        return _words(error)


def _write(folder: str, content: bytes) -> str | None:
    path = os.path.join(folder, f".studies-{uuid.uuid4().hex[:12]}")
    try:
        with open(path, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return _words(error)
    finally:
        if os.path.lexists(path):
            os.unlink(path)
    return None


def _put(url: str) -> str | None:
    from pyarrow.fs import FileSystem

    filesystem, folder = FileSystem.from_uri(url)
    path = f"{folder.rstrip('/')}/.studies-{socket.gethostname()}-{uuid.uuid4().hex[:12]}"
    try:
        with filesystem.open_output_stream(path) as stream:
            stream.write(b"studies")
        filesystem.delete_file(path)
    except OSError as error:  # in words that are the same on every node
        return os.strerror(error.errno).lower() if error.errno else _words(error).replace(path, "a test file")
    return None


def _words(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0][:300]}"

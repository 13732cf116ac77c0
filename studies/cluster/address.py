"""Checks within seconds whether a Ray cluster can be joined at an address, before Ray is asked to join it.

Ray itself retries for minutes if nobody answers, handles no signal meanwhile, and prints warnings.
"""

import os
import re
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import psutil

from studies.base.errors import StudiesError
from studies.cluster.token import MODE, TOKEN_PATH

PROGRAM = Path(__file__).with_name("asking_ray.py")
AUTO = "auto"
TOKEN = "RAY_AUTH_TOKEN"
SECONDS_TO_CONNECT = 5.0
SECONDS_TO_ANSWER = 5.0
SECONDS_TO_BE_TOLD = 12.0
"""Time limit of the program that asks; on a busy machine most of it is spent on imports."""
GCS, RAYLET = "gcs_server", "raylet"
"""Names of Ray's processes in the process list: of a cluster's head node, and of every node."""
MISMATCH = re.compile(
    r"Version mismatch: .*?Ray: (\S+)\s+Python: (\S+)\s.*?Ray: (\S+)\s+Python: (\S+)", re.DOTALL
)
"""Ray's words for a cluster of another version of Ray or Python: the cluster's versions, then this process's."""
CURRENT = "ray_current_cluster"
"""The file in Ray's temporary folder with the address of the Ray that was started last on this machine."""


def check_address(address: str) -> None:
    """Raise StudiesError, with what to do, if no cluster can be joined at `address` ("auto" or HOST:PORT)."""
    found = _found(address)
    if found is None:  # Ray finds the cluster that runs on this machine
        return
    where = address if found == address else f"{found} ({address})"
    host, separator, port = found.rpartition(":")
    if not separator or not port.isdecimal() or not 0 < int(port) < 65536:
        raise _not_joined(where, "this is no HOST:PORT")
    reason = _unconnected(host.strip("[]"), int(port)) or _unanswered(found)
    if reason is not None:
        raise _not_joined(where, reason)
    if not _runs_here(RAYLET):
        raise StudiesError(
            f"the Ray cluster at {where} has no node on this machine, and a study is run from one",
            f"Start one with: ray start --address={found}, or give the command on a machine of the cluster.",
        )


def not_joined(address: str, error: Exception) -> StudiesError:
    """Return the error for a cluster that Ray itself could not join."""
    if (versions := MISMATCH.search(str(error))) is not None:
        ray, python, ray_here, python_here = versions.groups()
        return StudiesError(
            f"no Ray cluster could be joined at {address}: it has Ray {ray} with Python {python}, and here are Ray "
            f"{ray_here} with Python {python_here}",
            f"Both must be the same: give the command from an environment with Python {python} and ray=={ray}, or hand "
            "the study to the cluster's own by studies submit.",
        )
    return _not_joined(address, in_a_line(error))


def in_a_line(error: Exception | str) -> str:
    """Return the first line of an error of Ray's; if there are more, with the path of a file that holds them all."""
    first, *others = str(error).strip().splitlines() or [type(error).__name__]
    if not others:
        return first
    descriptor, path = tempfile.mkstemp(prefix="studies-ray-", suffix=".log")
    with os.fdopen(descriptor, "w", encoding="utf-8") as log:
        log.write(f"{error}\n")
    return f"{first} (all that Ray says: {path})"


def _not_joined(address: str, reason: str) -> StudiesError:
    return StudiesError(
        f"no Ray cluster could be joined at {address}: {reason}",
        "Check the address (ray status), or leave out --address and RAY_ADDRESS to run on this machine.",
    )


def _found(address: str) -> str | None:
    """Return the address that Ray would join; None if Ray finds it itself, as for `auto` on a cluster's head node."""
    if address != AUTO:
        return address
    given = os.environ.get("RAY_ADDRESS", "")
    if given not in ("", AUTO):
        return given
    if _runs_here(GCS):
        return None
    with suppress(OSError):
        return Path(_ray_folder(), CURRENT).read_text(encoding="utf-8").strip()
    raise _not_joined(AUTO, "no Ray has been started on this machine")


def _ray_folder() -> Path:
    return Path(os.environ.get("RAY_TMPDIR") or tempfile.gettempdir(), "ray")


def _unconnected(host: str, port: int) -> str | None:
    """Return why no connection can be made to a TCP port, None if one can."""
    try:
        socket.create_connection((host, port), timeout=SECONDS_TO_CONNECT).close()
    except TimeoutError:
        return f"no connection within {SECONDS_TO_CONNECT:.0f} s"
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return None


def _unanswered(address: str) -> str | None:
    """Return why the server at an address cannot be joined; None if it is a Ray that accepts our token."""
    if os.environ.get("RAY_USE_TLS", "0") not in (
        "",
        "0",
    ):  # encrypted with certificates that only Ray knows how to use
        return None
    try:
        # -P: a module in the current folder that has a library's name is not imported.
        asked = subprocess.run(
            [sys.executable, "-P", str(PROGRAM), address, str(SECONDS_TO_ANSWER)],
            input=token(),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=SECONDS_TO_BE_TOLD,
            check=False,
            start_new_session=True,  # so that Ctrl-C reaches the command alone
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {SECONDS_TO_BE_TOLD:.0f} s"
    return (asked.stdout or asked.stderr).strip().partition("\n")[0] or None


def token() -> str:
    """Return the token that Ray would join with, and a newline; an empty line if it would use none."""
    if os.environ.get(MODE, "token").lower() != "token":
        return "\n"
    given = os.environ.get(TOKEN, "")
    if not given:
        with suppress(OSError):
            path = os.environ.get(TOKEN_PATH) or Path.home() / ".ray" / "auth_token"
            given = Path(path).read_text(encoding="utf-8", errors="replace")
    return f"{given.strip()}\n"


def _runs_here(name: str) -> bool:
    """Say whether a process of this name runs here."""
    return any(process.info["name"] == name for process in psutil.process_iter(["name"]))

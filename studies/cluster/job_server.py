"""The job server of a Ray cluster, asked over HTTP at the dashboard's URL: within seconds, without importing Ray."""

import http.client
import json
import re
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self, final

from studies.base.errors import StudiesError, UsageError
from studies.cluster.address import token

SECONDS_TO_ANSWER: Final = 10.0
EXAMPLE: Final = "http://HOST:8265"
_VERSION: Final = re.compile(r"[\w.+-]{1,60}", re.ASCII)
_GIVE: Final = (
    f"Give the URL of the cluster's dashboard, such as {EXAMPLE}, as `ray start --head` has printed it."
)
_CHECK: Final = (
    f"Give the URL of its dashboard, such as {EXAMPLE}. From another machine it is reached only if the head was "
    "started with --dashboard-host=0.0.0.0, or through a tunnel: ssh -L 8265:127.0.0.1:8265 HEAD"
)
_TOKEN: Final = (
    "Put the cluster's token into ~/.ray/auth_token (chmod 600), or the path of a file that holds it into "
    "RAY_AUTH_TOKEN_PATH; `ray get-auth-token` prints it on the head."
)


class JobStatus(StrEnum):
    """What Ray says of a job; after the loss of a head node it may be wrong."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    STOPPED = "STOPPED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"

    @property
    def has_ended(self) -> bool:
        """Whether the job's driver runs no more, as far as Ray knows."""
        return self not in (JobStatus.PENDING, JobStatus.RUNNING)


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job as the server tells it; `exit_code` is its driver's, None while it runs or if Ray does not know it."""

    submission_id: str
    status: JobStatus
    message: str
    exit_code: int | None
    metadata: Mapping[str, str]

    @classmethod
    def told(cls, answer: Mapping[str, Any]) -> Self:
        """Return the job in an answer of the server; raise KeyError, TypeError or ValueError if there is none."""
        exit_code, metadata = answer.get("driver_exit_code"), answer.get("metadata")
        return cls(
            submission_id=str(answer["submission_id"]),
            status=JobStatus(answer["status"]),
            message=str(answer.get("message") or ""),
            exit_code=exit_code if isinstance(exit_code, int) else None,
            metadata=metadata if isinstance(metadata, dict) else {},
        )


class UnreachableError(StudiesError):
    """The job server does not answer; it may later."""


class UnknownJobError(StudiesError):
    """The job server knows no job of that id."""


@final
class JobServer:
    """The job server at the URL of a cluster's dashboard.

    Each question raises UnreachableError if there is no answer, and another StudiesError, with what to do, for one
    that is none.
    """

    def __init__(self, url: str) -> None:
        """Raise UsageError, with what to give instead, for what is no such URL; nothing is asked yet."""
        self.url = checked_url(url)

    def version(self) -> str:
        """Return the cluster's version of Ray: the first question, which shows whether this is a job server."""
        with self._answering():
            version = self._ask("/api/version")["ray_version"]
            if _VERSION.fullmatch(version) is None:
                raise ValueError
            return str(version)

    def jobs(self) -> list[Job]:
        """Return every job that was submitted to the cluster."""
        with self._answering():
            return [Job.told(each) for each in self._ask("/api/jobs/") if each.get("submission_id")]

    def job(self, submission_id: str) -> Job:
        """Return a job; raise UnknownJobError if there is none of that id."""
        with self._answering():
            return Job.told(self._ask(f"/api/jobs/{urllib.parse.quote(submission_id, safe='')}"))

    def log(self, submission_id: str) -> str:
        """Return everything that a job's driver has printed so far."""
        with self._answering():
            return str(self._ask(f"/api/jobs/{urllib.parse.quote(submission_id, safe='')}/logs")["logs"])

    def wait_for_answer(self, max_seconds: float) -> None:
        """Wait until the server answers; raise UnreachableError if it does not in time."""
        deadline = time.monotonic() + max_seconds
        while True:
            try:
                self.version()
            except UnreachableError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(1.0)
            else:
                return

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Take an answer that has not what Ray's have for that of another server."""
        try:
            yield
        except (AttributeError, LookupError, TypeError, ValueError):
            raise self._no_server("what answers there is no Ray dashboard") from None

    def _ask(self, path: str) -> Any:
        known = token().strip()
        if not (known.isascii() and known.isprintable()):
            raise StudiesError(
                "the token of this machine is none: it holds other characters than Ray's do", _TOKEN
            )
        headers = {"Authorization": f"Bearer {known}"} if known else {}
        request = urllib.request.Request(self.url + path, headers=headers)
        try:
            with _opener().open(request, timeout=SECONDS_TO_ANSWER) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise self._refused(error, path, has_token=bool(known)) from None
        except urllib.error.URLError as error:
            raise self._no_answer(error.reason) from None
        except ValueError:
            raise self._no_server("what answers there is no Ray dashboard") from None
        except (OSError, http.client.HTTPException) as error:
            raise self._no_answer(error) from None

    def _refused(self, error: urllib.error.HTTPError, path: str, *, has_token: bool) -> StudiesError:
        with error:
            said = error.read(2000).decode("utf-8", "replace").strip()
        if error.code in (401, 403):
            what = (
                "its token is a different one" if has_token else "it asks for a token, and there is none here"
            )
            return StudiesError(f"the Ray cluster at {self.url} refuses this machine: {what}", _TOKEN)
        if error.code == 404 and path.startswith("/api/jobs/") and "does not exist" in said:
            return UnknownJobError(
                f"the Ray cluster at {self.url} knows no such job: {said}",
                f"See its jobs: ray job list --address {self.url}",
            )
        if 300 <= error.code < 400:
            there = _without_user(str(error.headers.get("Location", "another address")))
            return self._no_server(f"it leads on to {there}, which is not told the cluster's token")
        if error.code == 404:
            return self._no_server("what answers there is no Ray dashboard (404)")
        first = said.splitlines()[-1] if said else error.reason
        return UnreachableError(
            f"the Ray cluster at {self.url} answers with an error: {error.code}, {first}",
            "Give the command again; if that stays so, see dashboard.log in the head's /tmp/ray/session_latest/logs.",
        )

    def _no_answer(self, reason: object) -> StudiesError:
        if isinstance(reason, TimeoutError):
            return UnreachableError(
                f"no job server answers at {self.url}: no answer within {SECONDS_TO_ANSWER:.0f} s", _CHECK
            )
        if isinstance(reason, socket.gaierror):
            return UsageError([f"--address {self.url}: there is no machine of that name"], _GIVE)
        if isinstance(reason, http.client.HTTPException | ConnectionResetError):
            return self._no_server("what listens there does not speak HTTP")
        told = (getattr(reason, "strerror", None) or str(reason)).lower()
        return UnreachableError(f"no job server answers at {self.url}: {told}", _CHECK)

    def _no_server(self, why: str) -> StudiesError:
        port = urllib.parse.urlsplit(self.url).port
        hint = (
            " Port 6379 is where nodes and drivers join, and 10001 that of Ray's client."
            if port in (6379, 10001)
            else ""
        )
        return UsageError([f"--address {self.url}: {why}"], f"{_GIVE}{hint}")


def checked_url(address: str) -> str:
    """Return the URL of a dashboard without a slash at its end; raise UsageError with what to give for another text."""
    scheme, separator, _ = address.partition("://")
    if separator and scheme not in ("http", "https"):
        why = "is one of Ray's client" if scheme == "ray" else f"begins with {scheme}://"
        raise UsageError([f"--address {_without_user(address)} {why}: jobs are submitted over HTTP"], _GIVE)
    if not separator:
        if address in ("auto", "local"):
            raise UsageError(
                [
                    f"--address {address} is for a driver on a machine of the cluster: jobs are submitted over HTTP"
                ],
                f"{_GIVE} On a machine of the cluster: studies run STUDY --address auto",
            )
        host = _without_user(address).partition(":")[0]
        raise UsageError(
            [f"--address {_without_user(address)} is no URL"],
            f"Give http://{host}:8265, if that is where the cluster's dashboard is (6379 is where nodes join).",
        )
    try:
        parts = urllib.parse.urlsplit(address)
        is_complete = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_complete = False
    if not is_complete or any(char.isspace() or not char.isprintable() for char in address):
        raise UsageError([f"--address {_without_user(address)!r} is no URL of a server"], _GIVE)
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise UsageError(
            [f"--address {parts.scheme}://{parts.hostname}: must hold no user, password or options"],
            f"{_GIVE} {_TOKEN}",
        )
    return address.rstrip("/")


class _Staying(urllib.request.HTTPRedirectHandler):
    """Follows no redirection: the token would be told to whatever server that names."""

    def redirect_request(self, *_: object) -> None:
        """Return nothing, so that the answer is an error."""


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_Staying)


def _without_user(address: str) -> str:
    return address.rpartition("@")[2]

"""Submitting a job to a Ray cluster and following what its driver prints, by Ray's own client."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, Final, final

from studies.base.errors import StudiesError
from studies.base.stop_signal import never_broken_off
from studies.cluster.address import TOKEN, in_a_line, token
from studies.cluster.job_server import JobServer, UnreachableError
from studies.cluster.token import MODE, TOKEN_PATH, forget_earlier_token

SECONDS_TO_CONNECT: Final = 10.0
SECONDS_TO_ANSWER: Final = 120.0
"""Time limit of one request: Ray waits half a minute for a node that can take a job, and a package is uploaded."""
TALKATIVE: Final = (
    "ray.dashboard.modules.dashboard_sdk",
    "ray.dashboard.modules.job.sdk",
    "ray._private.runtime_env.packaging",
)
"""Loggers of Ray that tell each step of a submission."""
NO_AGENT: Final = "No available agent"
"""Ray's words where no node's agent serves jobs."""
TAKEN: Final = "already exists"
"""Ray's words for a submission id that a job has."""


class TakenError(StudiesError):
    """A job has the submission id already: another command was faster."""


@final
class Submitter:
    """Ray's client of one job server, which has answered before."""

    def __init__(self, server: JobServer) -> None:
        """Import Ray, whose own settings would otherwise decide which cluster is asked."""
        self._server = server
        # Ray's client lets these come before the address that it is given.
        os.environ["RAY_API_SERVER_ADDRESS"] = server.url
        # By itself it sends no token where only the token is there; the server has answered with what is sent here.
        os.environ[MODE] = "token" if token().strip() else "disabled"
        if not os.environ.get(TOKEN) and not os.environ.get(TOKEN_PATH):
            os.environ[TOKEN_PATH] = str(Path.home() / ".ray" / "auth_token")
        with never_broken_off():
            forget_earlier_token()
            self._client = _client(server.url)

    def submit(
        self,
        entrypoint: str,
        *,
        submission_id: str,
        metadata: Mapping[str, str],
        working_dir: Path | None,
        variables: Mapping[str, str],
    ) -> None:
        """Submit a job; the content of `working_dir` becomes the folder in which its command runs.

        Raises TakenError if a job has that id, and StudiesError with what to do if the cluster takes none.
        """
        from requests import RequestException

        runtime_env: dict[str, Any] = {"env_vars": dict(variables)} if variables else {}
        if working_dir is not None:
            runtime_env["working_dir"] = str(working_dir)
        try:
            self._client.submit_job(
                entrypoint=entrypoint,
                submission_id=submission_id,
                metadata=dict(metadata),
                runtime_env=runtime_env,
            )
        except RequestException as error:
            raise UnreachableError(
                f"the Ray cluster at {self._server.url} has not said whether it took the job: {in_a_line(error)}",
                "Give the same command again: if it did, that job is followed.",
            ) from error
        except (RuntimeError, ValueError, OSError) as error:
            raise refusal(self._server, str(error)) from error

    def follow(self, submission_id: str, write: Callable[[str], None], *, skip: int = 0) -> int:
        """Hand `write` what the job's driver prints, without the first `skip` characters, until it ends.

        Returns how many characters there were in all by then, skipped ones included; fewer than the driver prints if
        the connection was lost.
        """
        position = _Position(skip, write)
        asyncio.run(_tail(self._client.tail_job_logs(submission_id), position))
        return position.num_read


@final
class _Position:
    def __init__(self, skip: int, write: Callable[[str], None]) -> None:
        self.num_read, self._skip, self._write = 0, skip, write

    def take(self, text: str) -> None:
        new = text[max(0, self._skip - self.num_read) :]
        self.num_read += len(text)
        if new:
            self._write(new)


async def _tail(parts: AsyncIterator[str], position: _Position) -> None:
    """Take every part until the connection ends; an error of whoever takes it, as of a closed pipe, is raised."""
    from aiohttp import ClientError

    while True:
        try:
            part = await anext(parts)
        except (TimeoutError, StopAsyncIteration, ClientError, OSError, RuntimeError):
            return
        position.take(part)


def _client(url: str) -> Any:
    from ray.exceptions import RayError
    from ray.job_submission import JobSubmissionClient

    for name in TALKATIVE:  # which set their levels when they are imported
        logging.getLogger(name).setLevel(logging.ERROR)

    class Client(JobSubmissionClient):
        """Ray's client, which would wait without end for a server that does not answer."""

        def _do_request(self, method: str, endpoint: str, **given: Any) -> Any:
            limits = (SECONDS_TO_CONNECT, SECONDS_TO_ANSWER)
            return super()._do_request(method, endpoint, **{"timeout": limits, **given})

    try:
        return Client(url)
    except ImportError as error:
        raise StudiesError(
            f"Ray's client of jobs is not installed here: {in_a_line(error)}",
            "Install it: pip install 'ray[default]'",
        ) from error
    except (RuntimeError, OSError, RayError) as error:
        raise UnreachableError(
            f"Ray's client of jobs does not get along with the cluster at {url}: {in_a_line(error)}",
            "Check that both have a Ray of the same version: ray --version",
        ) from error


def refusal(server: JobServer, said: str) -> StudiesError:
    """Return the error of a cluster that does not take a job, from what Ray says about it."""
    if TAKEN in said:
        return TakenError(
            f"the Ray cluster at {server.url} has such a job already", "Give the command again."
        )
    if NO_AGENT in said:
        return StudiesError(
            f"the Ray cluster at {server.url} takes no jobs: none of its nodes has an agent that serves them ("
            f"{NO_AGENT.lower()})",
            "Mostly another cluster on the head's machine has its port 52365: start the head with "
            "--dashboard-agent-listen-port=0 (any free port), then give the command again. Otherwise see "
            "dashboard_agent.log in its /tmp/ray/session_latest/logs.",
        )
    if "exceeds" in said and "size" in said:
        return StudiesError(
            f"what the study needs is too large for Ray to send: {in_a_line(said)}",
            "Put large data on the cluster (a shared folder) and name their absolute path instead of --send.",
        )
    return StudiesError(
        f"the Ray cluster at {server.url} did not take the job: {in_a_line(said)}",
        "Correct what it says, or see dashboard.log in the head's /tmp/ray/session_latest/logs.",
    )

"""The job server of a cluster: every answer that is none is told in a line, with what to do, within seconds."""

import http.server
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.base.errors import StudiesError, UsageError
from studies.cluster import job_server
from studies.cluster.job_server import JobServer, JobStatus, UnknownJobError, UnreachableError, checked_url
from studies.cluster.submitting import TakenError, refusal

Answers = Mapping[str, tuple[int, str]]
VERSION = "/api/version"


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token of this machine is in a file, as `ray get-auth-token` leaves it."""
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_AUTH_MODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("abc\n")


@contextmanager
def serving(answers: Answers, token: str = "abc") -> Iterator[str]:
    """Serve these answers by path as Ray does, to those who have the token."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            given = self.headers.get("Authorization")
            code, text = answers.get(self.path, (404, "404: Not Found"))
            if given is None:
                code, text = 401, "Unauthorized: Missing authentication token"
            elif given != f"Bearer {token}":
                code, text = 403, "Forbidden: Invalid authentication token"
            self.send_response(code)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_request(self, *_: object) -> None:
            """Print nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def refused(url: str) -> StudiesError:
    with pytest.raises(StudiesError) as raised:
        JobServer(url).version()
    assert url in raised.value.message
    return raised.value


def test_a_server_that_knows_the_token_says_its_version_and_its_jobs() -> None:
    told = {
        "submission_id": "studies-x-1",
        "status": "FAILED",
        "message": None,
        "driver_exit_code": 3,
        "metadata": {"a": "b"},
    }
    driver = {"submission_id": None, "job_id": "01000000", "status": "RUNNING"}
    answers = {
        VERSION: (200, json.dumps({"ray_version": "2.60.0"})),
        "/api/jobs/": (200, json.dumps([told, driver])),
        "/api/jobs/studies-x-1/logs": (200, json.dumps({"logs": "a\nb\n"})),
        "/api/jobs/studies-x-2": (404, "Job studies-x-2 does not exist"),
    }
    with serving(answers) as url:
        server = JobServer(f"{url}/")
        assert server.version() == "2.60.0"
        (job,) = server.jobs()
        assert (job.status, job.exit_code, job.message) == (JobStatus.FAILED, 3, "")
        assert job.status.has_ended
        assert server.log("studies-x-1") == "a\nb\n"
        with pytest.raises(UnknownJobError, match="studies-x-2 does not exist"):
            server.job("studies-x-2")


def test_a_token_that_is_missing_or_another_is_told_with_what_to_do(tmp_path: Path) -> None:
    with serving({}, token="another") as url:
        error = refused(url)
        assert error.message.endswith("refuses this machine: its token is a different one")
        assert "~/.ray/auth_token" in error.advice
        assert "ray get-auth-token" in error.advice
        (tmp_path / ".ray" / "auth_token").unlink()
        assert refused(url).message.endswith("it asks for a token, and there is none here")


@pytest.mark.parametrize(
    "answer",
    [
        (404, "no"),
        (200, "<html>"),
        (200, "[]"),
        (200, '{"version": 1}'),
        (200, '{"ray_version": null}'),
        (200, json.dumps({"ray_version": "2.60.0\x1b[2J"})),
    ],
)
def test_another_server_is_none(answer: tuple[int, str]) -> None:
    with serving({VERSION: answer}) as url:
        error = refused(url)
    assert "what answers there is no Ray dashboard" in error.message
    assert error.exit_code == 2


@pytest.mark.parametrize(
    "answer", ["{}", '"x"', "[1]", '[{"submission_id": "x"}]', '[{"submission_id": "x", "status": "ODD"}]']
)
def test_an_answer_that_is_not_rays_is_told(answer: str) -> None:
    paths = ("/api/jobs/", "/api/jobs/x", "/api/jobs/x/logs")
    with serving(dict.fromkeys(paths, (200, answer))) as url:
        server = JobServer(url)
        for ask in (server.jobs, lambda: server.job("x"), lambda: server.log("x")):
            if (answer, ask) != ("{}", server.jobs):
                with pytest.raises(UsageError, match="no Ray dashboard"):
                    ask()


def test_a_server_that_leads_on_to_another_does_not_get_it_the_token() -> None:
    asked = list[str | None]()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers.get("Authorization"))
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{server.server_address[1]}/elsewhere")
            self.end_headers()

        def log_request(self, *_: object) -> None:
            """Print nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        error = refused(f"http://127.0.0.1:{server.server_address[1]}")
        server.shutdown()
        thread.join()
    assert asked == ["Bearer abc"]
    assert "it leads on to http://127.0.0.1:" in error.message


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a\nb", "\u00e4".encode()])
def test_a_token_that_is_none_is_told_without_asking(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".ray" / "auth_token").write_bytes(content)
    with pytest.raises(StudiesError, match="the token of this machine is none"):
        JobServer("http://127.0.0.1:1").version()


def test_an_error_of_the_server_is_told_by_its_last_line() -> None:
    with serving({VERSION: (500, "Traceback\n  File x\nKeyError: 'a'")}) as url:
        assert refused(url).message.endswith("answers with an error: 500, KeyError: 'a'")


def test_nobody_and_what_speaks_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    error = refused("http://127.0.0.1:1")
    assert "connection refused" in error.message
    assert "--dashboard-host=0.0.0.0" in error.advice
    assert "there is no machine of that name" in refused("http://no-such-host.invalid:8265").message
    monkeypatch.setattr(job_server, "SECONDS_TO_ANSWER", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert "no answer within 0 s" in refused(f"http://127.0.0.1:{silent.getsockname()[1]}").message


def test_rays_other_ports_do_not_speak_http() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"\0\0\x18\4\0\0\0\0\0\0\4\0@\0\0")  # as a gRPC server begins

        thread = threading.Thread(target=answer)
        thread.start()
        error = refused(f"http://127.0.0.1:{server.getsockname()[1]}")
        thread.join()
    assert "what listens there does not speak HTTP" in error.message
    assert "http://HOST:8265" in error.advice


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("ray://head:10001", "is one of Ray's client"),
        ("head:6379", "Give http://head:8265"),
        ("10.0.0.1:6379", "Give http://10.0.0.1:8265"),
        ("auto", "studies run STUDY --address auto"),
        ("anyscale://x", "begins with anyscale://"),
        ("http://", "no URL of a server"),
        ("http://head:port", "no URL of a server"),
        ("http://ann:secret@head:8265", "must hold no user, password or options"),
        ("ann:secret@head:8265", "is no URL"),
    ],
)
def test_what_is_no_url_of_a_dashboard_is_refused_with_what_to_give(address: str, told: str) -> None:
    with pytest.raises(UsageError) as raised:
        checked_url(address)
    assert told in str(raised.value)
    assert "http://" in raised.value.advice
    assert "secret" not in str(raised.value)


@given(st.one_of(st.text(), st.text().map("http://{}".format)))
def test_any_text_is_a_url_or_refused(text: str) -> None:
    with suppress(UsageError):
        assert checked_url(text).startswith(("http://", "https://"))


def test_what_ray_says_of_a_job_that_it_does_not_take() -> None:
    server = JobServer("http://head:8265")
    code = "Request failed with status code 500: "
    no_agent = refusal(server, f"{code}No available agent to submit job, please try again later.")
    assert "--dashboard-agent-listen-port=0" in no_agent.advice
    assert "52365" in no_agent.advice
    assert isinstance(
        refusal(server, f"{code}Job with submission_id x already exists. Please use..."), TakenError
    )
    too_large = "Package size (600MiB) exceeds the maximum size of 500MiB."
    assert "--send" in refusal(server, too_large).advice
    assert "did not take the job: ValueError: x" in refusal(server, "ValueError: x").message
    assert issubclass(UnreachableError, StudiesError)

"""An address at which no Ray can be joined is told within seconds, in two lines."""

import http.server
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from ray._private.utils import check_version_info, compute_version_info

from studies.base.errors import StudiesError
from studies.cluster import address
from studies.cluster.address import _runs_here as runs_here
from studies.cluster.address import check_address, in_a_line, not_joined
from studies.cluster.asking_ray import QUESTION
from tests.studies.command import started

TOLD_WITHIN = 20.0
ADVICE = "Check the address (ray status), or leave out --address and RAY_ADDRESS to run on this machine."


def refused(at: str) -> str:
    """Return why an address is refused."""
    begun = time.monotonic()
    with pytest.raises(StudiesError) as raised:
        check_address(at)
    assert time.monotonic() - begun < TOLD_WITHIN
    assert raised.value.advice == ADVICE
    assert raised.value.message.startswith(f"no Ray cluster could be joined at {at}: ")
    return raised.value.message.partition(f"{at}: ")[2]


@contextmanager
def listener() -> Iterator[socket.socket]:
    """A socket that is listened at, where nobody answers."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        yield silent


def place(silent: socket.socket) -> str:
    return f"127.0.0.1:{silent.getsockname()[1]}"


@contextmanager
def gcs(token: str | None) -> Iterator[str]:
    """Something that takes the question as Ray's gcs_server does, from who has its token."""

    def answer(_: bytes, context: Any) -> bytes:
        if token is not None and ("authorization", f"Bearer {token}") not in context.invocation_metadata():
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "InvalidAuthToken")
        return b""

    class Handler(grpc.GenericRpcHandler):  # type: ignore[misc]  # it ships no types
        def service(self, details: Any) -> Any:
            return grpc.unary_unary_rpc_method_handler(answer) if details.method == QUESTION else None

    server = grpc.server(ThreadPoolExecutor(1), handlers=[Handler()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


@pytest.fixture(autouse=True)
def on_a_node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine that is a node of some cluster, and a user who has no token."""
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(address, "_runs_here", lambda name: name == "raylet")


def test_nobody_listens() -> None:
    with listener() as silent:
        at = place(silent)
    assert refused(at) == "connection refused"


def test_what_listens_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "SECONDS_TO_ANSWER", 0.5)
    with listener() as silent:
        assert refused(place(silent)) == "what listens there does not answer"


def test_what_listens_is_a_web_server() -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert refused(f"127.0.0.1:{server.server_port}") == "no server that speaks gRPC listens there"
        server.shutdown()


def test_a_token_is_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with gcs("abc") as at:
        assert refused(at) == "its token is a different one"
        monkeypatch.setenv("RAY_AUTH_TOKEN", "abd")
        assert refused(at) == "its token is a different one"
        monkeypatch.delenv("RAY_AUTH_TOKEN")
        (tmp_path / ".ray").mkdir()
        (tmp_path / ".ray" / "auth_token").write_text("abc\n")
        check_address(at)
        monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
        assert refused(at) == "its token is a different one"


def test_a_machine_without_a_node_is_told_how_to_become_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "_runs_here", lambda name: False)
    with gcs(None) as at, pytest.raises(StudiesError, match=f"ray start --address={at}"):
        check_address(at)


@pytest.mark.parametrize("at", ["localhost", "localhost:", "localhost:99999", "localhost:x"])
def test_what_is_no_address(at: str) -> None:
    assert refused(at) == "this is no HOST:PORT"


def test_auto_is_the_ray_that_was_started_here_last(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    assert refused("auto") == "no Ray has been started on this machine"
    (tmp_path / "ray").mkdir()
    with listener() as silent:
        at = place(silent)
    (tmp_path / "ray" / "ray_current_cluster").write_text(at)
    with pytest.raises(StudiesError, match=rf"joined at {at} \(auto\): connection refused"):
        check_address("auto")
    monkeypatch.setattr(address, "_runs_here", lambda name: name == "gcs_server")
    check_address("auto")


def test_what_runs_here_is_known_by_its_whole_name(tmp_path: Path) -> None:
    program = tmp_path / "gcs_servant"
    shutil.copy("/usr/bin/sleep", program)
    assert not runs_here("gcs_servant")
    with subprocess.Popen([program, "60"]) as process:
        assert runs_here("gcs_servant")
        assert not runs_here("gcs_serv")
        process.kill()
    assert not runs_here("gcs_servant")


def test_more_than_a_line_of_rays_is_in_a_file_that_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert in_a_line(ValueError("one line")) == "one line"
    assert in_a_line(ValueError()) == "ValueError"
    told = in_a_line(ValueError("first\nsecond"))
    (log,) = tmp_path.iterdir()
    assert told == f"first (all that Ray says: {log})"
    assert log.read_text() == "first\nsecond\n"


def test_a_run_says_it_in_two_lines(tmp_path: Path) -> None:
    with listener() as silent:
        at = place(silent)
    with started(tmp_path, "run", "depth_study", "--quiet", "--address", at) as command:
        assert command.finish() == 1
    assert command.errors.splitlines() == [
        f"error: no Ray cluster could be joined at {at}: connection refused",
        ADVICE,
    ]


def test_another_version_of_ray_or_python_is_told_with_both() -> None:
    with pytest.raises(RuntimeError) as raised:
        check_version_info({"ray_version": "2.9.1", "python_version": "3.10.4"}, "node 10.0.0.1:6379")
    ray, python = compute_version_info()  # type: ignore[no-untyped-call]
    told = not_joined("auto", raised.value)
    assert told.message == (
        "no Ray cluster could be joined at auto: it has Ray 2.9.1 with Python 3.10.4, and here are Ray "
        f"{ray} with Python {python}"
    )
    assert "an environment with Python 3.10.4 and ray==2.9.1" in told.advice
    assert not_joined("auto", RuntimeError("Version mismatch")).advice == ADVICE

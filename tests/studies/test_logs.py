"""`studies logs NAME` prints and follows a log, and says where one is that is not here."""

import json
import shlex
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from studies.base.states import StudyState
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.logs import main
from studies.run_log import log_file, run_events
from studies.run_log.log_file import FILE_NAME, RunLog
from studies.storage import known_servers
from studies.terminal import log_page
from tests.studies.cluster.test_job_server import serving
from tests.studies.terminal import recorded

Capture = pytest.CaptureFixture[str]


def begin(store: Store, study: StudyRow, log: Path | None, *, host: str = "", **details: Any) -> None:
    """Record that a run of the study has begun, whose log is there."""
    there = {run_events.HOST: host or socket.gethostname(), run_events.PROCESS: 7}
    run_events.note_start(
        store, study.id, there | {run_events.LOG: None if log is None else str(log)} | details
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The study's folder, which has a log of three lines."""
    folder = tmp_path / "runs" / recorded.NAME
    folder.mkdir(parents=True)
    (folder / FILE_NAME).write_text("one\ntwo\x1b[2J\nthree\n")
    return folder


def test_it_prints_the_log_or_its_end_without_control_characters(
    store: Store, begun: StudyRow, folder: Path, capsys: Capture
) -> None:
    begin(store, begun, folder / FILE_NAME)
    (folder / f"{FILE_NAME}.1").write_text("zero\n")
    assert main([recorded.NAME]) == 0
    assert capsys.readouterr().out == "zero\none\ntwo\ufffd[2J\nthree\n"
    assert main([recorded.NAME, "-n", "1"]) == 0
    assert capsys.readouterr().out == "three\n"
    assert main([recorded.NAME, "-n", "0", "-f"]) == 0, "no run works on it, so that nothing is followed"
    assert capsys.readouterr().out == ""


def test_it_follows_until_the_run_ends(
    url: str,
    store: Store,
    begun: StudyRow,
    folder: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(log_page, "SECONDS_BETWEEN_LOOKS", 0.1)
    monkeypatch.setattr(log_page, "SECONDS_BETWEEN_READS", 0.02)
    monkeypatch.setattr(log_page, "SECONDS_OF_LAST_WORDS", 0.2)
    begin(store, begun, folder / FILE_NAME)
    store.set_study_state(begun.id, StudyState.RUNNING)
    looked, seen = threading.Event(), log_file.Follower.new_lines

    def new_lines(follower: log_file.Follower) -> list[str]:
        looked.set()
        return seen(follower)

    monkeypatch.setattr(log_file.Follower, "new_lines", new_lines)

    def go_on() -> None:
        with Store.open(url) as other, other.hold(begun.id):
            held.set()
            looked.wait(10)
            log = RunLog()
            log.begin(folder, "four")
            other.set_study_state(begun.id, StudyState.COMPLETE)
            log.note("making the report")
            time.sleep(0.3)  # more than a look at the storage takes
            log.note("the report is made")
        log.end(None)

    held = threading.Event()
    run = threading.Thread(target=go_on)
    run.start()
    held.wait(10)
    assert main([recorded.NAME, "-f"]) == 0
    run.join()
    out = capsys.readouterr().out
    assert out.startswith("one\ntwo")
    assert " four\n" in out
    assert "the report is made\n" in out, "the study is complete before its run is over"
    assert out.splitlines()[-1].endswith("end of the run, after 0 s")


@pytest.mark.parametrize("arguments", [["-n", "-1"], ["-n", "x"]])
def test_a_number_of_lines_is_one(url: str, arguments: list[str], capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        main([recorded.NAME, *arguments])
    assert ended.value.code == 2
    assert "-n/--lines" in capsys.readouterr().err


def test_an_unknown_name_lists_what_is_there(begun: StudyRow, capsys: Capture) -> None:
    assert main(["tiny_stud"]) == 2
    assert f"did you mean {recorded.NAME}?" in capsys.readouterr().err


def test_a_log_that_is_not_here_is_said_to_be_where_it_is(
    store: Store, begun: StudyRow, capsys: Capture
) -> None:
    assert main([recorded.NAME]) == 1
    assert f"no run of {recorded.NAME} has left a log" in capsys.readouterr().err
    begin(store, begun, Path("/there/runs/tiny_study/run.log"), host="gpu7")
    assert main([recorded.NAME]) == 1
    told = capsys.readouterr().err
    assert "error: the log is on another machine: /there/runs/tiny_study/run.log on gpu7" in told
    assert "ssh -- gpu7 'tail -n 100 -f /there/runs/tiny_study/run.log'" in told
    begin(store, begun, Path("/there/$(touch x)/run.log"), host="-oProxyCommand=touch x")
    assert main([recorded.NAME]) == 1
    line = next(line for line in capsys.readouterr().err.splitlines() if line.startswith("Read it there: "))
    words = shlex.split(line.removeprefix("Read it there: "))
    assert words[:3] == ["ssh", "--", "-oProxyCommand=touch x"]
    assert shlex.split(words[3])[-1] == "/there/$(touch x)/run.log", (
        "the other machine's shell reads it again"
    )
    begin(store, begun, Path("/there/run.log"))
    assert main([recorded.NAME]) == 1
    assert "is not there any more" in capsys.readouterr().err


def test_a_storage_of_others_names_no_file_that_is_printed(
    store: Store, begun: StudyRow, tmp_path: Path, folder: Path, capsys: Capture
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("mine")
    begin(store, begun, secret)
    (folder / FILE_NAME).unlink()
    (folder / FILE_NAME).symlink_to(secret)
    assert main([recorded.NAME]) == 1
    assert "mine" not in capsys.readouterr().out
    odd = {run_events.HOST: 3, run_events.PROCESS: [], run_events.LOG: {}, run_events.RAY_JOB: 1}
    run_events.note_start(store, begun.id, odd)
    assert main([recorded.NAME]) == 1


def test_the_log_of_a_job_elsewhere_comes_from_its_cluster(
    store: Store, begun: StudyRow, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "abc")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    answer = json.dumps({"logs": "one\ntwo\nthr"})
    with serving({"/api/jobs/studies-tiny-1/logs": (200, answer)}) as server:
        begin(
            store, begun, Path("/there/run.log"), host="head", ray_job="studies-tiny-1", submitted_to=server
        )
        assert main([recorded.NAME]) == 1
        refused = capsys.readouterr()
        assert refused.out == "", "a server that the storage alone names is not told the token"
        assert f"RAY_API_SERVER_ADDRESS={server} studies logs {recorded.NAME}\n" in refused.err
        with monkeypatch.context() as given:
            given.setenv("RAY_API_SERVER_ADDRESS", f"{server}/")
            assert main([recorded.NAME]) == 0
            assert capsys.readouterr().out == "one\ntwo\nthr\n"
        known_servers.remember(server)
        for options in ([], ["-f"]):
            assert main([recorded.NAME, "-n", "2", *options]) == 0
            assert capsys.readouterr().out.startswith("two\nthr\n")
    assert main([recorded.NAME]) == 1
    told = capsys.readouterr().err
    assert "its job cannot be asked from here: no job server answers at" in told
    assert f"ray job logs studies-tiny-1 --address {server} --follow" in told
    begin(store, begun, Path("/there/run.log"), host="head", ray_job="mine")
    assert main([recorded.NAME]) == 1
    assert "ray job logs mine --address http://HEAD:8265" in capsys.readouterr().err

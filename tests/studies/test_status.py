"""`studies status NAME` says how a study stands, once or until it ends."""

import json
import os
import socket
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from studies.base.states import Phase, StudyState, TrialState
from studies.database.results import TrialResult
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.run_log import run_events
from studies.status import main
from studies.storage.paths import locate
from studies.terminal import status_page
from studies.terminal.output import show
from studies.terminal.status import read_status
from tests.studies.terminal import recorded
from tests.studies.terminal.terminals import run_in_terminal

Capture = pytest.CaptureFixture[str]


def printed(capsys: Capture) -> str:
    """Return what was printed, with its lines joined as a reader does."""
    return " ".join(capsys.readouterr().out.split())


def test_a_complete_study(complete: StudyRow, capsys: Capture) -> None:
    assert main([recorded.NAME]) == 0
    out = printed(capsys)
    assert out.startswith("tiny_study complete Does depth help?")
    for expected in (
        "4 of 4 trials",
        "2 of 2 trials",
        "4 complete, 1 stopped early, 1 failed",
        "12 of 12 ended, 1 diverged",
        "validation log-loss 0.400 nats in the search, trial 2 depth 5, learning rate 0.02",
        "confirmed test log-loss 1.401 nats, test accuracy 47.5 %, over 2 networks",
        "1 trial failed trial 4 (search, cell 2): depth 5, learning rate 0.05 ValueError: \ufffd[2Jno such luck",
        "studies show tiny_study",
    ):
        assert expected in out
    assert "Traceback" not in out


def test_a_study_at_work_names_its_workers(store: Store, searched: StudyRow, capsys: Capture) -> None:
    recorded.start(store, searched, 5, phase=Phase.CONFIRM, cell=1, depth=3, rate=0.01)
    with store.hold(searched.id):
        assert main([recorded.NAME]) == 0
    out = printed(capsys)
    assert "tiny_study running" in out
    assert f"run by process {os.getpid()} on {socket.gethostname()}, since 20" in out
    assert "workers 1 at work (host:7)" in out
    assert "running trial 5 starting depth 3, learning rate 0.01" in out
    assert "Go on with" not in out


def test_all_workers_of_a_spread_trial_are_named(store: Store, searched: StudyRow, capsys: Capture) -> None:
    for number, cell in ((5, 1), (6, 2)):
        recorded.start(store, searched, number, phase=Phase.CONFIRM, cell=cell, depth=3, rate=0.01)
    report = TrialResult(epoch=1, busy_seconds=1.0, epochs=[], rung=None, ending=None, worker="b:8, a:7, b:9")
    store.record_result(searched.id, 5, report)
    with store.hold(searched.id):
        assert main([recorded.NAME]) == 0
    assert "workers 4 at work (a:7, b:8, b:9, host:7)" in printed(capsys)


def test_an_interrupted_study_says_how_to_go_on(store: Store, searched: StudyRow, capsys: Capture) -> None:
    recorded.start(store, searched, 5, phase=Phase.CONFIRM, cell=1, depth=3, rate=0.01)
    store.set_study_state(searched.id, StudyState.INTERRUPTED)
    assert main([recorded.NAME]) == 0
    out = printed(capsys)
    assert "cut off trial 5: trained again when the study goes on" in out
    assert out.endswith(f"Go on with: {recorded.COMMAND}")
    assert "at work" not in out


def test_a_running_study_that_is_silent_is_doubted(store: Store, searched: StudyRow, capsys: Capture) -> None:
    """Its trials are not called cut off: the first epoch on large data can take as long."""
    recorded.start(store, searched, 5, phase=Phase.CONFIRM, cell=1, depth=3, rate=0.01)
    with store.hold(searched.id):
        status = read_status(store, recorded.NAME, locate())
    assert not status.seems_dead
    later = replace(status, at=status.at + timedelta(minutes=5))
    assert later.seems_dead
    show(status_page.status_page(later))
    out = printed(capsys)
    assert "1 at work" in out
    assert "cut off" not in out
    assert "Nothing was recorded for 5 min; epochs on large data can take as long." in out
    assert f"If process {os.getpid()} on" in out
    assert "hangs, add --take-over." in out
    assert f"Go on with: {recorded.COMMAND}" in out


def test_a_running_study_that_nobody_runs_was_cut_off(
    store: Store, searched: StudyRow, capsys: Capture
) -> None:
    recorded.start(store, searched, 5, phase=Phase.CONFIRM, cell=1, depth=3, rate=0.01)
    assert main([recorded.NAME]) == 0
    out = printed(capsys)
    assert "cut off trial 5: trained again when the study goes on" in out
    assert out.endswith(f"No run is at work any more: it was cut off. Go on with: {recorded.COMMAND}")
    assert main([recorded.NAME, "--watch"]) == 0, "it would be watched for ever"
    capsys.readouterr()
    assert main([recorded.NAME, "--json"]) == 0
    status = recorded.strict_json(capsys.readouterr().out)
    assert (status["seems_dead"], status["holder"]) == (True, None)


def test_a_study_that_has_just_begun(begun: StudyRow, capsys: Capture) -> None:
    assert main([recorded.NAME]) == 0
    out = printed(capsys)
    assert "0 of 4 trials" in out
    assert "best none yet" in out


def test_json_has_what_a_script_needs(store: Store, complete: StudyRow, capsys: Capture) -> None:
    with store.hold(complete.id) as lease:
        assert main([recorded.NAME, "--json"]) == 0
    status = recorded.strict_json(capsys.readouterr().out)
    assert (status["study"], status["state"], status["seems_dead"]) == (recorded.NAME, "complete", False)
    assert status["holder"].keys() == {"host", "process", "since"}
    assert (status["holder"]["process"], lease.token) == (os.getpid(), 1)
    assert status["progress"]["search"] == {
        **{"planned": 4, "ended": 4, "waiting": 0, "running": 0},
        **{"complete": 2, "pruned": 1, "failed": 1},
    }
    assert status["networks"] == {"planned": 12, "ended": 12, "diverged": 1}
    assert status["best_in_search"]["params"] == {"depth": 5, "learning_rate": 0.02}
    assert status["best_confirmed"]["trials"] == [6]
    assert [(failure["trial"], failure["error"]) for failure in status["failures"]] == [
        (4, recorded.TRACEBACK)
    ]
    assert status["command"] == recorded.COMMAND


def test_what_the_storage_could_not_take_is_told(
    store: Store, searched: StudyRow, tmp_path: Path, capsys: Capture
) -> None:
    spool = tmp_path / "runs" / recorded.NAME / "spool.jsonl"
    arguments = [recorded.NAME, "--output", str(tmp_path / "runs")]
    assert main([*arguments, "--json"]) == 0
    assert recorded.strict_json(capsys.readouterr().out)["spool"] is None
    spool.parent.mkdir(parents=True, exist_ok=True)
    spool.touch()
    assert main([*arguments, "--json"]) == 0
    assert recorded.strict_json(capsys.readouterr().out)["spool"] == str(spool)
    assert main(arguments) == 0
    assert "the next run on this machine records it" in printed(capsys)


def test_an_unknown_name_lists_the_studies(complete: StudyRow, capsys: Capture) -> None:
    assert main(["tiny_studdy"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "did you mean tiny_study?" in captured.err
    assert "Traceback" not in captured.err


def test_watching_ends_with_the_study(store: Store, searched: StudyRow, capsys: Capture) -> None:
    def finish() -> None:
        time.sleep(0.2)
        recorded.record_confirm(store, searched)

    thread = threading.Thread(target=finish)
    with store.hold(searched.id):
        thread.start()
        status = status_page.follow(
            lambda: read_status(store, recorded.NAME, locate()), seconds_between_looks=0.05
        )
        thread.join()
    assert status.study.state is StudyState.COMPLETE
    assert status.snapshot.total(TrialState.COMPLETE) == 4
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("running: search 4 of 4 trials, confirm 0 of 2")
    assert lines[-1].startswith("complete: search 4 of 4 trials, confirm 2 of 2")
    assert len(lines) == len(set(lines)), "a line is printed when something has changed"


def test_watching_a_terminal_draws_one_page_and_ends_with_ctrl_c(
    url: str, store: Store, searched: StudyRow
) -> None:
    arguments = ("-m", "studies.status", recorded.NAME, "--watch", "--storage", url)
    with store.hold(searched.id):
        shown = run_in_terminal(*arguments, interrupt_at="no such luck")
    assert shown.exit_code == 130
    assert "Traceback" not in shown.written
    assert shown.text.count("Does depth help?") == 1
    assert "4 of 4 trials" in shown.text


def test_watch_and_json_exclude_each_other(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as exit_:
        main([recorded.NAME, "--watch", "--json"])
    assert exit_.value.code == 2
    assert "not allowed with" in capsys.readouterr().err


def test_it_says_where_the_run_is_from_the_storage_alone(
    store: Store, searched: StudyRow, capsys: Capture
) -> None:
    start = {
        "host": "gpu7",
        "process": 7,
        "log": "/there/run.log",
        "ray_job": "studies-tiny-1",
        "command": "x",
    }
    run_events.note_start(store, searched.id, start | {"submitted_to": "http://head:8265"})
    places = {"dashboard": "http://10.0.0.1:8265"}
    run_events.note_cluster(store, searched.id, workers=1, threads=1, places=places)
    with store.hold(searched.id):
        assert main([recorded.NAME]) == 0
        out = printed(capsys)
    assert "Ray job studies-tiny-1, submitted to http://head:8265" in out
    assert "dashboard http://10.0.0.1:8265, as gpu7 reaches it" in out
    assert "log studies logs tiny_study: /there/run.log on gpu7" in out
    assert main([recorded.NAME, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["run"]
    assert told == {name: value for name, value in start.items() if name != "command"} | {
        "submitted_to": "http://head:8265",
        **places,
    }

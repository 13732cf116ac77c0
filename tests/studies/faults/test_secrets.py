"""A study on a PostgreSQL with a password, through a restart of the server: the password is nowhere, nobody gets in."""

import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from studies.__main__ import main
from studies.database.store import Store
from tests.studies.command import STUDY, Command, started
from tests.studies.database.recorded import contents, new_study
from tests.studies.faults.conftest import PASSWORD
from tests.studies.faults.listeners import Listener, dashboards, listeners
from tests.studies.faults.servers import Server
from tests.studies.faults.soundness import check_whole, num_doubled

DATABASE = "secrets"
RUN = ("run", "./small.py", "--workers", "1")


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A whole run, and what could be seen while it lasted."""

    command: Command
    folder: Path
    url: str
    leaks: list[str]
    listeners: list[Listener]
    statuses: set[int | None]
    answer_without_token: str
    num_before_restart: int


@pytest.fixture(scope="module")
def seen(guarded: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """Run the small study, looking at it on the way, and restart its database in the middle."""
    folder = tmp_path_factory.mktemp("secrets")
    (folder / "small.py").write_text(STUDY)
    url, mask = guarded.make(DATABASE), os.umask(0o022)
    try:
        with started(folder, *RUN, settings={"STUDIES_STORAGE": url}) as command:
            command.wait_until(lambda: num_ended(guarded) > 0)
            leaks, before = leaks_of(command), num_ended(guarded)
            with command.standing_still():
                guarded.stop()
                guarded.start()
                command.wait_until(lambda: bool(dashboards(command.processes())))
                listening, answer = listeners(command.processes()), ask_ray(command)
                statuses = {listener.answer() for listener in listening if listener.is_public}
            command.wait_until(lambda: num_ended(guarded) > before)
            leaks += leaks_of(command)
            command.finish()
            yield Seen(
                command=command,
                folder=folder,
                url=url,
                leaks=leaks,
                listeners=listening,
                statuses=statuses,
                answer_without_token=answer,
                num_before_restart=before,
            )
    finally:
        os.umask(mask)


def num_ended(guarded: Server) -> int:
    """Return how many trials have ended; 0 while there are no tables."""
    there = guarded.execute("SELECT to_regclass('trial') IS NOT NULL", DATABASE)
    if not there[0][0]:
        return 0
    return int(guarded.execute("SELECT count(*) FROM trial WHERE ended_at IS NOT NULL", DATABASE)[0][0])


def leaks_of(command: Command) -> list[str]:
    """Return where the password can be read now: command lines, environments, temporary files, output so far."""
    found = [str(path) for path in Path("/proc").glob("[0-9]*/cmdline") if holds_password(path)]
    driver = Path("/proc") / str(command.process.pid)  # it was given its environment by us
    found += [
        str(path) for path in command.processes() if path != driver and holds_password(path / "environ")
    ]
    return found + leaking_files(command.temporary) + leaking_files(command.folder)


def leaking_files(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob("*") if path.is_file() and holds_password(path)]


def holds_password(path: Path) -> bool:
    try:
        return PASSWORD.encode() in path.read_bytes()
    except OSError:  # a process that has ended, a file that is gone
        return False


def ask_ray(command: Command) -> str:
    """Return what Ray's control store says to somebody on the network who has no token."""
    commands = b"\0".join((process / "cmdline").read_bytes() for process in command.processes())
    address = re.search(rb"--gcs-address=([^\s\0]+)", commands)
    assert address is not None
    code = (
        f"from ray._raylet import GcsClient\ntry: print(GcsClient(address={address[1].decode()!r})"
        ".internal_kv_keys(b'', None))\nexcept Exception as error: print(type(error).__name__)"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    # Without a home of its own it would find a token that the machine's owner may have.
    environment["HOME"] = str(command.folder)
    asked = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return asked.stdout.strip()


def test_the_study_ends_well_through_a_restart_of_the_server(seen: Seen) -> None:
    assert seen.command.process.returncode == 0, seen.command.errors
    assert 0 < seen.num_before_restart < 10, "the server was restarted when nothing was going on"
    with Store.open(seen.url, create=False) as store:
        (study,) = store.studies()
        assert study.state == "complete"
        assert len(store.trials(study.id)) == 10
        check_whole(store, study.id)
        assert num_doubled(store, study.id) == 0


def test_the_password_is_in_no_process_and_no_file_while_it_runs(seen: Seen) -> None:
    assert seen.leaks == []


def test_the_password_is_in_nothing_that_is_left(seen: Seen) -> None:
    assert PASSWORD not in seen.command.output + seen.command.errors
    assert leaking_files(seen.folder) == []
    with Store.open(seen.url, create=False) as store:
        rows = contents(store)
        assert rows["event"]
        assert PASSWORD not in str(rows)


@pytest.mark.parametrize("debug", [(), ("--debug",)])
@pytest.mark.parametrize("door", [RUN, ("status", "small"), ("report", "small"), ("database", "current")])
def test_the_password_is_in_no_error(
    seen: Seen,
    guarded: Server,
    door: tuple[str, ...],
    debug: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(seen.folder)
    monkeypatch.setenv("STUDIES_STORAGE", guarded.url("nowhere"))
    assert main([*door, *debug]) == 2
    told = capsys.readouterr().err
    assert 'database "nowhere" does not exist' in told
    assert PASSWORD not in told
    assert ("Traceback" in told) == bool(debug)


def test_a_password_in_an_argument_is_refused_without_it(
    seen: Seen, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(seen.folder)
    for door in (RUN, ("plan", "./small.py"), ("list",), ("status", "small"), ("show", "small")):
        assert main([*door, "--storage", seen.url]) == 2, door
        told = capsys.readouterr().err
        assert PASSWORD not in told
        assert "STUDIES_STORAGE" in told
        assert "PGPASSFILE" in told


def test_a_password_of_the_environment_serves_after_it_was_taken_away(
    guarded: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    guarded.make("later")
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    with Store.open(guarded.without_password("later")) as store:
        study = new_study(store)
        monkeypatch.delenv("PGPASSWORD")  # as while workers run, who must not inherit it
        with store.hold(study.id):
            guarded.disconnect("later")
            assert store.studies()[0].name == study.name
        assert PASSWORD not in repr(store)


def test_only_rays_own_processes_listen_to_others_and_they_ask_for_a_token(seen: Seen) -> None:
    public = [listener.command for listener in seen.listeners if listener.is_public]
    rays = (
        "gcs_server",
        "raylet",
        "ray::",
        "ray/dashboard/agent",
        "ray/_private/runtime_env/agent",
        "studies.run",
        "studies/cluster/serving_ray.py",
    )
    assert [command for command in public if not any(name in command for name in rays)] == []
    assert any("gcs_server" in command for command in public), "nothing was seen"
    assert seen.answer_without_token == "AuthenticationError"
    # What speaks HTTP says 401; the rest does not.
    assert seen.statuses <= {None, 401}
    dashboards = [listener for listener in seen.listeners if "dashboard/dashboard.py" in listener.command]
    assert dashboards
    assert not any(listener.is_public for listener in dashboards)


def test_nobody_else_reads_what_a_run_leaves(seen: Seen) -> None:
    left = [path for path in (seen.folder / "runs").rglob("*") if path.is_file()]
    assert len(left) > 20
    assert [path for path in left if is_readable_by_others(path, seen.folder)] == []


def is_readable_by_others(path: Path, root: Path) -> bool:
    """Say whether others may read a file, which needs leave for each folder on the way."""
    way = [path, *(folder for folder in path.parents if folder.is_relative_to(root) and folder != root)]
    return all(stat.S_IMODE(each.stat().st_mode) & 0o077 for each in way)

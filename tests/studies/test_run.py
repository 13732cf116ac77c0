"""The door to a run with the real parts: whole, finished, killed, interrupted, and always the same numbers."""

import hashlib
import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import studies
from studies import report, verify
from studies.planning.plan import Plan
from studies.user_files.loader import load_definition
from tests.studies.command import STUDY, Command, finished, record, rows, started
from tests.studies.disturbances import (
    RUN,
    WITHOUT_DASHBOARD,
    kill,
    lose_gcs,
    lose_raylet,
    press_ctrl_c,
    terminate_while_a_trial_hangs,
)
from tests.studies.faults.listeners import dashboards
from tests.studies.shadows import imported_by_python_itself, shadow


@dataclass(frozen=True, kw_only=True)
class Seen:
    """An undisturbed run, and what could be seen while it lasted."""

    command: Command
    folder: Path
    modes: dict[str, int]
    dashboard: str
    status_without_token: int
    actors: list[dict[str, Any]]
    listening: str
    exit_codes_meanwhile: list[int]
    state_meanwhile: str
    live: str
    listed: str

    @property
    def report(self) -> dict[str, Any]:
        """report.json."""
        content: dict[str, Any] = json.loads((self.folder / "runs" / "small" / "report.json").read_text())
        return content


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """Run the small study to its end, looking at it on the way."""
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "small.py").write_text(STUDY)
    shadow(folder, spared={"studies", *imported_by_python_itself()})
    with started(folder, *RUN) as command:
        command.wait_until(lambda: bool(rows(folder, "SELECT 1 FROM trial WHERE state = 'complete'")))
        with command.standing_still():
            (private,) = command.temporary.glob("studies-*")
            command.wait_until(lambda: bool(dashboards(command.processes())))
            (dashboard,) = dashboards(command.processes())
            token = (private / "token").read_text()
            looks = {
                "modes": {name: mode(private / name) for name in ("", "token", "owner")},
                "dashboard": dashboard,
                "status_without_token": status(f"{dashboard}/api/v0/actors"),
                "actors": fetch(f"{dashboard}/api/v0/actors?detail=1", token)["data"]["result"]["result"],
                "listening": listening_at(int(dashboard.rpartition(":")[2])),
                "live": live_page(folder).read_text(encoding="utf-8"),
                "listed": (folder / "runs" / "index.html").read_text(encoding="utf-8"),
                **look_from_outside(command),
            }
        command.finish()
        # A run that is over sooner than the dashboard is there shows no link.
        assert re.findall(r"http://\S+", command.errors) in ([], [dashboard])
        yield Seen(command=command, folder=folder, **looks)


@pytest.fixture(scope="module")
def disturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the same study through the deaths of its driver and of Ray's processes, a Ctrl-C and a SIGTERM."""
    folder = tmp_path_factory.mktemp("disturbed")
    (folder / "small.py").write_text(STUDY)
    for disturb in (kill, press_ctrl_c, lose_raylet, terminate_while_a_trial_hangs, lose_gcs):
        with started(folder, *WITHOUT_DASHBOARD) as command:
            disturb(command)
        shutil.copy(live_page(folder), folder / f"{disturb.__name__}.html")
    command = finished(folder, *WITHOUT_DASHBOARD)
    assert command.process.returncode == 0, command.errors
    return folder


def live_page(folder: Path) -> Path:
    """Return the page of the small study that tells how its run goes."""
    return folder / "runs" / "small" / "live.html"


def small_in(folder: Path) -> list[str]:
    """Return the arguments of a door to the study in the default places of a folder."""
    return ["small", "--storage", f"sqlite:///{folder}/runs/studies.db", "--output", str(folder / "runs")]


def look_from_outside(command: Command) -> dict[str, Any]:
    """Verify and report the study while its driver, which stands still, holds it."""
    exit_codes = [door.main(small_in(command.folder)) for door in (verify, report)]
    made = json.loads((command.folder / "runs" / "small" / "report.json").read_text())
    return {"exit_codes_meanwhile": exit_codes, "state_meanwhile": made["state"]}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def fetch(url: str, token: str) -> Any:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def listening_at(port: int) -> str:
    """Return the local addresses, as /proc writes them, at which anything listens on `port`."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    lines += [line.split() for line in Path("/proc/net/tcp6").read_text().splitlines()[1:]]
    return " ".join(
        local for _, local, _, state, *_ in lines if state == "0A" and local.endswith(f":{port:04X}")
    )


def test_a_whole_run_exits_0_and_leaves_a_report(seen: Seen) -> None:
    assert seen.command.process.returncode == 0, seen.command.errors
    page = (seen.folder / "runs" / "small" / "report.html").read_text()
    assert "Does a second hidden layer help?" in page
    assert seen.report["state"] == "complete"
    assert "Does a second hidden layer help?" in seen.command.output
    *_, path, model, use, share, pack = seen.command.output.splitlines()
    assert path.startswith("Report ")
    assert path.endswith("runs/small/report.html")
    assert "runs/small/models/best" in model
    assert use.strip() == "studies predict runs/small/models/best --input FILE"
    assert share.startswith("Share ")
    assert pack.strip() == "studies report small --bundle small.zip"
    assert (seen.folder / "runs" / "index.html").is_file()


def test_while_it_runs_a_page_says_how_it_goes(seen: Seen) -> None:
    assert "Does a second hidden layer help?" in seen.live
    assert 'http-equiv="refresh" content="60"' in seen.live
    assert "studies stop small" in seen.live
    assert f"studies {shlex.join(RUN)}" in seen.live
    assert 'href="small/live.html"' in seen.listed
    assert "live: runs/small/live.html, a page, new each minute" in seen.command.errors
    assert mode(live_page(seen.folder)) == 0o600


def test_once_a_run_is_complete_that_page_leads_to_the_report(seen: Seen, disturbed: Path) -> None:
    for folder in (seen.folder, disturbed):
        text = live_page(folder).read_text(encoding="utf-8")
        assert 'http-equiv="refresh" content="0; url=report.html"' in text
    assert "live.html" not in (seen.folder / "runs" / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("disturbance", "said"),
    [
        ("kill", "If that time is more than 3 minutes ago, the run has been killed or hangs"),
        ("press_ctrl_c", "The run was interrupted; everything recorded is kept."),
        ("terminate_while_a_trial_hangs", "The run was terminated; everything recorded is kept."),
        ("lose_raylet", "The run has ended: Ray is gone"),
    ],
)
def test_that_page_says_how_a_run_ended_early_and_how_to_go_on(
    disturbed: Path, disturbance: str, said: str
) -> None:
    text = (disturbed / f"{disturbance}.html").read_text(encoding="utf-8")
    assert said in text
    assert f"studies {shlex.join(WITHOUT_DASHBOARD)}" in text
    assert ('content="60"' in text) is (disturbance == "kill")


def test_nothing_of_a_run_is_left(seen: Seen) -> None:
    assert seen.command.left_processes() == []
    assert os.listdir(seen.command.temporary) == []


def test_rows_agree_with_the_plan(seen: Seen) -> None:
    plan = small_plan(seen.folder)
    trials = rows(seen.folder, "SELECT number, phase, epochs, rung, params, state FROM trial ORDER BY number")
    assert [phase for _, phase, *_ in trials] == ["search"] * plan.num_search_trials + ["confirm"] * 2
    assert len(rows(seen.folder, "SELECT 1 FROM replicate")) == plan.num_networks
    assert {state for *_, state in trials} <= {"complete", "pruned"}
    epochs = sum(2 * epochs for _, _, epochs, *_ in trials)
    assert len(rows(seen.folder, "SELECT 1 FROM epoch")) == epochs
    assert epochs <= plan.max_network_epochs
    layers = sum(2 * json.loads(params)["depth"] * measured(*trial) for *trial, params, _ in trials)
    assert len(rows(seen.folder, "SELECT 1 FROM layer_gradient")) == layers


def small_plan(folder: Path) -> Plan:
    study = load_definition(str(folder / "small.py")).study
    return Plan(name="small", study=study, dataset_fingerprint="")


def measured(number: int, phase: str, epochs: int, rung: int) -> int:
    """Epochs whose layers are recorded: the initialisation and each rung, or each epoch when confirmed."""
    return 1 + (epochs if phase == "confirm" else [3, 9].index(rung) + 1)


def test_rows_agree_with_the_reports_accounting(seen: Seen) -> None:
    accounting = seen.report["accounting"]
    states = dict(rows(seen.folder, "SELECT state, count(*) FROM trial GROUP BY state"))
    assert accounting["planned"] == accounting["started"] == sum(states.values()) == 10
    assert (accounting["complete"], accounting["pruned"]) == (states["complete"], states.get("pruned", 0))
    assert accounting["networks"] == len(rows(seen.folder, "SELECT 1 FROM replicate")) == 20
    assert accounting["epochs"] == len(rows(seen.folder, "SELECT 1 FROM epoch"))
    assert (accounting["failed"], accounting["retried"], accounting["missing"]) == (0, 0, 0)


def test_the_best_cells_weights_are_kept_with_their_hashes(seen: Seen) -> None:
    artifacts = rows(seen.folder, "SELECT path, sha256, trial_number FROM artifact ORDER BY path")
    blocks = [f"models/best/block-{block}.safetensors" for block in (0, 1)]
    assert [path for path, _, number in artifacts if number is not None] == blocks
    folder = seen.folder / "runs" / "small"
    files = [path for path in (folder / "models" / "best").rglob("*") if path.is_file()]
    assert {path for path, *_ in artifacts} == {path.relative_to(folder).as_posix() for path in files}
    for path, sha256, number in artifacts:
        assert hashlib.sha256((folder / path).read_bytes()).hexdigest() == sha256
        assert number in (None, seen.report["best"]["trial_number"])


def test_the_model_is_the_median_replicate_and_the_page_shows_it(seen: Seen) -> None:
    model = studies.load_model(seen.folder / "runs" / "small" / "models" / "best")
    losses = dict(
        rows(
            seen.folder,
            f"SELECT block, val_loss FROM replicate WHERE trial_number = {seen.report['best']['trial_number']}",
        )
    )
    assert model.config.block == min(losses, key=lambda block: losses[block]), "of two, the lower one"
    examined = seen.report["model"]
    assert examined["block"] == model.config.block
    accuracy, loss = rows(
        seen.folder,
        "SELECT test_accuracy, test_loss FROM replicate "
        f"WHERE trial_number = {model.config.trial} AND block = {model.config.block}",
    )[0]
    assert examined["accuracy"] == pytest.approx(accuracy, abs=1e-6)
    assert examined["log_loss"] == pytest.approx(loss, rel=1e-4)
    page = (seen.folder / "runs" / "small" / "report.html").read_text()
    assert "The model to take away" in page
    assert page.count("data:image/png;base64,") == len(examined["samples"]) + len(examined["mistakes"])


def test_a_run_killed_and_interrupted_leaves_the_same_model(seen: Seen, disturbed: Path) -> None:
    for name in ("weights.safetensors", "evaluation.json", "preprocessing.json"):
        whole, other = (
            folder / "runs" / "small" / "models" / "best" / name for folder in (seen.folder, disturbed)
        )
        assert whole.read_bytes() == other.read_bytes()


def test_the_test_part_is_read_in_the_confirm_phase_alone(seen: Seen) -> None:
    query = "SELECT phase, count(test_loss) FROM replicate JOIN trial ON number = trial_number GROUP BY phase"
    assert dict(rows(seen.folder, query)) == {"search": 0, "confirm": 4}


def test_a_study_can_be_verified_and_reported_while_it_runs(seen: Seen) -> None:
    assert seen.exit_codes_meanwhile == [0, 0]
    assert seen.state_meanwhile == "running"


def test_what_lies_in_the_current_folder_is_not_imported(seen: Seen) -> None:
    """Neither by the command nor by Ray's processes, the workers least of all."""
    assert (seen.folder / "torch.py").exists()
    assert seen.command.process.returncode == 0
    assert "of the current folder" not in seen.command.errors
    assert rows(seen.folder, "SELECT 1 FROM event WHERE kind = 'worker_lost'") == []


def test_the_same_command_says_that_the_study_is_finished(seen: Seen) -> None:
    before = record(seen.folder)
    starts = rows(seen.folder, "SELECT 1 FROM event WHERE kind = 'run_started'")
    page = seen.folder / "runs" / "small" / "report.html"
    page.unlink()
    manifest = seen.folder / "runs" / "small" / "models" / "best" / "manifest.json"
    kept = manifest.read_bytes()
    manifest.unlink()  # as if the run had been killed while it made the model
    again = finished(seen.folder, *RUN, "--json")
    assert again.process.returncode == 0, again.errors
    assert "small is finished; its report was made again" in again.errors
    assert json.loads(again.output)["study"] == "small"
    assert page.is_file()
    assert manifest.read_bytes() == kept
    assert record(seen.folder) == before
    assert rows(seen.folder, "SELECT 1 FROM event WHERE kind = 'run_started'") == starts


def test_only_the_owner_reads_what_ray_keeps(seen: Seen) -> None:
    assert seen.modes == {"": 0o700, "token": 0o600, "owner": 0o600}


def test_the_dashboard_listens_here_only_and_asks_for_its_token(seen: Seen) -> None:
    assert seen.dashboard.startswith("http://127.0.0.1:")
    assert [address.partition(":")[0] for address in seen.listening.split()] == ["0100007F"]
    assert seen.status_without_token == 401


def test_actors_bear_the_studys_name_and_are_reused(seen: Seen) -> None:
    assert [actor["class_name"] for actor in seen.actors] == ["small"]
    assert len(set(rows(seen.folder, "SELECT worker FROM trial"))) == 1


def test_a_run_killed_and_interrupted_ends_with_the_same_numbers(seen: Seen, disturbed: Path) -> None:
    ours, theirs = record(disturbed), record(seen.folder)
    for table in theirs:
        assert ours[table] == theirs[table], f"{table} differs"
    assert len(rows(disturbed, "SELECT 1 FROM event WHERE kind = 'run_started'")) == 6
    assert rows(disturbed, "SELECT detail FROM event WHERE kind = 'conflict'") == []


def test_a_run_killed_and_interrupted_ends_with_the_same_accounting(seen: Seen, disturbed: Path) -> None:
    report = json.loads((disturbed / "runs" / "small" / "report.json").read_text())
    assert report["state"] == "complete"
    ours, theirs = report["accounting"], seen.report["accounting"]
    for name in ("planned", "complete", "pruned", "failed", "networks", "epochs", "missing", "waiting"):
        assert ours[name] == theirs[name]
    assert report["best"]["params"] == seen.report["best"]["params"]
    assert report["contrasts"] == seen.report["contrasts"]


@pytest.mark.parametrize("which", ["seen", "disturbed"])
def test_what_a_run_leaves_is_sound(
    which: str, seen: Seen, disturbed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify.main(small_in(seen.folder if which == "seen" else disturbed)) == 0, capsys.readouterr().out


@pytest.mark.parametrize("wrong", ["depth_studdy", "depth_study --set model=mpl", "--help"])
def test_a_usage_error_waits_for_nothing_heavy(tmp_path: Path, wrong: str) -> None:
    heavy = ("torch", "ray", "pandas", "sklearn", "matplotlib", "scipy")
    code = (
        "import sys\nfrom studies.run import main\n"
        f"try: main({shlex.split(wrong)!r})\nexcept SystemExit: pass\n"
        f"print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert told.stderr.splitlines()[-1] == "[]"


def test_another_plan_under_the_same_name_is_refused_with_two_commands_that_work(
    seen: Seen, tmp_path: Path
) -> None:
    shutil.copytree(seen.folder, tmp_path / "copy")
    changed = ("--set", "search.trials_per_cell=1", "--set", "search.rungs=[1]", "--set", "confirm.epochs=1")
    refused = finished(tmp_path / "copy", *WITHOUT_DASHBOARD, *changed, "--name", "small")
    assert refused.process.returncode == 2
    assert "search.trials_per_cell: 4 -> 1" in refused.errors
    resume, beside = re.findall(r"studies (run .*)", refused.errors)
    resumed = finished(tmp_path / "copy", *shlex.split(resume))
    assert resumed.process.returncode == 0, resumed.errors
    assert "small is finished" in resumed.output
    planned = json.loads(finished(tmp_path / "copy", "plan", *shlex.split(beside)[1:], "--json").output)
    assert re.fullmatch(r"small-[0-9a-f]{4}", planned["study"])
    assert planned["plan"]["search"]["trials_per_cell"] == 1
    assert planned["plan"]["confirm"]["epochs"] == 1

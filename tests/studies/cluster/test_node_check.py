"""The check of nodes before the first trial: what keeps a node from training ends the run, the rest is a note."""

import platform
import shutil
import subprocess
import tempfile
import textwrap
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.base.errors import StudiesError
from studies.cluster import node_task
from studies.cluster.node_check import PACKAGES, Answer, Asked, describe, imported_modules
from studies.cluster.nodes import SHORT, Node
from studies.storage.paths import locate
from tests.studies.command import STUDY, rows, started
from tests.studies.multi_node import cluster
from trainables.user_code.code import Source, UserCode

HEAD = Node(node_id="a" * 56, host="head", address="10.0.0.1", trains=False)
FIRST = Node(node_id="b" * 56, host="first", address="10.0.0.2", trains=True)
SECOND = Node(node_id="c" * 56, host="second", address="10.0.0.3", trains=True)
ASKED = Asked(shown="runs")


def found(**changed: Any) -> dict[str, Any]:
    """Return what a node like the driver's answers, with changes."""
    same: dict[str, Any] = {
        "host": "first",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "import_error": None,
        "missing": [],
        "temporary": {"folder": "/tmp/ray/s", "free": 10**11, "total": 2 * 10**11, "error": None},
        "output_error": None,
        "began": 1000.5,
        "ended": 1001.0,
    }
    return same | changed


def answer(**changed: Any) -> Answer:
    return Answer(asked_at=1000.0, answered_at=1001.5, found=found(**changed))


def other_version(package: str, text: str) -> dict[str, Any]:
    return {"versions": found()["versions"] | {package: text}}


def test_nodes_like_the_driver_s_are_not_mentioned() -> None:
    findings = describe([HEAD, FIRST], {HEAD.node_id: answer(), FIRST.node_id: answer()}, ASKED)
    assert (findings.problems, findings.notes) == ([], [])
    assert [node["host"] for node in findings.nodes] == ["head", "first"]
    findings.refuse()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"import_error": "import numba: ModuleNotFoundError: No module named 'numba'"},
            "No module named 'numba'",
        ),
        ({"missing": ["torch"]}, "torch cannot be found there; install what the driver has"),
        ({"missing": ["catboost"]}, "the study's code imports catboost, not installed there"),
        ({"python": "3.9.1"}, f"it has Python 3.9.1, the driver {platform.python_version()}"),
        (other_version("torch", "2.1.0"), "it has torch 2.1.0, the driver"),
        (other_version("ray", "2.9.0"), "it has ray 2.9.0, the driver"),
        (other_version("studies", "0.0.9"), "it has studies 0.0.9, the driver"),
    ],
)
def test_what_keeps_nodes_from_training_names_every_one_of_them(
    changed: Mapping[str, Any], said: str
) -> None:
    answers = {FIRST.node_id: answer(**changed), SECOND.node_id: answer(**changed), HEAD.node_id: answer()}
    findings = describe([HEAD, FIRST, SECOND], answers, ASKED)
    with pytest.raises(StudiesError) as refused:
        findings.refuse()
    first, second = refused.value.message.splitlines()[1:]
    assert first.startswith("- 10.0.0.2 (host first, Ray node bbbbbbbbbbbb): ")
    assert second.startswith("- 10.0.0.3 (host second, Ray node cccccccccccc): ")
    assert said in first
    assert "2 nodes of the cluster cannot train, and nothing was trained" in refused.value.message
    assert "take these nodes out of the cluster" in refused.value.advice


def test_a_node_on_which_no_trial_runs_keeps_nobody_from_training() -> None:
    findings = describe([HEAD], {HEAD.node_id: answer(import_error="import torch: ImportError: no")}, ASKED)
    findings.refuse()
    assert findings.notes == [
        "10.0.0.1 (host head, Ray node aaaaaaaaaaaa): import torch: ImportError: no; install it there"
    ]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"output_error": "no such file or directory"},
            "runs cannot be written from 10.0.0.2 (host first, Ray node bbbbbbbbbbbb)",
        ),
        (
            {"temporary": {"folder": "/r", "free": 0, "total": 100, "error": "no space left on device"}},
            "nothing can be written in Ray's folder /r (no space left on device): make room there",
        ),
        (
            {"temporary": {"folder": "/r", "free": 99 * 10**6, "total": 10**11, "error": None}},
            "the disk of Ray's folder /r is nearly full (99.0 MB free)",
        ),
        ({"began": 4600.5, "ended": 4601.0}, "its clock is at least 3,600 s ahead"),
        ({"began": -2599.5, "ended": -2599.0}, "its clock is at least 3,600 s behind"),
        (other_version("numpy", "1.0.0"), "it has numpy 1.0.0, the driver"),
    ],
)
def test_what_is_harmless_is_a_note_with_the_node_s_name(changed: Mapping[str, Any], said: str) -> None:
    findings = describe([FIRST], {FIRST.node_id: answer(**changed)}, ASKED)
    findings.refuse()
    (note,) = findings.notes
    assert said in note
    assert str(FIRST) in note


def test_nodes_that_cannot_write_for_one_reason_are_named_together() -> None:
    answers = {node.node_id: answer(output_error="permission denied") for node in (FIRST, SECOND)}
    (note,) = describe([FIRST, SECOND], answers, ASKED).notes
    assert f"from {FIRST} and {SECOND} (permission denied)" in note
    assert "start unfinished trials anew" in note


def test_a_node_that_is_busy_or_lost_is_told_and_waited_for_no_longer() -> None:
    lost = Answer(asked_at=0.0, answered_at=1.0, error="NodeDiedError: it died")
    findings = describe([FIRST, SECOND], {SECOND.node_id: lost}, ASKED, failure="RaySystemError: x")
    findings.refuse()
    assert [note.partition(":")[0] for note in findings.notes] == [
        "the nodes could not be asked",
        f"{FIRST} has not answered in time and was not checked",
        f"{SECOND} could not be checked",
    ]


@given(off=st.floats(-9e3, 9e3), there=st.floats(0, 100), work=st.floats(0, 100), back=st.floats(0, 100))
def test_a_clock_is_called_off_only_if_it_is(off: float, there: float, work: float, back: float) -> None:
    """The node's clock is `off` seconds ahead of the driver's, whatever the messages take."""
    began = there + off
    asked = Answer(
        asked_at=0.0,
        answered_at=there + work + back,
        found=found(began=began, ended=began + work),
    )
    told = asked.seconds_off()
    if told is not None:
        assert off != 0
        assert (told > 0) == (off > 0)
        assert 10 - 1e-6 <= abs(told) <= abs(off) + 1e-6
    if abs(off) > 10.001 + max(there, back):
        assert told is not None


def test_modules_of_the_user_s_code_are_those_that_are_neither_sent_nor_python_s_own() -> None:
    text = """
        import os, catboost.core as c
        from mine import x
        from studies.study import Study
        from . import sibling
        try:
            import optional
        except ImportError:
            pass
        def build():
            import later
    """
    code = UserCode(
        file=Source(path="/x/own.py", text=textwrap.dedent(text).encode()),
        modules={"mine": Source(path="/x/mine.py", text=b"import lightgbm\n")},
    )
    assert imported_modules(code) == ("catboost", "lightgbm", "studies")
    assert imported_modules(None) == ()


def ask(output: Mapping[str, Any], **asked: Any) -> dict[str, Any]:
    return node_task.look({"packages": ["ray"], "imports": [], "modules": [], "output": output} | asked)


def test_a_node_tells_what_it_has_and_leaves_nothing_behind(tmp_path: Path) -> None:
    output = Asked.of(None, locate(None, tmp_path / "runs" / "deep")).output
    answered = ask(output, imports=["json", "no_such_module"], modules=["os", "no_such_module", "no.such"])
    assert answered["python"] == platform.python_version()
    assert answered["versions"] == {"ray": version("ray")}
    assert (
        answered["import_error"]
        == "import no_such_module: ModuleNotFoundError: No module named 'no_such_module'"
    )
    assert answered["missing"] == ["no_such_module", "no.such"]
    assert answered["temporary"]["error"] is None
    assert answered["output_error"] is None
    assert list(tmp_path.iterdir()) == []
    url = {"url": f"file://{tmp_path}"}
    assert ask(url)["output_error"] is None
    assert list(tmp_path.iterdir()) == []
    assert ask({"url": f"file://{tmp_path}/no"})["output_error"] == "no such file or directory"
    assert ask({**output, "inode": 1})["output_error"] == "another folder has this path there"
    assert ask({**output, "path": str(tmp_path / "no")})["output_error"] == "no such file or directory"


def test_a_module_that_ends_the_process_is_an_error_of_importing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ending_module.py").write_text("raise SystemExit(3)")
    monkeypatch.syspath_prepend(tmp_path)
    assert (
        ask({"url": "file:///"}, imports=["ending_module"])["import_error"]
        == "import ending_module: SystemExit: 3"
    )
    (tmp_path / "ending_package").mkdir()
    (tmp_path / "ending_package" / "__init__.py").write_text("raise SystemExit(3)")
    assert ask({"url": "file:///"}, modules=["ending_package.trial"])["missing"] == ["ending_package.trial"]


@pytest.fixture
def full_disk() -> Iterator[Path]:
    """Return a full disk of its own, with a path that is short enough for Ray's sockets."""
    with tempfile.TemporaryDirectory(prefix="f", dir="/tmp") as name:
        folder = Path(name)
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", name], capture_output=True, check=False
        )
        if mounted.returncode != 0:
            pytest.skip("a small disk cannot be mounted here: it takes root")
        try:
            yield folder
        finally:
            subprocess.run(["umount", "-l", name], check=False)


def test_on_a_real_cluster_a_node_without_a_package_is_named_and_nothing_trained(tmp_path: Path) -> None:
    shadow = tmp_path / "shadow" / "numba"
    shadow.mkdir(parents=True)
    (shadow / "__init__.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'numba'\", name='numba')\n"
    )
    (tmp_path / "small.py").write_text(STUDY)
    broken = {"env_vars": {"PYTHONPATH": f"{shadow.parent}"}}
    with cluster({}, broken, head={"num_cpus": 0}) as running:
        arguments = ("./small.py", "--address", running.address)
        with started(tmp_path, "run", *arguments, settings=running.environment) as run:
            assert run.finish() == 1
        node = running.nodes[2].node_id[:SHORT]
    what, named, advice = run.errors.splitlines()[-3:]
    assert what == "error: 1 node of the cluster cannot train, and nothing was trained:"
    assert (
        f"Ray node {node}): import numba: ModuleNotFoundError: No module named 'numba'; install it there"
        in named
    )
    assert advice.startswith("Give every node the driver's environment")
    assert rows(tmp_path, "SELECT count(*) FROM trial WHERE started_at IS NOT NULL") == [(0,)]
    ((detail,),) = rows(tmp_path, "SELECT detail FROM event WHERE kind = 'nodes_checked'")
    assert node in detail


@pytest.mark.slow
def test_on_a_real_cluster_a_full_disk_is_named_and_the_study_trained(
    tmp_path: Path, full_disk: Path
) -> None:
    (tmp_path / "small.py").write_text(STUDY)
    with cluster({"temp_dir": str(full_disk)}) as running:
        # Ray's workers die where they cannot write even their logs.
        (full_disk / "filled").write_bytes(
            bytes(shutil.disk_usage(full_disk).free - node_task.NUM_BYTES // 2)
        )
        arguments = ("./small.py", "--address", running.address)
        with started(tmp_path, "run", *arguments, settings=running.environment) as run:
            code = run.finish()
        node = running.nodes[1].node_id[:SHORT]
    assert code == 0, run.errors
    ((detail,),) = rows(tmp_path, "SELECT detail FROM event WHERE kind = 'nodes_checked'")
    assert f"Ray node {node}): nothing can be written in Ray's folder {full_disk}" in detail
    assert "(no space left on device)" in detail
    assert "nothing can be written in Ray's folder" in run.errors

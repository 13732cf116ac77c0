"""A run in a notebook's kernel: an interrupt ends the run in words, and the kernel with all that it holds lives on."""

import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from studies.database.store import Store
from tests.readme import block
from tests.studies.command import ROOT, STUDY, TIMEOUT, rows

RUN = "studies.run_study('./small.py', workers=1)"
SETUP = """
import os, tempfile
import studies, studies.raytune.experiment
kept = "what the kernel holds"
os.getpid()
"""
LEFT_BEHIND = """
import studies.raytune.experiment as experiment
from functools import partial
experiment.fit = partial(experiment.fit, max_seconds=0.0)
"""
REMAINS = """
import threading
from pathlib import Path
named = {(task / "comm").read_text().strip() for task in Path("/proc/self/task").iterdir()}
print(sorted(named & {"global.accessor", "server.poll0"}))
print(sorted({thread.name for thread in threading.enumerate()} & {"liveness", "ray-shutdown", "ray-start"}))
"""
SECONDS_OF_RAYS_PATIENCE = 75.0
"""A minute after its gcs_server has gone Ray ends a process that asks for it."""
OWN = """
study = studies.Study(
    question="?",
    factors={"depth": (1, 2)},
    nuisances={"learning_rate": {"low": 0.01, "high": 0.1}},
    search=studies.Search(trials_per_cell=2, rungs=(1, 3)),
    confirm=studies.Confirm(epochs=3),
)
"""
RUN_OWN = "studies.run_study(study, load=load, name='own')"
SLOW_LOAD = "\n\ndef load():\n    import time\n\n    open('loading', 'w').close()\n    time.sleep(60)\n"


class Notebook:
    """A real kernel in `folder`, whose cells are run one after the other."""

    def __init__(self, client: NotebookClient, folder: Path, temporary: Path) -> None:
        """Speak to the kernel that `client` has started."""
        self.folder, self.temporary, self._client = folder, temporary, client

    def run(self, source: str) -> list[str]:
        """Run a cell and return what it puts out: text, its value, or `ErrorName: message`."""
        return [_said(output) for output in self.outputs(source)]

    def outputs(self, source: str) -> list[NotebookNode]:
        """Run a cell and return its outputs, each as it was shown last."""
        self._client.nb.cells.append(_cell(source))
        cell = self._client.execute_cell(self._client.nb.cells[-1], len(self._client.nb.cells) - 1)
        outputs: list[NotebookNode] = cell.outputs
        return outputs

    def run_interrupted(self, source: str, process: int, moment: Callable[[], bool]) -> list[str]:
        """Run a cell that is interrupted as soon as `moment` has come, as a notebook's stop button does."""
        is_over = threading.Event()

        def interrupt() -> None:
            deadline = time.monotonic() + TIMEOUT
            while not moment() and time.monotonic() < deadline and not is_over.wait(0.02):
                pass
            os.killpg(process, signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        try:
            return self.run(source)
        finally:
            is_over.set()
            thread.join()

    def moments(self) -> dict[str, Callable[[], bool]]:
        """Return when a run has come how far, each in a run of its own."""

        def count(what: str) -> int:
            return len(rows(self.folder, f"SELECT 1 FROM {what}"))

        clusters, epochs = "event WHERE kind = 'cluster_started'", "epoch"
        num_clusters, num_epochs = count(clusters), count(epochs)

        return {
            "the head starts": lambda: any(self.temporary.glob("studies-*/head.log")),
            "joining": lambda: any(self.temporary.glob("studies-*/ray/session_latest/logs/raylet.out")),
            "workers start": lambda: count(clusters) > num_clusters,
            "training": lambda: count(epochs) > num_epochs,
        }


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    """A notebook beside a small study."""
    (tmp_path / "small.py").write_text(STUDY)
    with _short_folder() as temporary:
        for name, value in {
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(temporary),
            "OMP_NUM_THREADS": "1",
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
        client = NotebookClient(
            new_notebook(cells=[_cell("")]),  # type: ignore[no-untyped-call]
            timeout=2 * TIMEOUT,
            allow_errors=True,
            kernel_name="python3",
            resources={"metadata": {"path": str(tmp_path)}},
        )
        with client.setup_kernel():
            yield Notebook(client, tmp_path, temporary)


@contextmanager
def _short_folder() -> Iterator[Path]:
    """Make a folder whose path leaves room for Ray's sockets."""
    with tempfile.TemporaryDirectory(prefix="n", dir="/tmp", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def test_nothing_of_ray_stays_in_a_kernel_interrupted_while_workers_start(notebook: Notebook) -> None:
    """Not even where Tune is left behind: what would go on asking the Ray that was ended would end the kernel."""
    process = int(notebook.run(SETUP)[-1])
    notebook.run(f"{OWN}{SLOW_LOAD}")
    said = notebook.run_interrupted(RUN_OWN, process, (notebook.folder / "loading").exists)
    assert said[-1].startswith("RunInterruptedError: interrupted; everything recorded is kept")
    assert said[-1].endswith("Go on with: run the same cell or script again")
    assert said[0].endswith(": ended\nended     interrupted; everything recorded is kept"), said
    notebook.run(LEFT_BEHIND)
    check_interrupted(notebook.run_interrupted(RUN, process, notebook.moments()["workers start"]))
    assert "".join(notebook.run(REMAINS)) == "[]\n[]\n"
    assert list(notebook.temporary.glob("studies-*")) == []


def test_the_example_goes_from_a_question_to_a_prediction(notebook: Notebook) -> None:
    """And then: its report is interrupted, another process holds it, a function is edited, nothing is writable."""
    example = nbformat.read(ROOT / "examples" / "from_question_to_prediction.ipynb", 4)  # type: ignore[no-untyped-call]
    assert all(cell.outputs == [] for cell in example.cells if cell.cell_type == "code")
    sources = [cell.source for cell in example.cells if cell.cell_type == "code"]
    define, run = sources[1:3]
    assert block("in a notebook") == "\n\n".join(sources[:3])
    shown = [notebook.outputs(source) for source in sources]
    assert [
        output for outputs in shown for output in outputs if output.output_type in ("error", "stream")
    ] == []
    (progress,), (result,) = shown[2], shown[3]
    told = progress.data["text/plain"].splitlines()
    assert told[0] == "hidden_layer: Does a hidden layer help a small network to read digits?"
    assert told[1].startswith("answer    Yes. ")
    assert told[-1] == "page      runs/hidden_layer/report.html"
    assert result.data["text/plain"].splitlines()[1] in told[1]
    assert len(result.data["text/plain"]) < 400
    assert 'src="data:image/svg+xml;base64,' in result.data["text/html"]
    assert "image/png" in shown[-2][-1].data
    assert (notebook.folder / "forest.pdf").read_bytes().startswith(b"%PDF")
    kept = notebook.folder / "runs" / "hidden_layer" / "code" / "study_from_python.py"
    assert "BRIGHTEST = 16" in kept.read_text()

    process = int(notebook.run("import os; os.getpid()")[-1])
    frame = notebook.folder / "runs" / "hidden_layer" / "frames" / "trials.csv"
    before = frame.stat().st_mtime_ns
    said = notebook.run_interrupted(run, process, lambda: frame.stat().st_mtime_ns > before)
    assert said[-1].startswith("RunInterruptedError: interrupted"), said
    assert said[-1].endswith("Go on with: run the same cell or script again")

    url = f"sqlite:///{notebook.folder}/runs/studies.db"
    with Store.open(url, create=False) as store:
        study = store.find_study("hidden_layer")
        assert study is not None
        with store.hold(study.id):
            said = notebook.run(run)
    assert said[-1].startswith("HeldError: study hidden_layer is held by another run: process")
    assert "See how it goes: studies.load_study('hidden_layer')\n" in said[-1]
    assert "Stop it, in a terminal: studies stop hidden_layer" in said[-1]

    said = notebook.run(define.replace("BRIGHTEST = 16", "BRIGHTEST = 17") + f"\n\n{run}")
    assert "study hidden_layer exists with another plan" in said[-1]
    assert (
        "Go on with the recorded one: studies.run_study('runs/hidden_layer/code/study_from_python.py'"
        in said[-1]
    )
    assert "Run this one beside it: studies.run_study(..., name='hidden_layer-" in said[-1]
    assert "BRIGHTEST = 16" in kept.read_text()

    said = notebook.run(run.replace('name="', 'output="forest.pdf/runs", name="'))
    assert said[-1].startswith("UsageError: output folder forest.pdf/runs: ")
    assert "Choose a folder that you may write to with output=" in said[-1]
    assert notebook.run(f"{define}\n\n{run}\nresult.was_complete")[-1] == "True"


@pytest.mark.slow
def test_a_kernel_interrupted_at_any_moment_lives_on(notebook: Notebook) -> None:
    process = int(notebook.run(SETUP)[-1])
    (notebook.folder / "own.py").write_text(STUDY + SLOW_LOAD)
    loading = notebook.folder / "loading"
    check_interrupted(notebook.run_interrupted(RUN.replace("small", "own"), process, loading.exists), "own")
    for moment in notebook.moments():
        check_interrupted(notebook.run_interrupted(RUN, process, notebook.moments()[moment]))
    time.sleep(SECONDS_OF_RAYS_PATIENCE)
    assert notebook.run("kept") == ["'what the kernel holds'"]
    assert notebook.run(f"{RUN}.name")[-1] == "'small'"


def check_interrupted(said: list[str], study: str = "small") -> None:
    assert said
    *_, error = said
    assert error.startswith("RunInterruptedError: "), error[:1000]
    expected = f"Go on: run the same cell or script again, or studies.run_study('./{study}.py', workers=1)"
    assert expected in error


def _cell(source: str) -> NotebookNode:
    return new_code_cell(source)  # type: ignore[no-untyped-call, no-any-return]


def _said(output: dict[str, object]) -> str:
    """Return what an output of a cell says."""
    if output["output_type"] == "error":
        return f"{output['ename']}: {output['evalue']}"
    if output["output_type"] == "stream":
        return str(output["text"])
    return str(output["data"]["text/plain"])  # type: ignore[index]

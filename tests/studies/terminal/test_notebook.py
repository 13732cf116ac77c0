"""What is below a notebook's cell: one output that is updated, as text and as HTML; outside of notebooks nothing."""

import signal
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from studies.base.errors import StudiesError
from studies.base.states import Phase
from studies.base.stop_signal import Interrupted, RunInterruptedError
from studies.search.progress import RunningTrial
from studies.terminal import notebook
from studies.terminal.notebook import CellOutput, Content, content_of, showing_progress
from tests.studies.terminal.test_plain import MIDWAY

RUNNING = tuple(
    RunningTrial(number=number, phase=Phase.SEARCH, params={"depth": 3}, epoch=number % 2)
    for number in range(6)
)


@dataclass
class Shell:
    """IPython's shell in a kernel, as far as it is spoken to."""

    published: list[tuple[str, bool, str]] = field(default_factory=list)
    kernel: object = "there is one"

    @property
    def display_pub(self) -> Any:
        return SimpleNamespace(publish=self._publish)

    def _publish(
        self, *, data: dict[str, str], metadata: object, transient: dict[str, str], update: bool
    ) -> None:
        self.published.append((data["text/plain"], update, transient["display_id"]))

    @property
    def last(self) -> str:
        return self.published[-1][0]


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    found = Shell()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: found))
    return found


def test_the_text_says_what_goes_on() -> None:
    content = content_of(
        replace(MIDWAY, running=RUNNING, note="odd"), page=Path("runs/x/report.html"), dashboard="http://d"
    )
    assert content.text().splitlines() == [
        "depth_study: Does depth help?",
        "search    [##############                ] 152 of 324 trials",
        "confirm   [                              ] 0 of 54 trials",
        "trials    100 complete, 50 stopped early, 2 failed",
        "networks  0 of 3,780 ended, 1 diverged",
        "time      1 min 40 s so far, about 3 min 20 s left",
        "best      validation log-loss 0.123 nats in the search, trial 3: depth 3",
        "running   trial 0, starting: depth 3",
        "          trial 1, epoch 1: depth 3",
        "          trial 2, starting: depth 3",
        "          trial 3, epoch 1: depth 3",
        "          and 2 more",
        "note      odd",
        "dashboard http://d",
        "page      runs/x/report.html, written at the end",
    ]


def test_the_html_holds_the_same_escaped_with_bars_and_neither_script_nor_style_sheet() -> None:
    hostile = "<script>alert(1)</script>&\"'"
    content = Content(
        title=hostile, bars=[("search", 1, 4, hostile)], rows=[(hostile, hostile)], link=Path(hostile)
    )
    found = content.html()
    assert "<script" not in found
    assert "<style" not in found
    assert "width:25.0%" in found
    assert found.count("&lt;script&gt;") == 6


def test_one_output_is_updated_and_only_where_something_changed(shell: Shell) -> None:
    output = CellOutput(shell)
    output.tell("loading digits")
    output.tell("loading digits")
    with output.following(lambda: Content(title="x", rows=[("a", "1")])):
        assert shell.last == "x\na         1"
    output.close(Content(title="done"))
    assert [text for text, *_ in shell.published] == ["loading digits ...", "x\na         1", "done"]
    assert [update for _, update, _ in shell.published] == [False, True, True]
    assert len({display_id for *_, display_id in shell.published}) == 1
    assert "cell-output" not in {thread.name for thread in threading.enumerate()}


def test_a_long_step_says_how_long_it_takes(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebook, "SECONDS_BETWEEN_UPDATES", 0.01)
    moments = iter([0.0, 0.0, *[75.0] * 1000])
    output = CellOutput(shell, clock=lambda: next(moments))
    output.tell("starting Ray")
    deadline = time.monotonic() + 10
    while len(shell.published) < 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    output.close()
    assert shell.last == "starting Ray ... 1 min 15 s"


def run(error: BaseException) -> None:
    with showing_progress(None) as view:
        view.tell("starting Ray")
        raise error


def test_how_a_run_ended_stays_below_the_cell(shell: Shell) -> None:
    with pytest.raises(StudiesError):
        run(StudiesError("Ray could not be started\nat all", "Look."))
    assert shell.last == "starting Ray: ended\nended     Ray could not be started"


def test_an_interrupt_anywhere_says_how_to_go_on(shell: Shell) -> None:
    with pytest.raises(RunInterruptedError) as raised:
        run(Interrupted(signal.SIGTERM))
    assert (raised.value.exit_code, raised.value.advice) == (
        143,
        "Go on with: run the same cell or script again",
    )


def test_nothing_is_shown_outside_of_a_kernel_unless_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: Shell(kernel=None)))
    with showing_progress(None) as view:
        view.tell("loading")
    monkeypatch.delitem(sys.modules, "IPython")
    with showing_progress(None) as view:
        view.tell("loading")
    assert capsys.readouterr() == ("", "")
    with showing_progress(True) as view:
        view.tell("loading")
    assert capsys.readouterr() == ("", "loading ...\n")


def test_nothing_is_shown_in_a_kernel_that_asks_for_silence(shell: Shell) -> None:
    with showing_progress(False) as view:
        view.tell("loading")
    assert shell.published == []

"""Panels drawn in other processes: the same bytes, also where a process dies or a drawing cannot be sent."""

import os
import signal
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from reports.pages.drawing_processes import DrawingProcesses
from reports.plots import bars
from reports.plots.style.canvas import Panel, Sheet, draw_panel, drawn_by


def draw(heading: str) -> Panel:
    frame = bars.tidy(["a", "b"], [0.25, 0.75], [False, True])
    return draw_panel(
        partial(bars.draw, frame, why_empty="nothing"), Sheet(), heading=heading, note="%", prefix=heading
    )


def same(one: Panel, other: Panel) -> bool:
    return one.svg == other.svg and np.array_equal(one.pixels, other.pixels)


def test_the_bytes_are_those_of_one_process() -> None:
    with DrawingProcesses(1) as drawers:
        with drawn_by(drawers):
            panels = [draw(f"h{number}") for number in range(3)]
        drawn = [(panel.svg, panel.width) for panel in panels]
        assert drawers.problem is None
    assert [svg for svg, _ in drawn] == [draw(f"h{number}").svg for number in range(3)]
    assert all(same(panel, draw(f"h{number}")) for number, panel in enumerate(panels))


def wait_until(is_so: Callable[[], bool]) -> None:
    for _ in range(1200):
        if is_so():
            return
        time.sleep(0.05)
    pytest.fail("it has not come about within a minute")


def test_what_is_not_begun_is_drawn_here() -> None:
    with DrawingProcesses(0) as drawers, drawn_by(drawers):
        panels = [draw("h0"), draw("h1")]
        drawers.help()
    assert all(same(panel, draw(f"h{number}")) for number, panel in enumerate(panels))


def test_a_process_that_dies_is_told_of_and_replaced() -> None:
    with DrawingProcesses(1) as drawers:
        os.kill(drawers.pids[0], signal.SIGKILL)
        wait_until(lambda: drawers.problem is not None)
        with drawn_by(drawers):
            panel = draw("h0")
        assert same(panel, draw("h0"))
        assert "exit code -9" in str(drawers.problem)


def test_what_cannot_be_sent_is_drawn_here() -> None:
    with DrawingProcesses(0) as drawers, drawn_by(drawers):
        panel = draw_panel(lambda ax: ax.set_title("x"), Sheet(), prefix="p")  # type: ignore[arg-type]
    assert "x" in panel.svg


def fail(frame: pd.DataFrame, ax: Axes) -> None:
    raise ValueError("it cannot be drawn")


def test_an_error_of_a_drawing_is_raised_where_it_is_needed() -> None:
    with DrawingProcesses(1) as drawers:
        with drawn_by(drawers):
            panel = draw_panel(partial(fail, pd.DataFrame()), Sheet(), prefix="p")
        with pytest.raises(ValueError, match="cannot be drawn"):
            _ = panel.svg


def test_the_processes_end_with_the_context() -> None:
    with DrawingProcesses(1) as drawers:
        (pid,) = drawers.pids
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)

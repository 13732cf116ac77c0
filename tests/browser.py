"""A real Chromium that opens pages and answers what is on them, spoken to through its debugging pipe."""

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
TIMEOUT_SECONDS = 60
KEY_CODES = {
    "Enter": 13,
    "Escape": 27,
    "PageUp": 33,
    "PageDown": 34,
    "End": 35,
    "Home": 36,
    "ArrowLeft": 37,
    "ArrowUp": 38,
    "ArrowRight": 39,
    "ArrowDown": 40,
}
OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # in a container, as root, there is none
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-extensions",
    "--disable-background-networking",
    "--remote-debugging-pipe",
)


class Browser:
    """One browser with one tab."""

    def __init__(self, program: str, profile: Path) -> None:
        """Start it with a profile of its own."""
        their_questions, to_it = os.pipe()
        from_it, their_answers = os.pipe()
        self._process = subprocess.Popen(
            [program, *OPTIONS, f"--user-data-dir={profile}", "about:blank"],
            # The browser reads what it is asked from descriptor 3 and answers on 4.
            preexec_fn=lambda: _become(questions=their_questions, answers=their_answers),
            pass_fds=(3, 4),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(their_questions)
        os.close(their_answers)
        self._questions, self._answers = os.fdopen(to_it, "wb", buffering=0), os.fdopen(from_it, "rb")
        self._number = 0
        self.complaints: list[str] = []
        """What the pages' consoles said: refused scripts and fetches, errors."""
        self._heard: list[dict[str, Any]] = []
        self._session: str | None = None
        pages = [each for each in self._ask("Target.getTargets")["targetInfos"] if each["type"] == "page"]
        attached = self._ask("Target.attachToTarget", targetId=pages[0]["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self._ask(f"{domain}.enable")

    def open(self, page: Path, hash_: str = "") -> None:
        """Open a file, at the part that `hash_` names, and wait until it is loaded."""
        if hash_:
            self.open(Path("/dev/null"))  # a link within an open page loads nothing
        self.complaints.clear()
        self._ask("Page.navigate", url=page.resolve().as_uri() + (f"#{hash_}" if hash_ else ""))
        while self._update().get("method") != "Page.loadEventFired":
            pass

    def resize(self, width: int, height: int) -> None:
        """Give the window this size, in CSS pixels."""
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def allow_scripts(self, allowed: bool) -> None:
        """Let the scripts of pages opened from now on run, or not; `evaluate` works either way."""
        self._ask("Emulation.setScriptExecutionDisabled", value=not allowed)

    def show_as(self, medium: str) -> None:
        """Apply the styles of a medium such as "print"; of the screen again for an empty one."""
        self._ask("Emulation.setEmulatedMedia", media=medium)

    def press_tab(self) -> None:
        """Move the focus as the keyboard does."""
        for kind in ("rawKeyDown", "keyUp"):
            self._ask("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)

    def download(self, link: str, folder: Path) -> Path:
        """Click the link that a JavaScript expression finds; return the file that this saves into `folder`.

        A browser saves ten files at most that nobody asked for with a mouse: open the page again before the next ten.
        """
        session, self._session = self._session, None  # downloads are the browser's, not the tab's
        self._ask(
            "Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder), eventsEnabled=True
        )
        self._session = session
        self._heard.clear()
        self.evaluate(f"{link}.click()")
        while not (ended := [each for each in self._heard if each.get("state") in ("completed", "canceled")]):
            self._update()
        (name,) = {each["suggestedFilename"] for each in self._heard if "suggestedFilename" in each}
        assert ended[0]["state"] == "completed", name
        return folder / str(name)

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression on the page."""
        answer = self._ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def settled(self, expression: str) -> Any:
        """Return what the promise of a JavaScript expression comes to."""
        answer = self._ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def show_in(self, scheme: str) -> None:
        """Prefer "light" or "dark" colours, and no motion."""
        features = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
        self._ask(
            "Emulation.setEmulatedMedia",
            features=[{"name": name, "value": value} for name, value in features.items()],
        )

    def move_mouse(self, x: float, y: float) -> None:
        """Move the mouse to this place of the window."""
        self._ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def click(self, x: float, y: float) -> None:
        """Press and release the mouse's left button there."""
        for kind in ("mousePressed", "mouseReleased"):
            self._ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def tap(self, x: float, y: float) -> None:
        """Touch the screen there for a moment."""
        self._ask("Emulation.setTouchEmulationEnabled", enabled=True)
        self._ask("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        self._ask("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        self._ask("Emulation.setTouchEmulationEnabled", enabled=False)

    def press(self, key: str) -> None:
        """Press and release a key such as "ArrowRight", "Enter" or "Escape"."""
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            code = KEY_CODES[key]
            self._ask(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text
            )

    @property
    def text(self) -> str:
        """What a reader of the page sees, folded parts included."""
        return str(self.evaluate("document.body.textContent"))

    def close(self) -> None:
        """End it."""
        self._questions.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._answers.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        question: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            question["sessionId"] = self._session
        self._questions.write(json.dumps(question).encode() + b"\0")
        while (heard := self._update()).get("id") != self._number:
            pass
        assert "error" not in heard, heard
        result: dict[str, Any] = heard["result"]
        return result

    def _update(self) -> dict[str, Any]:
        words = bytearray()
        while (byte := self._answers.read(1)) != b"\0":
            assert byte, "the browser has ended"
            words += byte
        heard: dict[str, Any] = json.loads(words)
        if heard.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled"):
            self.complaints.append(json.dumps(heard["params"]))
        if str(heard.get("method")).startswith("Browser.download"):
            self._heard.append(heard["params"])
        return heard


def _become(*, questions: int, answers: int) -> None:
    """Make these two descriptors 3 and 4, whatever numbers they have now."""
    high = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 10) for descriptor in (questions, answers)]
    for number, descriptor in zip((3, 4), high, strict=True):
        os.dup2(descriptor, number)


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """Keep a browser for as long as it is needed; skip the test where none is installed."""
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("no Chromium is installed; pages cannot be looked at")
    with Browser(program, folder / "profile") as opened:
        yield opened

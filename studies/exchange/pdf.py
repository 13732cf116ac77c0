"""`--pdf`: a page as a PDF file, printed by a browser of the Chromium family without a window."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from studies.base.errors import StudiesError, UsageError
from studies.base.stop_signal import never_broken_off
from studies.cluster.cluster import environment_without_secrets
from studies.exchange.destinations import check_file, write_file

OPTION: Final = "--pdf"
VARIABLE: Final = "CHROME_PATH"
"""Names the browser's program, as for Lighthouse and chrome-launcher; it comes before those on PATH."""
NAMES: Final = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "microsoft-edge-stable",
    "msedge",
)
PLACES: Final = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
"""Where systems that do not use PATH for them keep such browsers."""
OPTIONS: Final = (
    "--headless",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-pdf-header-footer",
)
MOST_SECONDS: Final = 180.0
"""A page of 54 cells takes about 5 s."""


def check(path: Path) -> str:
    """Return the program that will print; raise UsageError where there is none, or `path` cannot be written."""
    check_file(OPTION, path, ending=".pdf", kind="PDF file")
    return find_browser()


def find_browser(environment: Mapping[str, str] | None = None) -> str:
    """Return the program of a browser that prints; raise UsageError that says how to print without."""
    given = os.environ if environment is None else environment
    by_hand = "or leave out --pdf, open the page in any browser, and print it to a PDF file there."
    if named := given.get(VARIABLE):
        found = shutil.which(named, path=given.get("PATH", ""))
        if found is None:
            raise UsageError(
                [f"--pdf: {VARIABLE} names {named}, which is no program"],
                f"Let it name a Chromium, Chrome or Edge, or unset it; {by_hand}",
            )
        return found
    on_path = (shutil.which(name, path=given.get("PATH", "")) for name in NAMES)
    found = next((each for each in (*on_path, *map(shutil.which, PLACES)) if each is not None), None)
    if found is None:
        raise UsageError(
            ["--pdf: no Chromium, Chrome or Edge was found, one of which prints the page"],
            f"Install one (such as: apt install chromium), or let {VARIABLE} name its program; {by_hand}",
        )
    return found


def export(page: Path, path: Path, *, browser: str, seconds: float = MOST_SECONDS) -> int:
    """Print the page into the file at `path`, which appears whole or not at all; return its size in bytes.

    The browser has a profile of its own, which is removed, and ends with this call, also if that is interrupted.
    Raises StudiesError where it fails or takes longer than `seconds`.
    """
    with tempfile.TemporaryDirectory(prefix="studies-pdf-", ignore_cleanup_errors=True) as folder:
        printed = Path(folder, "page.pdf")
        command = [
            browser,
            *OPTIONS,
            *(("--no-sandbox",) if _is_root() else ()),
            f"--user-data-dir={Path(folder, 'profile')}",
            f"--print-to-pdf={printed}",
            page.absolute().as_uri(),
        ]
        said = _run(command, page, seconds)
        content = printed.read_bytes() if printed.is_file() else b""
        if not content.startswith(b"%PDF"):
            last = next(
                (line.strip() for line in reversed(said.splitlines()) if line.strip()), "it said nothing"
            )
            raise _failed(page, browser, f"it wrote no PDF: {last}")
    write_file(path, content)
    return len(content)


def _run(command: list[str], page: Path, seconds: float) -> str:
    """Run a browser to its end; return what it said."""
    with tempfile.TemporaryFile() as said:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                env=environment_without_secrets(),
                start_new_session=True,  # so that all of its processes can be ended together
            )
        except OSError as error:
            raise _failed(page, command[0], (error.strerror or "it cannot be started").lower()) from error
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired as error:
            raise _failed(page, command[0], f"it took longer than {seconds:g} s") from error
        finally:
            _end(process)
        said.seek(0)
        return said.read().decode(errors="replace")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a browser with all its processes, which would otherwise write into its profile while that is removed."""
    with never_broken_off():
        if sys.platform == "win32":
            process.kill()
        else:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _is_root() -> bool:
    """Return whether a browser's sandbox would refuse to start."""
    return sys.platform != "win32" and os.geteuid() == 0


def _failed(page: Path, browser: str, why: str) -> StudiesError:
    return StudiesError(
        f"--pdf: {browser} did not print the page: {why}",
        f"Open {page} in a browser and print it to a PDF file there, or let {VARIABLE} name another browser.",
    )

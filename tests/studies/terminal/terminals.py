"""A pseudo-terminal to run a program in, and what its screen shows in the end."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
_TOKEN = re.compile(r"\x1b\[([?\d;]*)([A-Za-z])|(\r)|(\n)|([^\x1b\r\n]+)")


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a program left behind: its exit code, everything it wrote, and the lines on the screen."""

    exit_code: int
    written: str
    lines: list[str]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def run_in_terminal(
    *arguments: str, columns: int = 80, rows: int = 30, interrupt_at: str | None = None, **environment: str
) -> Shown:
    """Run Python with `arguments` in a terminal; send Ctrl-C once `interrupt_at` was written."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    inherited = {
        name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")
    }
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        cwd=ROOT,
        env={**inherited, "TERM": "xterm-256color", **environment},
    )
    os.close(slave)
    written, interrupted, deadline = b"", False, time.monotonic() + 60
    while chunk := _read(master):
        written += chunk
        if interrupt_at is not None and not interrupted and interrupt_at.encode() in written:
            time.sleep(0.3)  # a write that is cut short in the middle is made twice
            process.send_signal(signal.SIGINT)
            interrupted = True
        assert time.monotonic() < deadline, written[-2000:]
    os.close(master)
    text = written.decode()
    return Shown(exit_code=process.wait(timeout=10), written=text, lines=screen(text))


def screen(written: str) -> list[str]:
    """Return the lines that a terminal shows after `written`: it knows what rich's live display uses."""
    lines, row, column = [""], 0, 0
    for match in _TOKEN.finditer(written):
        number, command, carriage, newline, text = match.groups()
        if command == "A":
            row = max(0, row - int(number or 1))
        elif command == "K":
            lines[row] = ""
        elif carriage:
            column = 0
        elif newline:
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif text:
            lines[row] = lines[row][:column].ljust(column) + text + lines[row][column + len(text) :]
            column += len(text)
    return [line.rstrip() for line in lines]


def _read(master: int) -> bytes:
    try:
        return os.read(master, 65536)
    except OSError:  # what Linux says when the last program has closed the terminal
        return b""

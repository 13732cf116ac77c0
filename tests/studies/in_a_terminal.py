"""Program: runs a command in a terminal of its own from a shell, and hangs up once the shell says that it is done.

Prints what the terminal showed, then the signal that has ended the shell.
"""

import os
import pty
import shlex
import signal
import sys

DONE = "the command has ended with"


def main(*words: str) -> None:
    """Run `words` as a command of Python."""
    process, master = pty.fork()
    if process == 0:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # which nohup has switched off for whatever it starts
        line = f"{shlex.join([sys.executable, *words])}; echo {DONE} $?; exec sleep 1000"
        os.execvp("sh", ["sh", "-c", line])
    shown = b""
    while DONE.encode() not in shown:
        shown += os.read(master, 65536)
    os.close(master)  # as when the window is closed: everything in its session gets SIGHUP
    _, status = os.waitpid(process, 0)
    print(shown.decode(), f"signal {os.WTERMSIG(status)}", sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Which processes listen at which addresses, read from /proc."""

import http.client
import os
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = ("0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F")
LISTENING = "0A"


@dataclass(frozen=True, kw_only=True)
class Listener:
    """A process that listens: its command line, where, and whether others than this machine reach it."""

    command: str
    host: str
    port: int
    is_public: bool

    def answer(self) -> int | None:
        """Return the status with which it answers a request over HTTP without a token; None if it does not."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=5)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()


def listeners(processes: Iterable[Path]) -> list[Listener]:
    """Return where these processes, as entries of /proc, listen."""
    listening = dict(_listening())
    return [
        Listener(command=_command(process), host=_host(address), port=port, is_public=address not in LOOPBACK)
        for process in processes
        for number in _sockets(process)
        if number in listening
        for address, port in [listening[number]]
    ]


def dashboards(processes: Iterable[Path]) -> list[str]:
    """Return the URLs at which Ray's dashboard, which starts beside the workers, answers."""
    return [
        f"http://{listener.host}:{listener.port}"
        for listener in listeners(processes)
        if "dashboard/dashboard.py" in listener.command and listener.answer() is not None
    ]


def _listening() -> Iterator[tuple[str, tuple[str, int]]]:
    """Yield the number of each listening socket with its address and port."""
    for table in ("tcp", "tcp6"):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == LISTENING:
                address, _, port = local.partition(":")
                yield rest[5], (address, int(port, 16))


def _host(address: str) -> str:
    """Return a host at which an address, as /proc writes it, is reached from this machine."""
    if len(address) > 8 or not int(address, 16):  # of IPv6 they are addresses that IPv4 reaches, too
        return "127.0.0.1"
    return socket.inet_ntoa(int(address, 16).to_bytes(4, "little"))


def _sockets(process: Path) -> Iterator[str]:
    try:
        names = [os.readlink(descriptor) for descriptor in (process / "fd").iterdir()]
    except OSError:  # it has ended meanwhile
        return
    yield from {name[len("socket:[") : -1] for name in names if name.startswith("socket:[")}


def _command(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""

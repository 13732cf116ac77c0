"""How a line of a spool looks: JSON with a checksum that says whose writes these are, a write, or what is drained."""

import re
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import TypeAdapter

from studies.database.writes import Write, decode, encode

FORMAT: Final = 1
_LINE: Final = re.compile(rb'\{"crc32":"([0-9a-f]{8})",("(\w+)":(.+))\}\n', re.DOTALL)
_WRITE: Final = re.compile(rb'(\d+),"write":(.+)', re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The study that writes belong to, where it is kept, without any password, and the token of the run."""

    study: str
    created_at: datetime
    storage: str
    token: int = 0


@dataclass(frozen=True, kw_only=True)
class Header:
    """The first line: when the first write came, and how many had come to the storage before this file."""

    origin: Origin
    opened_at: datetime
    num_drained: int = 0
    format: int = FORMAT


@dataclass(frozen=True, kw_only=True)
class Numbered:
    """A write, not yet read."""

    number: int
    text: bytes

    def read(self) -> Write:
        """Return the write; a ValueError if there is no such kind of write."""
        return decode(self.text)


@dataclass(frozen=True, kw_only=True)
class Drained:
    """The number of the last write that has come to the storage."""

    number: int


_HEADERS: Final = TypeAdapter(Header)


def header_line(header: Header) -> bytes:
    """Return the first line."""
    return _sealed(b'"spool":' + _HEADERS.dump_json(header))


def write_line(number: int, write: Write) -> bytes:
    """Return the line of a write."""
    return _sealed(b'"number":%d,"write":%b' % (number, encode(write)))


def drained_line(number: int) -> bytes:
    """Return the line that says how far the writes have come to the storage."""
    return _sealed(b'"drained":%d' % number)


def parse(line: bytes) -> Header | Numbered | Drained:
    """Return what a line says; a ValueError if it is not as it was written."""
    found = _LINE.fullmatch(line)
    if found is None or int(found[1], 16) != zlib.crc32(found[2]):
        raise ValueError("it is not as it was written")
    kind, content = found[3], found[4]
    if kind == b"spool":
        return _HEADERS.validate_json(content)
    if kind == b"drained":
        return Drained(number=int(content))
    write = _WRITE.fullmatch(content)
    if write is None:
        raise ValueError("it holds no write")
    return Numbered(number=int(write[1]), text=write[2])


def _sealed(body: bytes) -> bytes:
    return b'{"crc32":"%08x",%b}\n' % (zlib.crc32(body), body)

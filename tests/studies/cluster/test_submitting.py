"""Following a job's log: a connection that ends is no error, and one of whoever prints it is."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from studies.cluster.submitting import _Position, _tail


async def parts(error: Exception | None = None) -> AsyncIterator[str]:
    yield "one\n"
    yield "two\n"
    if error is not None:
        raise error


@pytest.mark.parametrize(
    "error", [None, RuntimeError("closed"), ConnectionResetError(), aiohttp.ClientPayloadError("cut")]
)
def test_what_has_come_before_a_connection_ends_is_taken(error: Exception | None) -> None:
    taken = list[str]()
    position = _Position(2, taken.append)
    asyncio.run(_tail(parts(error), position))
    assert ("".join(taken), position.num_read) == ("e\ntwo\n", 8)


def test_a_closed_pipe_ends_the_command() -> None:
    def write(text: str) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        asyncio.run(_tail(parts(), _Position(0, write)))

"""Where in a user's training loop something is asked for: within one of its epochs, or before them."""

import dis
import functools
import inspect
from types import CodeType, FrameType


def is_in_epoch(frame: FrameType | None) -> bool:
    """Tell whether `frame`, or what called it, is within the loop that yields an epoch's dict each time round.

    That is a loop with a yield in it, of the innermost generator that is at work.
    """
    while frame is not None and not frame.f_code.co_flags & inspect.CO_GENERATOR:
        frame = frame.f_back
    if frame is None:
        return False
    return any(first <= frame.f_lasti <= last for first, last in _yielding_loops(frame.f_code))


@functools.lru_cache(maxsize=100)
def _yielding_loops(code: CodeType) -> list[tuple[int, int]]:
    """Return the first and the last instruction of each loop with a yield in it; what heads a for loop is before it."""
    instructions = list(dis.get_instructions(code))
    yields = [each.offset for each in instructions if each.opname == "YIELD_VALUE"]
    loops = [(int(each.argval), each.offset) for each in instructions if _jumps_back(each.opname)]
    return [(first, last) for first, last in loops if any(first <= place <= last for place in yields)]


def _jumps_back(name: str) -> bool:
    # `yield from` is a small loop of its own, which jumps without interrupts.
    return "JUMP_BACKWARD" in name and not name.endswith("NO_INTERRUPT")

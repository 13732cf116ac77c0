"""Whether a user's training loop is within one of its epochs, or before them."""

import dis
import functools
import inspect
from types import CodeType, FrameType


def is_in_epoch(frame: FrameType | None) -> bool:
    """Return whether `frame`, or a caller of it, is inside the loop that yields an epoch's dict in each iteration.

    That is a loop with a yield in it, in the innermost running generator.
    """
    while frame is not None and not frame.f_code.co_flags & inspect.CO_GENERATOR:
        frame = frame.f_back
    if frame is None:
        return False
    return any(first <= frame.f_lasti <= last for first, last in _yielding_loops(frame.f_code))


@functools.lru_cache(maxsize=100)
def _yielding_loops(code: CodeType) -> list[tuple[int, int]]:
    """Return the first and last instruction of each loop that contains a yield; a for loop's header is before it."""
    instructions = list(dis.get_instructions(code))
    yields = [each.offset for each in instructions if each.opname == "YIELD_VALUE"]
    loops = [(int(each.argval), each.offset) for each in instructions if _jumps_back(each.opname)]
    return [(first, last) for first, last in loops if any(first <= place <= last for place in yields)]


def _jumps_back(name: str) -> bool:
    # `yield from` compiles to a small loop of its own, with a jump of this kind.
    return "JUMP_BACKWARD" in name and not name.endswith("NO_INTERRUPT")

"""SystemExit, KeyboardInterrupt and their like in a user's code: errors of that code, not the end of a process."""

import traceback

from trainables.user_code.code import OwnCode


def is_rays(error: BaseException) -> bool:
    """Tell whether Ray raised it to end a worker, as on SIGTERM: then it is no error of the code that was at work."""
    return hasattr(error, "ray_terminate_msg") or hasattr(error, "is_ray_terminate")


def traceback_words(error: BaseException, code: OwnCode | None) -> str:
    """Return an error's traceback; of one that would end the process the last line names the user's own line.

    `code` is the user's, None where there is none.
    """
    words = "".join(traceback.format_exception(error))
    if isinstance(error, Exception) or code is None:
        return words
    own = {code.file.path, *(module.path for module in code.modules.values())}
    lines = [
        f"{frame.filename}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename in own
    ]
    where = f"{lines[-1]}: " if lines else ""
    said = f": {error}" if str(error) else ""
    return f"{words}{where}{type(error).__name__}{said}, which would end the worker; raise an error instead\n"

"""SystemExit, KeyboardInterrupt and the like in a user's code, which are errors of that code."""

import traceback

from trainables.user_code.code import UserCode


def is_rays(error: BaseException) -> bool:
    """Return whether Ray raised the error to end a worker, as on SIGTERM; it is then no error of the trial."""
    return hasattr(error, "ray_terminate_msg") or hasattr(error, "is_ray_terminate")


def traceback_words(error: BaseException, code: UserCode | None) -> str:
    """Return an error's traceback; for one that would end the process, the last line names the user's own line.

    `code` is the user's code, None if there is none.
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

"""What can go wrong when a configuration is trained: the one base of this package's own errors."""


class TrainableError(Exception):
    """Something of the user's, or of a worker, kept a configuration from being trained.

    Every exception class of `trainables` derives from it, and beside it from the built-in class that fits, so that who
    uses this package alone may catch either. `studies`, which this package does not know, turns each into an error of
    its own before a user sees it (`studies.base.errors`).
    """

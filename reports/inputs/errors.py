"""What can be wrong with the records that a report is made from: the one base of this package's own errors."""


class ReportError(ValueError):
    """The frames cannot be made into a report.

    Every exception class of `reports` derives from it. A wrong argument of a function, such as a column that a frame
    lacks, is a plain ValueError. `studies`, which this package does not know, turns a ReportError into an error of its
    own before a user sees it (`studies.base.errors`).
    """

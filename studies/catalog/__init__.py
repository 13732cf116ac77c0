"""The studies that come with Studies, one file each: the file's name is the study's name."""

import pkgutil


def names() -> tuple[str, ...]:
    """Return the names of the studies in the catalog.

    >>> names()[:3]
    ('batchnorm_study', 'depth_study', 'dropout_study')
    """
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))

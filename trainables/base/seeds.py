"""Seeds derived from a study's seed and a purpose, so that no random state needs to be stored."""

import hashlib
import json


def derive_seed(seed: int, *purpose: str | int) -> int:
    """Return a 63-bit seed that depends on `seed` and every part of `purpose` only.

    The same arguments give the same seed on every machine and in every version.

    >>> derive_seed(0, "split", 3) == derive_seed(0, "split", 3)
    True
    >>> derive_seed(0, "split", 3) == derive_seed(0, "split", 4)
    False
    """
    text = json.dumps([seed, *purpose])
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


def seed_for_libraries(seed: int) -> int:
    """Return a seed's low 32 bits, the most that NumPy's legacy generator and scikit-learn accept.

    >>> seed_for_libraries(2**32 + 3)
    3
    """
    return seed % 2**32

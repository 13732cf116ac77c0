"""Two published experiments, typed in from R's MASS (Venables and Ripley 2002): public facts, tiny tables."""

from __future__ import annotations

from itertools import product

import pandas as pd

# Split plot: 6 blocks of 3 varieties of oats (whole plots) with 4 amounts of nitrogen; Yates (1935), MASS::oats.
_OATS = {
    "Victory": [
        *(111, 130, 157, 174, 61, 91, 97, 100, 68, 64, 112, 86),
        *(74, 89, 81, 122, 62, 90, 100, 116, 53, 74, 118, 113),
    ],
    "Golden.rain": [
        *(117, 114, 161, 141, 70, 108, 126, 149, 60, 102, 89, 96),
        *(64, 103, 132, 133, 80, 82, 94, 126, 89, 82, 86, 104),
    ],
    "Marvellous": [
        *(105, 140, 118, 156, 96, 124, 121, 144, 89, 129, 132, 124),
        *(70, 89, 104, 117, 63, 70, 109, 99, 97, 99, 119, 121),
    ],
}

# Half replicates of a 2^3 factorial of fertilisers on peas in 6 blocks (NPK is confounded); MASS::npk.
# Each block: (N, P, K, yield) of its four plots.
_NPK = [
    [(0, 1, 1, 49.5), (1, 1, 0, 62.8), (0, 0, 0, 46.8), (1, 0, 1, 57.0)],
    [(1, 0, 0, 59.8), (1, 1, 1, 58.5), (0, 0, 1, 55.5), (0, 1, 0, 56.0)],
    [(0, 1, 0, 62.8), (1, 1, 1, 55.8), (1, 0, 0, 69.5), (0, 0, 1, 55.0)],
    [(1, 0, 0, 62.0), (1, 1, 1, 48.8), (0, 0, 1, 45.5), (0, 1, 0, 44.2)],
    [(1, 1, 0, 52.0), (0, 0, 0, 51.5), (1, 0, 1, 49.8), (0, 1, 1, 48.8)],
    [(1, 0, 1, 57.2), (1, 1, 0, 59.0), (0, 1, 1, 53.2), (0, 0, 0, 56.0)],
]


def oats() -> pd.DataFrame:
    """72 rows: variety, nitrogen (cwt), block (1..6), yield_ (quarter pounds)."""
    rows = [
        {"variety": variety, "nitrogen": nitrogen, "block": block + 1, "yield_": amounts[4 * block + place]}
        for variety, amounts in _OATS.items()
        for block, (place, nitrogen) in product(range(6), enumerate((0.0, 0.2, 0.4, 0.6)))
    ]
    return pd.DataFrame(rows)


def npk() -> pd.DataFrame:
    """24 rows: N, P, K (0 or 1), block (1..6), yield_ (pounds per plot)."""
    return pd.DataFrame(
        [
            {"N": n, "P": p, "K": k, "block": number, "yield_": amount}
            for number, plots in enumerate(_NPK, start=1)
            for n, p, k, amount in plots
        ]
    )

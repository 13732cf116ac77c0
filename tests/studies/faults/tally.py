"""What a kill loop counted."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class Tally:
    """Rounds of one loop: a driver killed, everything acknowledged looked for, and the study resumed."""

    kind: str
    seed: int
    kills: Counter[str] = field(default_factory=Counter)
    resumes: int = 0
    studies: int = 0
    acknowledged: int = 0
    epochs: int = 0
    lost: int = 0
    waits: int = 0

    @property
    def rounds(self) -> int:
        """How many drivers were killed."""
        return self.kills.total()

    def __str__(self) -> str:
        moments = ", ".join(f"{moment} {number}" for moment, number in self.kills.most_common())
        return (
            f"{self.kind}: {self.rounds} rounds (kills while {moments}); {self.resumes} resumes of "
            f"{self.studies} studies; {self.acknowledged} reports acknowledged, {self.epochs} epochs of one "
            f"network recorded; lost {self.lost}, doubled 0; locks not free at once {self.waits}; seed {self.seed}"
        )

"""The terms of a report in plain words: gate codes, verdicts and statistical terms, each with one definition."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from reports.wording.verdict_words import rule_spoken


@dataclass(frozen=True, kw_only=True)
class Term:
    """A term as it is headed in the glossary, what it means, and the pattern that finds it in running text."""

    slug: str
    word: str
    meaning: str
    pattern: str

    @property
    def is_code(self) -> bool:
        """Whether it is a code in capitals: explained wherever it stands, not only where it first appears."""
        return self.word.isupper()


GATES = {
    "DIRECTION": "The difference has a clear sign: its simultaneous interval excludes 0, over ten blocks or more.",
    "MEANINGFUL": "A clear sign, and the whole interval lies beyond the smallest effect of interest: a difference "
    "that matters.",
    "EQUIVALENT": "Practically equal: the whole interval lies within the smallest effect of interest.",
    "UNRESOLVED": "Not known yet: the interval reaches from one answer to another. It never means that two levels are "
    "the same.",
    "INDICATED": "Fewer than ten blocks: the data point somewhere, and nothing is claimed.",
    "BEYOND SAMPLE": "Also expected for new data from the same source: an interval widened for that excludes 0, too.",
    "INTERACTION": "The difference changes with the level of another factor, so its average is not claimed.",
    "BOUNDARY": "Limited by the range of learning rates: many of the chosen rates lie at an end of it.",
    "BUDGET": "The loss was still falling when training ended: with more epochs this may look different.",
    "SATURATED": "Nearly every answer is right, so the log-loss is compared instead of the accuracy.",
    "ASSOCIATION": "Two measures go along with each other over configurations; neither need follow from the other.",
}

_VERDICTS = {
    "DIVERGED": "The training broke down",
    "BLOWN UP": "The loss ran away",
    "UNTRAINED": "Nothing was learned",
    "EXPLODING": "Gradients grow many times over on their way to the input; a network may still answer well",
    "VANISHING": "Gradients all but vanish on their way to the input; a network may still answer well",
    "WATCH": "Gradients change more on their way to the input than they should, not enough to be called unstable",
    "SPIKY": "Single steps have far larger gradients than those before",
    "DEAD": "Many units of a layer have stopped to respond",
    "STALLED": "Steps hardly move the weights",
    "HOT": "Steps move the weights very far",
    "STABLE": "Nothing wrong was found",
}

_WORDS = (
    ("log-loss", "log-loss", r"log-loss(?:es)?", "Minus the logarithm of the probability that a network gives to the "
     "right answer, on average. Lower is better; 0 would be certainty in every right answer."),
    ("nats", "nats", r"nats", "The unit of log-loss. 0.1 nats more mean about a tenth less probability for the right "
     "answer."),
    ("at-best", "at best", r"at best|at its best cell|best cells?", "Each level in the combination of all other "
     "settings that the search selected for it: does the level help once the rest is tuned?"),
    ("smallest-effect", "smallest effect of interest", r"smallest effect(?= of interest)", "The difference below "
     "which two levels count as practically equal. The plan names it before the first trial."),
    ("simultaneous", "simultaneous interval", r"simultaneous intervals?", "The range of differences that the data "
     "allow, widened so that all intervals of its family hold at once. It decides what is said."),
    ("unadjusted", "unadjusted interval", r"unadjusted", "The range for this difference alone, not widened for the "
     "others beside it; it decides nothing."),
    ("sign-flip", "sign-flip", r"sign-flip", "A check that assumes little: how often a difference at least as large "
     "comes about when the sign of each block is drawn at random."),
    ("network-epoch", "network-epoch", r"network-epochs?", "One network trained for one epoch, that is once over its "
     "training data."),
    ("cell", "cell", r"cells?", "One combination of the levels of all factors, with a learning rate tuned for it."),
    ("block", "block", r"(?<!hidden )(?<!convolution )(?<!residual )(?<!per )blocks?", "One division of the data with "
     "seeds of its own, the same for every configuration: differences are taken within a block, then averaged."),
    ("look", "look", r"looks?", "A number of blocks, fixed beforehand, at which open questions are read. Each look may "
     "spend its part of the error rate, so looking again is paid for."),
    ("rung", "rung", r"rungs?", "An epoch at which the search compares the trials of a cell and stops the others."),
    ("described", "described", r"[Dd]escribed", "Reported as measured. Nothing is claimed of it, and no part of the "
     "error rate is spent on it."),
    ("total-growth", "total growth", r"[Tt]otal (?:gradient )?growth", "How many times larger the gradient is at the "
     "first hidden layer than at the last. Near 1 is healthy."),
    ("growth", "growth", r"[Gg]rowth", "The factor by which the gradient changes from one hidden layer to the one "
     "below it. Near 1 is healthy."),
    ("update-ratio", "update ratio", r"[Uu]pdate ratios?", "How far one step moves the weights, as a share of their "
     "size."),
    ("calibration", "calibration", r"[Cc]alibration", "Whether a network that is 90 % confident is right in 90 % of "
     "such cases."),
    ("tau", "Kendall's tau", r"Kendall(?:['’]|&#39;)s tau", "How well two rankings agree: 1 is the same order, 0 no "
     "relation, -1 the reverse."),
    ("q-value", "q value", r"q values?|\bq\b", "A p value adjusted for all pairs at once (Benjamini and Hochberg): the "
     "share of false finds among those as small."),
    ("bootstrap", "bootstrap", r"bootstrap", "The blocks are drawn again with replacement, many times, to see how much "
     "a result hangs on which blocks there are."),
    ("ped-anova", "PED-ANOVA", r"PED-ANOVA", "How far the trials with the lowest scores differ from the others in one "
     "setting; shares that sum to 1."),
    ("interquartile", "interquartile", r"interquartile", "The width of the middle half of the values."),
)  # fmt: skip


def terms(thresholds: Mapping[str, float]) -> list[Term]:
    """Every term; the verdicts with the thresholds of this plan, or without a rule where it has none."""
    gates = [_code("gate", word, meaning) for word, meaning in GATES.items()]
    verdicts = [
        _code(
            "verdict", word, f"{meaning}: {rule_spoken(word, thresholds)}." if thresholds else f"{meaning}."
        )
        for word, meaning in _VERDICTS.items()
    ]
    words = [
        Term(slug=slug, word=word, pattern=rf"\b(?:{pattern})\b", meaning=meaning)
        for slug, word, pattern, meaning in _WORDS
    ]
    return [*gates, *verdicts, *words]


def _code(kind: str, word: str, meaning: str) -> Term:
    slug = f"{kind}-{word.lower().replace(' ', '-')}"
    return Term(slug=slug, word=word, pattern=rf"\b{re.escape(word)}\b", meaning=meaning)

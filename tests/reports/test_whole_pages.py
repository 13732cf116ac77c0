"""Whole pages of simulated studies say something false in at most 5 % of studies, and wrong ways of doing it in more.

Every sentence of every family counts. Few studies are drawn in each setting here, many under the marker `slow`; what
`python -m tests.reports.simulate` finds in many more stands in docs/simulations.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from reports.inputs.inputs import Value
from reports.pages.json_report import json_report
from reports.results.licensing import Licensing
from reports.results.results import compute
from reports.statistics.families import Family, simultaneous_half_width
from reports.wording.phrases import both, rather
from tests.reports.false_claims import WORDS, claims_of
from tests.reports.simulated_pages import Pages, best_pairs
from tests.reports.simulated_settings import CROWD, LIMITS, LITTLE, WORLDS, lone_best, margins, null
from tests.reports.simulated_studies import Floats, Study, World, as_recorded, studies, world
from tests.reports.simulated_tallies import Tally, simulated, tally
from tests.reports.simulation import effect_of_power, noise, weights

ERROR_RATE = 0.05
FEW, MANY = 60, 1000
SMALL = [name for name in WORLDS if name.startswith(("6 cells", "8 cells"))]


def most(num: int, rate: float = ERROR_RATE) -> int:
    """As many false studies as chance alone exceeds once in a thousand times at this rate."""
    return int(stats.binom.ppf(0.999, num, rate))


@cache
def found(name: str, num: int = FEW) -> Tally:
    """What a setting's first studies came to."""
    return simulated(WORLDS[name](), num)


class TestErrorRate:
    @pytest.mark.parametrize("name", SMALL)
    def test_few_studies_say_anything_false(self, name: str) -> None:
        assert found(name).false <= most(FEW)

    def test_nor_do_all_settings_together(self) -> None:
        assert sum(found(name).false for name in SMALL) <= most(FEW * len(SMALL))

    def test_directions_seldom_have_the_wrong_sign(self) -> None:
        assert sum(found(name).wrong_sign for name in SMALL) <= most(FEW * len(SMALL), 0.01)

    def test_pages_do_claim(self) -> None:
        claiming = [name for name in SMALL if found(name).claiming > 0.9 * FEW]
        assert len(claiming) >= len(SMALL) / 2

    def test_nor_do_studies_of_the_flagships_size(self) -> None:
        assert found("54 cells, at the margins", FEW // 2).false <= most(FEW // 2)

    @pytest.mark.slow
    @pytest.mark.parametrize("name", WORLDS)
    def test_nor_do_many(self, name: str) -> None:
        seen = found(name, MANY)
        assert seen.false <= most(MANY)
        assert seen.wrong_sign <= most(MANY, 0.01)


def power(num: int) -> float:
    """How often a page finds the effect that theory says it finds in 80 % of studies of one factor with two levels."""
    factors: dict[str, tuple[Value, ...]] = {"depth": (3, 5)}
    sd = 0.02 * np.sqrt(2)
    alpha = Licensing.loss_at_best(
        Pages(world(factors)).licensing, 2
    ).alpha  # that pair, and the line to beat
    effect = sd * effect_of_power(0.8, num_blocks=10, alpha=alpha)
    one = world(factors, {"depth": (0.0, effect)}, split=0.0, retraining=0.02)
    pages = Pages(one)
    higher = [
        any(claim.family == "at best" and claim.kind == "higher" for claim in pages.page(study).claims)
        for study in studies(one, num, seed=4)
    ]
    return float(np.mean(higher))


class TestPower:
    def test_one_contrast_is_found_as_often_as_theory_says(self) -> None:
        assert 0.72 <= power(250) <= 0.88  # 80 % and three standard errors

    @pytest.mark.slow
    def test_and_very_nearly_so(self) -> None:
        assert 0.77 <= power(3000) <= 0.83

    @pytest.mark.parametrize("share", [0.05, 0.025, 0.005])
    def test_intervals_of_a_family_hold_together_at_its_nominal_share(self, share: float) -> None:
        names, rows = weights()
        num, effect = 20_000, 0.3
        differences = rows @ noise(num, 10, np.random.default_rng(3)) + effect
        family = Family(share=share, num_hypotheses=len(names))
        half = simultaneous_half_width(differences.std(axis=-1, ddof=1), 10, family)
        missed = (np.abs(differences.mean(axis=-1) - effect) > half).any(axis=1)
        assert 0.6 * share * num <= missed.sum() <= most(num, share)


class Alone(Licensing):
    """A licence for every comparison to spend 5 % by itself."""

    def _family(self, share: float, num_hypotheses: int, part: float = 1.0) -> Family:
        return Family(share=0.05, num_hypotheses=1)


@dataclass(frozen=True)
class Unadjusted(Pages):
    """Pages of unadjusted intervals."""

    @property
    def licensing(self) -> Licensing:
        return Alone(**vars(super().licensing))


class TestWrongWaysFail:
    """Negative controls: each is done in practice, and each exceeds the error rate."""

    def test_unadjusted_intervals(self) -> None:
        one = null(LITTLE)
        assert tally(Unadjusted(one), studies(one, FEW, 1)).false > most(FEW)

    @pytest.mark.parametrize("name", ["6 cells, at the margins", "6 cells, complete null"])
    def test_holms_directions_with_equivalence_and_unadjusted_intervals(self, name: str) -> None:
        assert simulated(WORLDS[name](), 2 * FEW, plan_version=2).false > most(2 * FEW)

    def test_networks_pooled_as_replicates(self) -> None:
        factors: dict[str, tuple[Value, ...]] = {
            "depth": (3, 5),
            "dropout": (0.1, 0.5),
            "batch_norm": (False, True),
        }
        one = world(factors, split=0.0, retraining=0.02, level_block=0.03)
        pooled = [_pooled(study) for study in studies(one, FEW, 1)]
        assert tally(Pages(pooled[0].world), pooled).false > most(FEW)

    @pytest.mark.parametrize("name", LIMITS)
    def test_what_no_interval_of_ten_blocks_can_keep(self, name: str) -> None:
        assert simulated(LIMITS[name](), FEW).false > most(FEW)

    def test_cells_selected_again_on_the_confirm_phase(self) -> None:
        # One contrast alone, that of the lone good cell with the best of eighteen; selected by the search it holds.
        one, num = lone_best(CROWD), 1000
        drawn = [*studies(one, num, 1)]
        again = [replace(study, objective=study.loss.mean(axis=1)) for study in drawn]
        assert _num_false_at_best(one, drawn) <= most(num)
        assert _num_false_at_best(one, again) > most(num)


def _num_false_at_best(one: World, drawn: Sequence[Study]) -> int:
    """Of how many studies the first contrast at best, judged by an unadjusted interval, is claimed falsely."""
    pages, family = Pages(one), Family(num_hypotheses=1)
    num = 0
    for study in drawn:
        said = pages.at_best(study, best_pairs(study)[:1], family)
        num += any(claim.is_false for claim in claims_of("at best", said, study))
    return num


def _pooled(study: Study) -> Study:
    """The study with every network of a level as if it were a block of its own."""
    levels = study.world.shape[0]

    def by_level(cells: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return cells.reshape(levels, -1)

    def mean(cells: Floats) -> Floats:
        return np.asarray(by_level(cells).mean(axis=1))

    depth = dict([next(iter(study.world.factors.items()))])
    blocks = by_level(study.loss).shape[1]
    return replace(
        study,
        world=world(depth, num_blocks=blocks),
        objective=mean(study.objective),
        loss=by_level(study.loss),
        error=by_level(study.error),
        growth=by_level(study.growth),
        failed=by_level(study.failed),
        line=np.resize(study.line, blocks),
        true={name: mean(values) for name, values in study.true.items()},
        of_population={name: mean(values) for name, values in study.of_population.items()},
    )


class TestSimulatedPages:
    """What stands in for a whole page says what that says."""

    @pytest.mark.parametrize("version", [2, 3])
    @pytest.mark.parametrize("name", ["6 cells, interactions at the margins", "8 cells, recorded means"])
    def test_the_same_sentences(self, name: str, version: int) -> None:
        one = WORLDS[name]()
        pages = Pages(one, version)
        for study in studies(one, 2, seed=7):
            inputs = as_recorded(study, version)
            report = json_report(inputs, compute(inputs))
            assert {*_sentences(report)} == {_bare(text) for text in pages.page(study).texts}

    def test_the_answer_and_the_paragraphs_claim_nothing_else(self) -> None:
        one = margins(LITTLE)
        pages = Pages(one)
        for study in studies(one, 2, seed=8):
            inputs = as_recorded(study)
            report = json_report(inputs, compute(inputs))
            page = pages.page(study)
            everything = " ".join(map(_bare, page.texts))
            assert all(_bare(each["sentence"]) in everything for each in report["answer"])
            licensed = [text for text in page.texts if _claims(text)]
            for sentence in re.split(r"(?<=\.) (?=[A-Z])", " ".join([*report["analysis"], *report["notes"]])):
                for phrase in _phrases(one) if _claims(sentence) else ():
                    assert phrase not in sentence or any(phrase in text for text in licensed), sentence


def _sentences(report: Mapping[str, Any]) -> Iterator[str]:
    rows = [
        *report["at_best"],
        *report["contrasts"],
        *report["stability"]["total_growth"],
        report["baseline"],
    ]
    for row in rows:
        if row["sentence"] and "the same two cells are compared" not in row["sentence"]:
            yield _bare(row["sentence"])


def _bare(text: str) -> str:
    """A sentence without what it describes of deeper slices."""
    return re.sub(r" Within that it is .*? \(described, not claimed\)\.", "", text)


def _claims(text: str) -> bool:
    return any(words.search(text) for words in WORDS.values())


def _phrases(one: World) -> list[str]:
    pairs = [
        (factor, *pair)
        for factor, levels in one.factors.items()
        for pair in [(levels[place], levels[place + 1]) for place in range(len(levels) - 1)]
    ]
    return [speak(*pair) for pair in pairs for speak in (rather, both)]

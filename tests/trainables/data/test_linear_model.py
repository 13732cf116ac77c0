"""The linear model: what scikit-learn's own pipeline gives, fitted and chosen without the test part."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler

from tests.trainables.corpus import corpus, texts
from trainables import datasets
from trainables.data.linear_model import STRENGTHS, fit_linear
from trainables.data.splits import split_block

WRITTEN, TARGETS = texts()
CORPUS = corpus(WRITTEN, TARGETS)
SPLIT = split_block(CORPUS.targets, seed=0, block=0)


def test_on_texts_it_is_tfidf_and_logistic_regression() -> None:
    scores = fit_linear(CORPUS, SPLIT)
    counts = CORPUS.texts
    assert counts is not None
    terms = [counts.terms[column] for column in counts.fit(SPLIT.train, CORPUS.targets[SPLIT.train]).columns]
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, vocabulary=terms)
    train = vectorizer.fit_transform([WRITTEN[row] for row in SPLIT.train])
    model = LogisticRegression(C=scores.strength, max_iter=1000)
    model.fit(train, CORPUS.targets[SPLIT.train])
    for part, loss, accuracy in (
        ("validation", scores.val_loss, scores.val_accuracy),
        ("test", scores.test_loss, scores.test_accuracy),
    ):
        rows = getattr(SPLIT, part)
        features = vectorizer.transform([WRITTEN[row] for row in rows])
        assert loss == pytest.approx(log_loss(CORPUS.targets[rows], model.predict_proba(features)), abs=1e-3)
        assert accuracy == pytest.approx(model.score(features, CORPUS.targets[rows]), abs=0.05)


def test_on_a_table_it_has_the_features_that_networks_have() -> None:
    synthetic = datasets.load("synthetic")
    split = split_block(synthetic.targets, seed=0, block=0)
    scores = fit_linear(synthetic, split)
    scaler = StandardScaler().fit(synthetic.inputs[split.train])
    losses = {}
    for strength in STRENGTHS:
        model = LogisticRegression(C=strength, max_iter=1000)
        model.fit(scaler.transform(synthetic.inputs[split.train]), synthetic.targets[split.train])
        losses[strength] = [
            log_loss(synthetic.targets[rows], model.predict_proba(scaler.transform(synthetic.inputs[rows])))
            for rows in (split.validation, split.test)
        ]
    assert [scores.val_loss, scores.test_loss] == pytest.approx(losses[scores.strength], abs=1e-3)
    assert scores.val_loss == pytest.approx(min(loss for loss, _ in losses.values()), abs=2e-3)


def test_a_poisoned_test_part_changes_the_test_scores_alone() -> None:
    targets = np.array(TARGETS)
    targets[SPLIT.test] = 1 - targets[SPLIT.test]
    clean, poisoned = fit_linear(CORPUS, SPLIT), fit_linear(replace(CORPUS, targets=targets), SPLIT)
    assert poisoned.test_accuracy == pytest.approx(1 - clean.test_accuracy)
    same = {"test_loss": 0.0, "test_accuracy": 0.0}
    assert replace(poisoned, **same) == replace(clean, **same)


def test_a_text_without_a_known_word_is_scored_too() -> None:
    dataset = corpus([*WRITTEN, "", "never"], [*TARGETS, 0, 1])
    split = replace(SPLIT, test=np.array([len(WRITTEN), len(WRITTEN) + 1]))
    assert np.isfinite(fit_linear(dataset, split).test_loss)


def test_a_training_part_too_small_for_any_term_leaves_it_at_chance() -> None:
    scores = fit_linear(CORPUS, replace(SPLIT, train=SPLIT.train[:4]))
    assert scores.test_loss == pytest.approx(np.log(2))

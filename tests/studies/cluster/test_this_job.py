"""A driver knows the job that it is, if it is one, whatever else its environment holds."""

import json

import pytest

from studies.cluster.this_job import CONFIG, metadata, submission_id


def test_the_job_that_ray_has_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CONFIG, raising=False)
    assert (submission_id(), metadata()) == (None, {})
    monkeypatch.setenv(
        CONFIG, json.dumps({"metadata": {"job_submission_id": "x", "a": "b"}, "runtime_env": {}})
    )
    assert (submission_id(), metadata()["a"]) == ("x", "b")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", "{}", '{"metadata": []}', '{"metadata": {"job_submission_id": 1}}']
)
def test_anything_else_is_no_job(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(CONFIG, text)
    assert submission_id() is None

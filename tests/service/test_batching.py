"""Requests that are scored together are answered as if each were alone."""

import asyncio

import numpy as np
import pytest

from modelwright.service.batching import Batcher
from modelwright.service.policy import Policy
from modelwright.service.refusals import Refused


def rows(i):
    return [{"tenure": i, "contract": "month", "charge": 40 + i, "since": "2015-01-01"}] * (1 + i % 3)


def together(scorer, requests):
    async def ask():
        batcher = Batcher()
        batcher._mean = 99.0
        return await asyncio.gather(*[batcher.answer(scorer, r) for r in requests], return_exceptions=True)

    return asyncio.run(ask())


def test_together_as_alone(desk):
    answers = together(desk.scorer, [rows(i) for i in range(60)])
    for i, answer in enumerate(answers):
        alone = desk.scorer.answer(rows(i))
        assert answer.predictions == alone.predictions
        assert np.allclose(answer.scores, alone.scores, atol=1e-12)


def test_one_that_is_refused_or_fails_spoils_no_other(make_desk, monkeypatch):
    desk = make_desk(policy=Policy.of({"policy": {"unknown_level": "refuse"}}))
    model, scores_of = type(desk.scorer.model), type(desk.scorer.model).scores_of

    def stumbling(self, records):
        if any(r["tenure"] == 13 for r in records):
            raise ValueError
        return scores_of(self, records)

    monkeypatch.setattr(model, "scores_of", stumbling)
    answers = together(desk.scorer, [rows(1), [{**rows(0)[0], "contract": "decade"}], rows(13), rows(2)])
    assert [type(a) for a in answers[1:3]] == [Refused, ValueError]
    assert len(answers[0].predictions) == 2
    assert len(answers[3].predictions) == 3


@pytest.mark.parametrize(("at_once", "is_together"), [(1, False), (16, True)])
def test_it_adapts_to_how_many_come(desk, at_once, is_together):
    async def ask():
        batcher = Batcher()
        for _ in range(320 // at_once):
            await asyncio.gather(*[asyncio.ensure_future(batcher.answer(desk.scorer, rows(0))) for _ in range(at_once)])
        return batcher._mean

    assert (asyncio.run(ask()) >= 2.5) == is_together

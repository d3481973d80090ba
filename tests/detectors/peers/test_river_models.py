"""river's models through the adapter: scores by rank, and snapshots that build nothing but river's models."""

import pickle

import numpy as np
import pytest
from river import anomaly

from detectors import create
from detectors.checks import check
from detectors.peers.river_models import river_model
from detectors.state import pack, unpack

HOUR, START = 3600, 1_704_067_200


def test_a_score_becomes_its_rank_among_the_scores_before():
    counts = np.random.default_rng(1).poisson(5, 300)
    bank, alone, scores = create("river_gaussian", n_series=1, window_seconds=HOUR), anomaly.GaussianScorer(), []
    for t, y in enumerate(counts):
        bank.learn(START + t * HOUR, np.array([y]))
        scores.append(alone.score_one(None, y))
        alone.learn_one(None, y)
    for count in (8, 11, 40):
        rank = sum(s >= alone.score_one(None, count) for s in scores)
        assert bank.score(START + 300 * HOUR, np.array([count])).p_value[0] == pytest.approx((rank + 1) / 301)
    assert bank.score(START + 300 * HOUR, np.array([0])).p_value[0] == 1


def test_any_river_anomaly_model_keeps_the_contract():
    check(river_model(lambda: anomaly.StandardAbsoluteDeviation()))


def test_half_space_trees_of_a_bank_score_as_they_do_alone():
    from river import preprocessing

    counts = np.random.default_rng(2).poisson(5, 400)
    bank = create("river_half_space_trees", n_series=1, window_seconds=HOUR)
    alone = preprocessing.MinMaxScaler() | anomaly.HalfSpaceTrees(seed=1)
    for t, y in enumerate(counts):
        expected = alone.score_one({"count": float(y)})
        alone.learn_one({"count": float(y)})
        bank.learn(START + t * HOUR, np.array([y]))
        assert bank.arrays["record"][t, 0] == expected


class Evil:
    def __reduce__(self):
        return (print, ("built",))


@pytest.mark.parametrize("thing", [Evil(), pickle, [pytest.approx(1)]], ids=["call", "module", "class"])
def test_a_snapshot_builds_nothing_else(thing, capsys):
    bank = create("river_gaussian", n_series=1, window_seconds=HOUR)
    meta, arrays = unpack("river/1", bank.snapshot())
    try:
        forged = pickle.dumps([thing])
    except TypeError:
        forged = b"cos\nsystem\n(S'true'\ntR."
    before = bank.snapshot()
    with pytest.raises(ValueError, match="is no part of a river model"):
        bank.restore(pack("river/1", meta, arrays | {"models": np.frombuffer(forged, np.uint8)}))
    assert capsys.readouterr().out == ""
    assert bank.snapshot() == before

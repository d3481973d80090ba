"""Every registered detector keeps the contract."""

from functools import partial

import pytest

from detectors import DETECTORS, create
from detectors.checks import check_calibrated, checks
from detectors.registry import PEERS

SMALLER = {"river_half_space_trees": {"height": 6}}  # as strict, in less time


# Peers are registered to compare with; their normal tails of counts are not calibrated.
ASKED = [(name, check) for check in checks() for name in DETECTORS if not (name in PEERS and check is check_calibrated)]


@pytest.mark.parametrize(("name", "check"), ASKED, ids=[f"{check.__name__}-{name}" for name, check in ASKED])
def test_contract(name, check):
    check(partial(create, name, **SMALLER.get(name, {})))


def test_an_unknown_name_is_refused_with_the_names_there_are():
    with pytest.raises(ValueError, match=r"there are .*default"):
        create("nonsense", n_series=1, window_seconds=60)

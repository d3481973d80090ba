"""Every registered detector keeps the contract."""

from functools import partial

import pytest

from detectors import DETECTORS, create
from detectors.checks import check_calibrated, checks
from detectors.registry import PEERS


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize("check", checks(), ids=lambda check: check.__name__)
def test_contract(check, name):
    if name in PEERS and check is check_calibrated:
        pytest.skip("peers are registered to compare with; normal tails of counts are not calibrated")
    check(partial(create, name))


def test_an_unknown_name_is_refused_with_the_names_there_are():
    with pytest.raises(ValueError, match=r"there are .*default"):
        create("nonsense", n_series=1, window_seconds=60)

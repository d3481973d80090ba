"""A seed that is new in each run, and the same in all processes of one run."""

from __future__ import annotations

import os
import random

FRESH_SEED = random.Random(os.environ.get("PYTEST_XDIST_TESTRUNUID") or None).randrange(10_000)

"""A detector added as the README says, in a copy of the package, is judged by the conformance suite."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SECTION = (ROOT / "README.md").read_text(encoding="utf-8").split("\n## Detectors\n")[1].split("\n## ")[0]
MODULE, LINE, TEST = re.findall(r"```python\n(.*?)```", SECTION, re.S)


def added(folder: Path, module: str) -> subprocess.CompletedProcess[str]:
    """The three steps of the section, and pytest over the new test file."""
    shutil.copytree(ROOT / "detectors", folder / "detectors")
    for text in (module, TEST):
        path = folder / text.splitlines()[0].removeprefix("# ")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    registry = folder / "detectors" / "registry.py"
    lines = registry.read_text(encoding="utf-8").replace(
        "from detectors.peers import ", "from detectors.peers import fading, "
    )
    registry.write_text(lines.replace('    "default": Bank,\n', f'    "default": Bank,\n{LINE}'), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/detectors/peers/test_fading.py"]
    env = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=250)


def test_a_detector_of_ones_own_is_one_file_one_line_and_one_test(tmp_path: Path) -> None:
    done = added(tmp_path, MODULE)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        (
            "arrays[name][seen] = arrays[name][seen] * self.fade + more[seen]",
            "arrays[name][:] = arrays[name] * self.fade + more",
            "held, yet it learnt",
        ),
        ("p = negative_binomial", "p = 0.1 * negative_binomial", "quiet windows have p"),
    ],
    ids=["learns what is held", "is ten times too sure"],
)
def test_the_suite_refuses_one_that_is_wrong(tmp_path: Path, right: str, wrong: str, told: str) -> None:
    assert right in MODULE
    done = added(tmp_path, MODULE.replace(right, wrong, 1))
    assert done.returncode == 1, done.stdout
    assert told in done.stdout

"""The rules about ourselves: right in Prometheus' own eyes, asking only for what there is, each with something to do."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.metrics import BY_NAME, PREFIX
from streams.runtime import metric_docs

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "dashboards" / "prometheus"
RUNBOOKS = (ROOT / "docs" / "runbooks.md").read_text(encoding="utf-8")
SEVERITIES = ("page", "ticket", "info", "none")


def rules(kind: str) -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / "rules.yml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"] if kind in rule]


ALERTS = {rule["alert"]: rule for rule in rules("alert")}


@pytest.mark.prometheus
@pytest.mark.usefixtures("prometheus_programs")
@pytest.mark.parametrize(
    "command",
    [
        ("check", "rules", "--lint=all", "--lint-fatal", "rules.yml"),
        ("check", "config", "prometheus.yml"),
        ("test", "rules", "rules_test.yml"),
    ],
    ids=lambda command: "-".join(command[:2]),
)
def test_promtool_finds_nothing_wrong(command: tuple[str, ...]) -> None:
    told = subprocess.run(["promtool", *command], cwd=FOLDER, capture_output=True, text=True, timeout=60)
    assert told.returncode == 0, told.stdout + told.stderr


def test_every_metric_and_label_a_rule_asks_for_is_in_the_catalogue() -> None:
    asked = 0
    for rule in [*rules("alert"), *rules("record")]:
        for name, matched in re.findall(rf"\b{PREFIX}(\w+)(?:{{([^}}]*)}})?", rule["expr"]):
            asked += 1
            assert name in BY_NAME, f"{rule.get('alert') or rule['record']}: {name}"
            labels = set(re.findall(r"(\w+)\s*(?:=|!=|=~|!~)\s*\"", matched)) - {"job"}
            assert labels <= set(BY_NAME[name].labels), f"{name}: {labels}"
            assert 'job="overheard"' in matched, f"{name} of another program would count too"
    assert asked >= 25


def test_a_rule_asks_only_for_sums_that_are_recorded() -> None:
    recorded = {rule["record"] for rule in rules("record")}
    asked = {name for rule in ALERTS.values() for name in re.findall(r"\boverheard:[\w:]+", rule["expr"])}
    assert asked
    assert asked <= recorded


@pytest.mark.parametrize("name", ALERTS)
def test_every_alert_says_what_it_means_and_what_to_do(name: str) -> None:
    rule = ALERTS[name]
    said = rule["annotations"]
    assert rule["labels"]["severity"] in SEVERITIES
    assert {"summary", "description", "runbook"} == said.keys()
    assert said["summary"].endswith(".")
    assert said["runbook"] == f"docs/runbooks.md#{name.lower()}"
    section = RUNBOOKS.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    assert len(section.split()) > 10, "nothing to do"
    if rule["labels"]["severity"] != "none":
        assert section.startswith(f"*{rule['labels']['severity']}.*")


@pytest.mark.parametrize("name", ALERTS)
def test_every_alert_is_seen_firing_in_the_rules_tests(name: str) -> None:
    tried = (FOLDER / "rules_test.yml").read_text(encoding="utf-8")
    assert f'alertname="{name}"' in tried or f"alertname: {name}\n" in tried


def test_no_runbook_is_of_a_rule_that_is_gone() -> None:
    assert set(re.findall(r"^## (\w+)$", RUNBOOKS, re.MULTILINE)) == ALERTS.keys()


def test_the_page_about_metrics_is_up_to_date() -> None:
    told = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert told == metric_docs.page(), "run `make docs`"
    assert all(f"| `{PREFIX}{name}` |" in told for name in BY_NAME)

"""Grafana as code: dashboards built with its own SDK, written as JSON and committed, so that Grafana needs no build."""

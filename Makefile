# Everything a newcomer needs: make demo, make test. Nothing here calls sudo.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
NEED_MB := 1500

.PHONY: demo test setup setup-dev docs check lock clean soak

demo: setup  ## learn 28 simulated days, then watch a day with disruptions
	$(BIN)/overheard demo $(DEMO_ARGS)

test: setup-dev  ## everything CI runs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest $(PYTEST_ARGS) -m "not alone" -n 2 --dist loadfile --no-loadscope-reorder
	$(BIN)/pytest $(PYTEST_ARGS) -m alone

soak: setup-dev  ## the faults around Kafka and the store in full, and five years of Houston where they are: an hour and a half
	OVERHEARD_SOAK=1 $(BIN)/pytest -s tests/integration/test_kafka_*.py tests/integration/test_produce_and_workers.py tests/integration/test_heartbeat.py tests/integration/test_deliver.py tests/integration/test_store_killed.py

setup: $(VENV)/.runtime
setup-dev: $(VENV)/.dev

$(VENV)/.runtime: requirements.lock pyproject.toml
	@sh .ci/preflight $(PYTHON) $(NEED_MB)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing overheard into $(VENV) (about 350 MB, half a minute)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "installing the test tools"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

docs: setup  ## write the pages about topics and metrics anew
	$(BIN)/python -m streams.runtime.topic_docs docs/topics.md
	$(BIN)/python -m streams.runtime.metric_docs docs/metrics.md

lock:  ## resolve both lock files anew
	$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

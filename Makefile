# What a developer does here, and what CI does: the same commands.
.DEFAULT_GOAL := help
SHELL := /bin/sh

BIN := .venv/bin
LOCKED := .venv/.locked
READY := .venv/.ready

.PHONY: help
help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

.PHONY: demo
demo: $(READY) ## Judge one good and one bad recorded deployment
	@tools/demo

.PHONY: test
test: $(READY) servers lint docs ## Everything, as CI runs it (ARGS="-k name" for pytest)
	@$(BIN)/pytest -n 2 --dist loadgroup $(ARGS)

.PHONY: check
check: $(READY) lint docs ## Lint and the fast tests, before each commit
	@$(BIN)/pytest -n 2 --dist loadgroup -m "not e2e and not calibration" $(ARGS)

.PHONY: lint
lint: $(READY) ## Style, types and layers, without a test
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --quiet --check
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo >.venv/.layers || { cat .venv/.layers; exit 1; }

.PHONY: format
format: $(READY) ## Let ruff lay out the code and mend what it can
	@$(BIN)/ruff check --quiet --fix-only
	@$(BIN)/ruff format --quiet

.PHONY: docs
docs: $(READY) ## Follow every link, run every example, build the pages into build/docs
	@$(BIN)/python tools/check_docs.py
	@$(BIN)/sphinx-build -q -W --keep-going -d .venv/.doctrees docs build/docs

.PHONY: bench
bench: $(READY) ## Measure speed, as ratios within one run
	@$(BIN)/python -m benchmarks

.PHONY: prometheus3
prometheus3: $(READY) servers ## Build a Prometheus 3 with Go (6 minutes of CPU at first) and try the source on it
	@tools/prometheus-3 build/prometheus-3
	@$(BIN)/pytest tests/contract/test_prometheus_3.py
	@TESTED_PROMETHEUS=$(CURDIR)/build/prometheus-3 $(BIN)/pytest tests/contract/test_prometheus_real.py \
		tests/contract/test_prometheus_fleet.py tests/contract/test_prometheus_histograms.py \
		tests/contract/test_prometheus_labels.py tests/e2e/test_observed_weight.py $(ARGS)

.PHONY: load
load: $(READY) servers ## Put 200 rollouts on the service for 10 minutes (ARGS="--minutes 2")
	@$(BIN)/python -m benchmarks.service.load $(ARGS)

.PHONY: replays
replays: $(READY) ## Measure how fast recorded deployments are replayed
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.replay $(ARGS)

.PHONY: calibrate
calibrate: $(READY) ## Measure the judges' error rates, the long table (ARGS="--only looks")
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.calibration $(ARGS)

.PHONY: deployments
deployments: $(READY) ## Judge simulated deployments with known outcome, the long table
	@$(BIN)/python -m benchmarks.deployments

.PHONY: served
served: $(READY) servers ## Replay the simulated deployments from a real Prometheus (ARGS=100 for fewer)
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.deployments.replayed $(ARGS)

.PHONY: tunings
tunings: $(READY) ## Tune on one half of recorded deployments, count on the other
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.tuning $(ARGS)

.PHONY: env
env: $(READY) ## Create .venv from the lock

.PHONY: lock
lock: $(READY) ## Renew requirements/*.lock (UPGRADE=--upgrade for newer versions)
	@tools/lock $(UPGRADE)

.PHONY: clean
clean: ## Back to a clean clone
	@rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: servers
servers:
	@tools/servers

$(LOCKED): requirements/dev.lock requirements/installer.lock tools/environment
	@tools/environment $(PYTHON)
	@touch $@

$(READY): $(LOCKED) pyproject.toml
	@$(BIN)/uv pip install --quiet --offline --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

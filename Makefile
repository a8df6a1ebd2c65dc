SHELL := bash
PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null)
export PATH := $(CURDIR)/.venv/bin:$(PATH)

# columns of `dvc exp show` that do not tell experiments apart at a glance
NOT_COMPARED := ^(Created|src|stages|data|models|metrics|plots|requirements|mean_confidence|submitted|.*interval|(train|validation)_accuracy)

# uv where it is installed, which takes a fraction of the time, and pip otherwise; on Linux PIP_EXTRA_INDEX_URL with the
# CPU index of PyTorch saves gigabytes (README.md), and uv is told what pip reads from the environment
ifdef UV
create = uv venv --quiet --allow-existing --python $(PYTHON) .venv
install = UV_EXTRA_INDEX_URL="$$PIP_EXTRA_INDEX_URL" uv pip install --python .venv/bin/python \
	--index-strategy unsafe-best-match --requirement $(1)
else
create = $(PYTHON) -m venv .venv
install = .venv/bin/python -m pip install --disable-pip-version-check --progress-bar on --requirement $(1) | \
	sed -un '/^Collecting\|^Downloading\|^Installing\|^Successfully/p' | cut -c -100
endif

.PHONY: help repro report experiments test bench

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' $(MAKEFILE_LIST)

repro: .venv/runtime  ## run every stage of the pipeline whose inputs changed, then write report.html
	@python -m src.check
	@status=0; dvc repro || status=$$?; python -m src.reporting.report --if-changed || status=$$?; exit $$status

report: .venv/runtime  ## write report.html from the results that are there
	@python -m src.reporting.report

experiments: .venv/runtime  ## show the experiments: what they changed, and their scores
	@dvc exp show --only-changed --hide-workspace --no-pager --drop '$(NOT_COMPARED)'

test: .venv/developers  ## check the code and run the tests
	ruff check .
	ruff format --check .
	mypy src stages
	pytest --numprocesses auto -m "not slow"

bench: .venv/developers  ## measure speed against other ways to do the same; needs the full data
	python -m benchmarks

.venv/runtime: requirements.txt
	@echo "installing the packages of $< into .venv with $(if $(UV),uv,pip)"
	@$(create)
	@set -o pipefail; $(call install,$<)
	@touch $@

.venv/developers: requirements-dev.txt .venv/runtime
	@echo "installing the packages of $< into .venv with $(if $(UV),uv,pip)"
	@set -o pipefail; $(call install,$<)
	@touch $@

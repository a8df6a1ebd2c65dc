SHELL := bash
PYTHON ?= python3
UV ?= $(shell command -v uv)
export PATH := $(CURDIR)/.venv/bin:$(PATH)

# columns of `dvc exp show` that do not tell experiments apart at a glance
NOT_COMPARED := ^(Created|src|stages|data|models|metrics|plots|requirements|mean_confidence|submitted|.*interval|side|classes|pixels_in|(labelled|test|train|validation)[._])

# which tests `make test` runs, as pytest's option -m takes it; empty for all
TESTS ?= not slow

# uv where it is installed, pip otherwise and with `make UV= repro`; uv shows its progress, pip only in words
ifneq ($(UV),)
create = $(UV) venv --quiet --allow-existing --python $(PYTHON) .venv
install = $(UV) pip install --python .venv --requirement
else
create = $(PYTHON) -m venv .venv
install = .venv/bin/python -m pip install --disable-pip-version-check --progress-bar off --requirement
progress = | { n=0; while read -r word _; do case $$word in \
	Collecting) printf '\rfetching package %d' $$((n += 1));; \
	Installing) printf '\runpacking %d packages, half a minute\n' $$n;; \
	esac; done; }
endif

.PHONY: help repro report card demo experiments test faults bench

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' $(MAKEFILE_LIST)

repro: .venv/runtime  ## run every stage of the pipeline whose inputs changed, then write report.html
	@python -m src.check
	@status=0; dvc repro || status=$$?; python -m src.reporting.report --if-changed || status=$$?; exit $$status

report: .venv/runtime  ## write report.html from the results that are there
	@python -m src.reporting.report

card: .venv/runtime  ## write docs/model-card.md from the parameters and metrics of the last run
	@python -m src.reporting.model_card

demo: .venv/demo  ## write demo.html, a page to draw digits on, and the model for any ONNX runtime
	@python -m src.demo.build

experiments: .venv/runtime  ## show the experiments: what they changed, and their scores
	@dvc exp show --only-changed --hide-workspace --no-pager --drop '$(NOT_COMPARED)'

test: .venv/developers  ## check the code and run the tests
	ruff check .
	ruff format --check .
	mypy src stages
	pytest --numprocesses 3 --dist worksteal -m "$(TESTS)"

faults: .venv/developers  ## print what goes wrong at Kaggle, what is told, what is on disk and what is counted
	pytest --quiet --numprocesses 4 -p tests.fault_table tests/test_kaggle_faults.py

bench: .venv/developers  ## measure speed against other ways to do the same; needs the full data
	python -m benchmarks

.venv/runtime: requirements.txt
	@echo "installing the packages of $< into .venv with $(if $(UV),uv,pip)"
	@$(create)
	@set -o pipefail; $(install) $< $(progress)
	@touch $@

.venv/demo: requirements-demo.txt .venv/runtime
	@set -o pipefail; $(install) $< $(progress)
	@touch $@

.venv/developers: requirements-dev.txt requirements-demo.txt .venv/runtime
	@set -o pipefail; $(install) $< $(progress)
	@touch $@

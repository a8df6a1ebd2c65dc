PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: help repro report test bench

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' $(MAKEFILE_LIST)

repro: .venv/installed  ## run every stage of the pipeline whose inputs changed, then write report.html
	@python -m src.check
	@status=0; dvc repro || status=$$?; python -m src.report || status=$$?; exit $$status

report: .venv/installed  ## write report.html from the results that are there
	@python -m src.report

test: .venv/installed  ## check the code and run the tests
	ruff check .
	ruff format --check .
	mypy src stages
	pytest --numprocesses auto -m "not slow"

bench: .venv/installed  ## measure speed against other ways to do the same; needs the full data
	python -m benchmarks

.venv/installed: requirements.txt
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --requirement requirements.txt
	touch $@

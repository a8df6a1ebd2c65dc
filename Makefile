SHELL := bash
comma := ,
PYTHON ?= python3
UV ?= $(shell command -v uv)
export PATH := $(CURDIR)/.venv/bin:$(PATH)

# which tests `make test` runs, as pytest's option -m takes it; empty for all
TESTS ?= not slow

# variables that a shell may have for other projects, and that would break this environment
unexport PYTHONPATH PYTHONHOME PYTHONSAFEPATH PYTHONWARNINGS PYTHONUSERBASE PIP_TARGET PIP_PREFIX PIP_ROOT
export PIP_USER := 0

# variables that git exports in a hook, and that would name another repository
unexport GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_PREFIX GIT_COMMON_DIR GIT_OBJECT_DIRECTORY GIT_NAMESPACE
unexport GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_IMPLICIT_WORK_TREE GIT_INTERNAL_SUPER_PREFIX GIT_SHALLOW_FILE GIT_GRAFT_FILE

# missing in some containers: a user name, which DVC needs, and a home, where matplotlib keeps its font cache
ifeq ($(LOGNAME)$(shell id -un 2>/dev/null >/dev/null && echo known),)
export LOGNAME := somebody
endif
ifeq ($(shell test -w "$$HOME" && echo writable),)
export MPLCONFIGDIR ?= $(CURDIR)/.matplotlib.tmp
endif

# An environment of another Python is recreated. So is that of another folder, because its commands contain the path.
version_and_folder := -Ic 'import sys; print(sys.version.split()[0], sys.prefix)'
environment := $(shell .venv/bin/python $(version_and_folder) 2>/dev/null)
ifneq ($(wildcard .venv),)
ifneq ($(environment),$(shell cat .venv/runtime 2>/dev/null))
other := other
else ifeq ($(origin PYTHON),command line)
ifneq ($(firstword $(environment)),$(firstword $(shell $(PYTHON) $(version_and_folder) 2>/dev/null)))
other := other
endif
endif
endif

# uv where it is installed, pip otherwise and with `make UV= repro`; uv shows its progress, pip only in words
ifneq ($(UV),)
create = $(UV) venv --quiet $(if $(other),--clear,--allow-existing) --python $(PYTHON) .venv
install = $(UV) pip install --python .venv --requirement $<
else
create = $(PYTHON) -m venv $(if $(other),--clear) .venv
# The lists are complete, so pip need not look for more, but builds of torch with CUDA require what is in no list. Python
# compiles a module when it is first imported; most never are.
pip = .venv/bin/python -m pip install --disable-pip-version-check --progress-bar off --no-compile
torch = $(shell grep '^torch==' $<)
install = { $(if $(torch),$(pip) --constraint $< $(torch) && )$(pip) --no-deps --requirement $<; } | { n=0; \
	while read -r word _; do case $$word in \
	Collecting) printf '\rfetching package %d' $$((n += 1));; \
	Installing) printf '\runpacking %d packages     \n' $$n;; \
	esac; done; }
endif

.PHONY: help repro report card demo experiments submissions test faults bench .git-is-there

help:  ## list the targets
	@sed -n 's/^#: \(.*\)/\n\1/p; s/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

#: run

repro: .git-is-there .venv/runtime  ## run every stage whose inputs changed, then write report.html; JOBS=4 trains four networks at once
	@python -m src.check
	@$(if $(JOBS),python -m src.jobs $(JOBS))
	@status=0; python -m dvc repro || status=$$?; \
		python -m src.reporting.report --after-repro $$status || status=$$?; exit $$status

#: look

report: .venv/runtime  ## write report.html from the current results
	@python -m src.reporting.report

experiments: .venv/runtime  ## list the experiments: changed parameters, scores, better or worse than the last commit
	@python -m src.reporting.experiments.table

submissions: .venv/runtime  ## list the submissions over time: validation accuracy and public score
	@python -m src.reporting.submissions

#: share

card: .venv/runtime  ## write docs/model-card.md from the parameters and metrics of the last run
	@python -m src.reporting.model_card

demo: .venv/demo  ## write demo.html, a page to draw on, and the model for any ONNX runtime
	@python -m src.demo.build

#: develop

test: .venv/developers  ## check the code and run the tests
	ruff check .
	ruff format --check .
	mypy src stages
	pytest --numprocesses 3 --dist worksteal -m "$(TESTS)"

faults: .venv/developers  ## print a table of failures at Kaggle: message, files on disk, submissions counted
	pytest --quiet --numprocesses 4 -p tests.fault_table tests/test_kaggle_faults.py

bench: .venv/developers  ## compare the speed with other ways to do the same; needs the full data
	python -m benchmarks

.git-is-there:
	@command -v git >/dev/null || { echo "error: there is no git; install it" >&2; exit 1; }
	@said=$$(git rev-parse --verify HEAD 2>&1 >/dev/null) || { case $$said in \
		*"not a git repository"* | *"single revision"*) echo "error: this is no git repository with a commit; clone the project," \
			"or type: git init && git add --all && git commit --message Start";; \
		*) echo "error: git says: $$said" | tr '\n' ' ';; \
	esac >&2; exit 1; }

.PHONY: other
.venv/runtime: requirements.txt $(other)
	@$(PYTHON) -c '' 2>/dev/null || { echo "error: $(PYTHON) does not start; make repro PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info; (3, 11) <= v < (3, 15) or sys.exit("error: this needs Python 3.11 to \
	3.14, and $(PYTHON) is %d.%d; make repro PYTHON=python3.12" % v[:2])'
	@$(if $(UV),,$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "error: $(PYTHON) has no module venv; on Debian:" \
		"apt install python3-venv" >&2; exit 1; })
	@$(if $(other),echo "the environment in .venv is not complete$(comma) or is that of another Python or folder: recreating it")
	@echo "installing the packages of $< into .venv with $(if $(UV),uv,pip)"
	@$(create)
	@set -o pipefail; $(install)
	@.venv/bin/python $(version_and_folder) > $@

.venv/demo: requirements-demo.txt .venv/runtime
	@set -o pipefail; $(install)
	@touch $@

.venv/developers: requirements-dev.txt requirements-demo.txt .venv/runtime
	@set -o pipefail; $(install)
	@touch $@

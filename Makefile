# To start, you need only `make quick` and `make test`; `make help` lists the rest.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
CORES ?= all
STUDY ?= quick
FIGURES ?= all
STUDIES ?= $(STUDY)
DIR ?= ../$(notdir $(CURDIR))-storage
SHELL := bash
.SHELLFLAGS := -o pipefail -c
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# This checkout's library, whatever copy is installed. (A comment on the same line would add spaces to the value.)
export PYTHONPATH := $(CURDIR)/src
# Many containers forbid Python to keep what it compiled: each of hundreds of jobs would compile its imports again.
export PYTHONDONTWRITEBYTECODE :=
# DVC pickles its state, by default in a world-writable folder; this one is private.
export DVC_SITE_CACHE_DIR ?= $(shell mkdir -p -m 700 "$(CURDIR)/.dvc/tmp/site" && echo "$(CURDIR)/.dvc/tmp/site")
# Every download is checked against its hash; with build isolation, build tools would be fetched unchecked.
# Not compiled up front, as 260 MB of Python code take most of a minute: Python compiles what it imports.
INSTALL := .venv/bin/python -m pip install --progress-bar off --disable-pip-version-check --no-build-isolation --no-compile
# Of what pip says, downloads of 10 MB and more.
LARGE := sed --unbuffered --quiet --regexp-extended '/Downloading .*\(([0-9.]+ GB|[0-9]{2,}\.[0-9] MB)\)/p'
SNAKEFILES := Snakefile $(wildcard rules/*.smk)

.PHONY: help setup quick laptop cifar test lint tests test-slurm test-gpu test-faults docs report results times progress estimate dry-run stages tables notebooks remote \
	pull sizes push status bench-quick bench-training bench-many bench-memory bench
.DEFAULT_GOAL := help

help:  ## list these commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: .venv/ready  ## create .venv with the exact versions of requirements.lock (6 GB, a few minutes, once)

# One that another checkout of the same versions made will do, as a link, too.
ifneq ($(shell cat requirements.lock pyproject.toml | cmp - .venv/made-from 2>&1),)
.venv/ready: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "error: no python3.11 found: install it, or name one: make PYTHON=/path/to/python"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: $(PYTHON) is too old: Python 3.11 or newer is needed"; exit 1; }
	@echo "Setting up .venv: PyTorch and all other packages, 6 GB, 2 to 5 minutes. Large downloads:"
	$(PYTHON) -m venv .venv || { echo "error: no venv module: on Debian, apt install python3-venv"; exit 1; }
	awk '/^[a-z]/ {wanted = /^setuptools==/} wanted' requirements.lock > .venv/build.txt
	$(INSTALL) --require-hashes -r .venv/build.txt | $(LARGE)
	$(INSTALL) --require-hashes -r requirements.lock | $(LARGE)
	$(INSTALL) --no-deps -e . | $(LARGE)
	@echo 'export DVC_SITE_CACHE_DIR="$${VIRTUAL_ENV%/*}/.dvc/tmp/site"; mkdir -p -m 700 "$$DVC_SITE_CACHE_DIR"' >> .venv/bin/activate
	@cat requirements.lock pyproject.toml > .venv/made-from
	@touch $@
	@echo "Ready. For snakemake, dvc and python: source .venv/bin/activate"
else
.venv/ready:
	@touch $@
endif

quick: setup  ## the quick study on real MNIST: data, networks, figures, claims; VERBOSE=1 shows every job
laptop: setup  ## the laptop study, a night on two cores: MNIST at the paper's size, Fashion-MNIST
cifar: setup  ## narrow conv nets on CIFAR-10's JPEG copy, about 25 core-hours; may be interrupted and resumed
quick laptop cifar:
	snakemake --cores $(CORES) $(if $(VERBOSE),,--logger stages) --config study=$@ figures=$(FIGURES) -- all
	@python tools/show_claims.py results/$@/tables/claims.csv
	@echo && echo "Figures: results/$@/figures/" && ls results/$@/figures

test: lint tests  ## format, lint and all tests but those on Slurm

lint: setup
	ruff check .
	ruff format --check .
	snakefmt --check $(SNAKEFILES)
	snakemake --lint
	lint-imports --no-cache
	mypy

tests: setup
	pytest --numprocesses logical --maxprocesses 8 --dist loadfile --no-loadscope-reorder --ignore tests/slurm

test-slurm: setup  ## the workflow on a real Slurm, started for the tests; needs root on Debian, else skipped
	tests/slurm/cluster.sh install
	pytest -n 3 --dist loadfile -rs tests/slurm

test-gpu: setup  ## on a GPU: results equal to the CPU's, then speed; writes gpu-report.md to send to us
	@python tools/write_gpu_report.py --output gpu-report.md

test-faults: setup  ## kill runs, pushes and pulls at random moments, 20 each: make test-faults [KILLS=20 SEED=0]
	KILLS=$(or $(KILLS),20) SEED=$(or $(SEED),$(shell date +%s)) pytest -n 2 tests/faults

# With --quiet, MkDocs would not count warnings, and a broken link would be no error.
docs: setup  ## the documentation as a site, a page per figure: site/index.html; a broken link is an error
	@NO_MKDOCS_2_WARNING=1 mkdocs build
	@echo "Site: site/index.html. For its search: python -m http.server --directory site"

report: setup  ## one self-contained HTML of a finished or published study: make report STUDY=quick [STALE=1]
	@python tools/write_report.py --study $(STUDY) --figures $(FIGURES) $(if $(STALE),--stale)

results: setup  ## update docs/RESULTS.md and its tables and figures: make results STUDIES="quick laptop"
	@python tools/check_current.py --figures $(FIGURES) $(if $(STALE),--stale) $(STUDIES)
	python tools/publish_studies.py --results results --published docs/results \
	  --readme fig1a,fig2a,fig4a,fig5b,fig7a $(STUDIES)
	python tools/draw_replication.py --published docs/results --replication data/paper/replication_fig1a_mnist.csv \
	  --pdf docs/results/replication.pdf --png docs/results/replication.png
	python tools/write_results.py --published docs/results --output docs/RESULTS.md \
	  --headlines data/paper/headlines.csv --summary README.md

times: setup  ## seconds per stage of a finished study: make times STUDY=quick
	@python tools/show_times.py $(STUDY)

progress: setup  ## jobs done, running and failed, and time left: make progress [STUDY=paper FIGURES=fig1a]
	@python tools/show_progress.py $(and $(filter command line,$(origin STUDY)),$(STUDY)) \
	  $(and $(filter command line,$(origin FIGURES)),--figures $(FIGURES))

estimate: setup  ## hours for the paper's study, from the run times of the study STUDY, by default quick
	@python tools/estimate.py --measured $(STUDY)

dry-run: setup  ## count the jobs of the paper's study by rule; needs no data
	snakemake --dry-run --quiet rules --config study=paper

remote: setup  ## set where products are shared: make remote DIR=/a/folder, or DIR=s3://bucket/path, ssh://host/path
	@case "$(DIR)" in *://*) ;; *) mkdir -p "$(DIR)" ;; esac
	dvc remote add --local --default --force storage "$(DIR)"
	@dvc remote modify --local storage verify true  # by default DVC trusts what it downloads

pull: setup  ## fetch recorded products of all figures, or one, instead of computing them: make pull FIG=fig1a
	@python tools/pull.py $(FIG) $(and $(filter command line,$(origin STUDY)),--study $(STUDY))

sizes: setup  ## size of the download by `make pull` for each figure
	@python tools/pull.py --sizes $(and $(filter command line,$(origin STUDY)),--study $(STUDY))

push: setup  ## record and share what is up to date: make push, make push FIG=fig1a
	@python tools/push.py $(FIG) $(and $(filter command line,$(origin STUDY)),--study $(STUDY)) $(and $(RENEW),--renew)

stages: setup  ## write dvc.yaml from the run table; to add a study: make stages STUDY=laptop
	@python tools/write_stages.py $(and $(filter command line,$(origin STUDY)),--study $(STUDY))

tables: setup  ## docs/TABLES.md: columns of all tables and settings of all analyses, from the code
	@python tools/write_tables.py

notebooks: setup  ## execute the notebooks in examples/ and store what they show
	@python tools/run_notebooks.py

status: stages  ## differences from the recorded study, stage by stage
	@dvc status

bench-quick: setup  ## where the time of the quick study goes, with and without forked jobs; some 20 minutes
	@python bench/quick.py

bench-training: setup  ## seconds per epoch, compared with a plain DataLoader and float32; some minutes
	@python bench/training.py

bench-many: setup  ## training networks one at a time and together, in one pass; some minutes
	@python bench/many.py

bench-memory: setup  ## training with freed memory given back and kept; some 20 minutes
	@python bench/kept_memory.py

bench: setup  ## seconds of ablation, compared with forward hooks and captum, for docs/PERFORMANCE.md; some minutes
	@python bench/ablation.py
	@python bench/graphs.py

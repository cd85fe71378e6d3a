# The same targets for a developer and for CI. `make` alone lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
NODE_INSTALLED := tests/interop/node_modules/.installed
WEB := verifier/web mobile_stub/web
WEB_INSTALLED := $(WEB:%=%/node_modules/.installed)
TEST_WORKERS ?= 2
RUNS ?= 1000
MINUTES ?= 10
PHONES ?= 20000

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types imports vectors bench semester faults fuzz format lock install interop web web-build web-checks clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(INSTALLED) ## The whole journey once, on embedded defaults (KEEP=1 leaves the services up)
	@$(BIN)/python -m wallet_api.demo $(if $(KEEP),--keep)

test: $(INSTALLED) interop web ## All tests
	$(BIN)/pytest -n $(TEST_WORKERS) --dist loadgroup

check: lint types imports test vectors ## What CI runs: lint, types, import contracts, tests, vectors

lint: $(INSTALLED) ## Style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED) ## Static types
	$(BIN)/mypy

imports: $(INSTALLED) ## Who may import whom
	$(BIN)/lint-imports

vectors: $(INSTALLED) ## Rebuild the test vectors; a difference is a failure
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

$(INSTALLED): requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv $(VENV) || { echo "python3 -m venv does not work here; on Debian: apt install python3-venv"; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

# Interoperability tests run other people's wallets, which need Node 20. Without it they are
# skipped by name.
interop:
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(NODE_INSTALLED); \
	else echo "SKIPPED: interoperability tests need Node 20 with npm (Debian: apt install nodejs npm)"; fi

$(NODE_INSTALLED): tests/interop/package-lock.json
	cd tests/interop && npm ci --silent --no-audit --no-fund
	@touch $@

web: $(INSTALLED) ## The web scanner and the web wallet: style, types, build, tests
	@if command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)'; \
	then $(MAKE) --no-print-directory web-checks; \
	elif [ "$$ESC_NO_SKIP" = 1 ]; then echo "the web packages need Node 20 with npm, and ESC_NO_SKIP=1 forbids to skip"; exit 1; \
	else echo "SKIPPED: the web packages need Node 20 with npm (Debian: apt install nodejs npm)"; fi

# The wallet's tests show its codes to the scanner: both are built before either is tested.
web-checks: $(WEB_INSTALLED)
	@for folder in $(WEB); do (cd $$folder && npm run --silent lint && npm run --silent types && npm run --silent build) || exit 1; done
	@for folder in $(WEB); do (cd $$folder && npm run --silent test) || exit 1; done
	@if [ -x "$${ESC_CHROMIUM:-/usr/bin/chromium}" ]; then \
	$(MAKE) --no-print-directory -j2 --output-sync=target $(WEB:%=%/browser-tests); \
	elif [ "$$ESC_NO_SKIP" = 1 ]; then echo "the web packages' tests need Chromium, and ESC_NO_SKIP=1 forbids to skip"; exit 1; \
	else echo "SKIPPED: the web packages' tests need Chromium (Debian: apt install chromium; elsewhere: ESC_CHROMIUM=path)"; fi

# Both at once: they wait more than they compute.
%/browser-tests:
	@cd $* && npm run --silent test:browser

web-build: $(WEB_INSTALLED)
	@for folder in $(WEB); do (cd $$folder && npm run --silent build) || exit 1; done

%/node_modules/.installed: %/package-lock.json
	cd $* && npm ci --silent --no-audit --no-fund
	@touch $@

lock: ## Pin all packages anew, with hashes and without index addresses (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --all-extras --no-emit-index-url --custom-compile-command "make lock" pyproject.toml -o requirements.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --all-extras --group dev --no-emit-index-url --custom-compile-command "make lock" pyproject.toml -o requirements-dev.txt

clean: ## Remove what was installed and built
	rm -rf $(VENV) tests/interop/node_modules $(WEB:%=%/node_modules) $(WEB:%=%/dist) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .demo

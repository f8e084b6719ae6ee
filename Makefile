# Two commands: `make demo` and `make test`. Both set up what they need and may be run again.
PY ?= python3
PIP = .venv/bin/pip install --disable-pip-version-check --quiet --constraint constraints.txt
CONSOLE = hub/console
CONSOLE_SOURCES = $(wildcard hub/words/*.json) \
  $(shell find $(CONSOLE) -type f -not -path '*/node_modules/*' -not -path '*/dist/*')

.PHONY: demo test check setup setup-test console schema screenshots pictures clean

demo: setup
	.venv/bin/tianyan demo $(if $(VIDEO),--video "$(VIDEO)") $(ARGS)

test: setup-test check
	.venv/bin/pytest -n 3 --dist loadfile --no-loadscope-reorder

check: setup-test
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-cache

setup: .venv/demo console

setup-test: .venv/test $(CONSOLE)/node_modules/.checked

.venv/bin/python:
	@echo "Setting up Python in .venv (once, about a minute)"
	$(PY) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version) if sys.version_info < (3, 11) else None'
	$(PY) -m venv .venv

.venv/demo: .venv/bin/python pyproject.toml constraints.txt
	@echo "Installing Tianyan"
	$(PIP) --editable '.[demo]'
	@touch $@

.venv/test: .venv/demo pyproject.toml constraints.txt
	@echo "Installing what the tests need"
	$(PIP) --editable '.[test]'
	@touch $@

console: $(CONSOLE)/dist/index.html

HAS_NPM = command -v npm >/dev/null || { echo "Node 20 or newer with npm is needed to build the console"; exit 1; }
NPM_CI = $(HAS_NPM); cd $(CONSOLE) && npm ci --no-audit --no-fund --loglevel=error

# The packages that build the pages are of no use to the demo afterwards and are removed.
$(CONSOLE)/dist/index.html: $(CONSOLE_SOURCES)
	@echo "Building the console"
	@$(NPM_CI) && npm run --silent build
	rm -rf $(CONSOLE)/node_modules

# The browser tests take axe from the packages, so here they stay.
$(CONSOLE)/node_modules/.checked: $(CONSOLE_SOURCES)
	@echo "Checking and building the console"
	@$(NPM_CI) && npm run --silent check && npm run --silent build
	@touch $@

schema: .venv/demo
	.venv/bin/python -m wire.schema docs/reference/wire
	.venv/bin/python -m hub.evaluation.reference docs/reference/indicators.md

screenshots: setup-test
	.venv/bin/python -m tests.browser.screenshots docs/images

# What tests/browser/test_pictures.py compares with; look at each before it is committed.
pictures: setup-test
	TIANYAN_REDRAW=1 .venv/bin/pytest tests/browser/test_pictures.py

clean:
	rm -rf .venv $(CONSOLE)/dist $(CONSOLE)/node_modules

# Everything there is to type. `make` alone lists it; each target installs what it needs first.
#
#   PYTHON=python3.12   the Python to make .venv with (default: the newest of 3.11 to 3.14, then python3)
#   PYTEST_ARGS=...     replaces the arguments of pytest: make test PYTEST_ARGS="tests/unit -x"
#   DATABASE_URL=...    is passed on untouched: use that PostgreSQL instead of the embedded one
#   UPGRADE=1           lets `make lock` take newer releases

VENV := .venv/bin
CODE := src tests tools $(wildcard benchmarks) $(wildcard clients/python/src clients/python/tests)

# Two workers: the integration tests share one PostgreSQL server, each with databases of its own, and
# files stay whole so that what a file sets up is set up once.
PYTEST_ARGS ?= -n 2 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help demo web test check format bench soak docs-reference lock install install-run clean dist-clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

demo: install-run ## Start Tallystick, meter the traffic of several teams, show what they owe and the dashboard
	@$(VENV)/python -m tools.web --if-possible
	@$(VENV)/tallystick demo

web: install-run ## Build the dashboard
	@$(VENV)/python -m tools.web

test: check ## Check, then run every test
	@$(VENV)/python -m tools.web --if-possible
	@$(VENV)/python -m tools.browser
	@$(VENV)/python -m pytest $(PYTEST_ARGS)

check: install ## Style, types and architecture
	@$(VENV)/python -m ruff check .
	@$(VENV)/python -m ruff format --check --quiet . || { echo "Not formatted: run make format"; exit 1; }
	@$(VENV)/python -m mypy $(CODE)
	@$(VENV)/lint-imports --no-logo

format: install ## Rewrite the code in the project's style
	@$(VENV)/python -m ruff check --fix-only --quiet .
	@$(VENV)/python -m ruff format .

bench: install ## Measure, each figure next to its ceiling
	@$(VENV)/python -m benchmarks

soak: install ## Hours of load with killed processes
	@$(VENV)/python -m pytest -m soak -s -o faulthandler_timeout=7200

docs-reference: install ## Regenerate the reference from the code
	@$(VENV)/python -m tallystick.cli.reference

lock: ## Rewrite the locks from pyproject.toml (UPGRADE=1: to the newest releases)
	@sh tools/setup lock $(if $(UPGRADE),--upgrade)

install: ## Make .venv ready for working on Tallystick
	@sh tools/setup dev

install-run:
	@sh tools/setup run

clean: ## Remove caches and build results
	@rm -rf dist build .benchmarks .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	@find . -path ./.venv -prune -o -type d -name __pycache__ -exec rm -rf {} +

dist-clean: clean ## Remove .venv too; a database in .tallystick stays
	@rm -rf .venv

# make demo            try it: gateway, mail servers and sample mail in one process (LISTEN=0.0.0.0:8080 to share it)
# make test            all tests; as root on Debian it installs what tests/debian-packages.txt names
# make check           formatting, lint, types, import contracts
# make bench           measure against a real Dovecot
# make corpus          render thousands of real messages for three devices and judge every page (fetches a package)
# make messages        bring the catalogues of the languages up to what is said; then translate what is empty
# make clean           remove what these made
# ARGS="..." is handed on to pytest and to the bench.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp

.PHONY: demo test check bench corpus messages clean debian-packages

demo: $(STAMP)
	@exec $(BIN)/pocketpost demo $(if $(LISTEN),--listen $(LISTEN))

test: $(STAMP) debian-packages
	$(BIN)/python -bb -m pytest $(ARGS)

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP) debian-packages
	$(BIN)/python bench/run.py $(ARGS)

corpus: $(STAMP)
	$(BIN)/python -m tests.corpus.run $(if $(CORPUS),--folder $(CORPUS)) $(ARGS)

messages: $(STAMP)
	$(BIN)/python -m tests.languages.update

debian-packages:
	@.ci/debian-packages tests/debian-packages.txt

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name it: make PYTHON=python3.11" >&2; exit 1; }
	@$(BIN)/python -c 'import pip' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV) || { echo "On Debian: apt-get install python3-venv" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find gateway tests bench -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

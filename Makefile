# make demo            try it: gateway, mail servers and sample mail in one process (LISTEN=0.0.0.0:8080 to share it)
# make test            all tests; as root on Debian it installs what tests/debian-packages.txt names
# make matrix          every kind of mail server with every real client, the whole job on every mail store, longer sweeps
# make check           formatting, lint, types, import contracts
# make bench           measure against a real Dovecot
# make corpus          render thousands of real messages for three devices and judge every page (fetches a package)
# make chaos           a thousand mails under kills, cuts, a full state and mute servers; ten minutes at most
# make faults          a fault at each response of a conversation with the mail server; some ten minutes
# make walls           take away each wall of docs/security.md and see its test fail; some ten minutes
# make messages        bring the catalogues of the languages up to what is said; then translate what is empty
# make reference       write docs/configuration.md anew from the table of options
# make clean           remove what these made
# ARGS="..." is handed on to pytest, to the bench, to chaos, to faults and to walls.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp
CATALOGUES := $(patsubst %.po,%.mo,$(wildcard gateway/language/locale/*/LC_MESSAGES/*.po))

.PHONY: demo test matrix check bench corpus chaos faults walls messages reference clean debian-packages

demo: $(STAMP) $(CATALOGUES)
	@exec $(BIN)/pocketpost demo $(if $(LISTEN),--listen $(LISTEN))

# Empty is unset: many tests start the gateway anew, and it need not be compiled for each.
test matrix: export PYTHONDONTWRITEBYTECODE =
test: $(STAMP) $(CATALOGUES) debian-packages
	$(BIN)/python -bb -m pytest -n auto --dist worksteal -m "not matrix" $(ARGS)

matrix: $(STAMP) $(CATALOGUES) debian-packages
	$(BIN)/python -bb -m pytest -n auto --dist worksteal -m matrix -o python_files="test_*.py combinations.py whole_job.py" $(ARGS)

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP) $(CATALOGUES) debian-packages
	$(BIN)/python bench/run.py $(ARGS)

corpus: $(STAMP) $(CATALOGUES)
	$(BIN)/python -m tests.corpus.run $(if $(CORPUS),--folder $(CORPUS)) $(ARGS)

chaos: $(STAMP) $(CATALOGUES) debian-packages
	$(BIN)/python -bb -m tests.chaos.run $(ARGS)

faults: $(STAMP) $(CATALOGUES) debian-packages
	$(BIN)/python -bb -m tests.faults.run $(ARGS)

walls: $(STAMP) $(CATALOGUES) debian-packages
	$(BIN)/python -m tests.walls.run $(ARGS)

messages: $(STAMP)
	$(BIN)/python -m tests.language.update

reference: $(STAMP)
	$(BIN)/python -c 'from gateway.config.reference import reference; print(reference(), end="")' > docs/configuration.md

debian-packages: $(STAMP)
	@.ci/debian-packages tests/debian-packages.txt
	@$(BIN)/python -m tests.servers.unpacked

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name it: make PYTHON=python3.11" >&2; exit 1; }
	@$(BIN)/python -c 'import pip' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV) || { echo "On Debian: apt-get install python3-venv" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

$(CATALOGUES): %.mo: %.po hatch_build.py | $(STAMP)
	@$(BIN)/python hatch_build.py

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -f gateway/language/locale/*/LC_MESSAGES/*.mo
	find gateway tests bench -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

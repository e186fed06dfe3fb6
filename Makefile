# `make demo` and `make test` set up everything they need in .venv, from nothing. What there is: `make help`.
VENV ?= .venv
BIN := $(VENV)/bin
# On a terminal pip shows what it does, which may take minutes; elsewhere it is silent.
PIP := $(BIN)/python -m pip --disable-pip-version-check install $(if $(MAKE_TERMOUT),,--quiet) -c constraints.txt
# Tests start the command hundreds of times; compiling it each time would double their time.
export PYTHONDONTWRITEBYTECODE :=
EDITABLE := --no-build-isolation --editable

NEWEST ?= .venv-newest
ON_SOCKETS := tests/sockets tests/connecting tests/network tests/voice tests/phone/test_leg.py tests/routes/test_media_stream.py \
  tests/e2e/test_providers.py tests/e2e/test_hang_up.py

COMPILED ?= .compiled
ON_COMPILED := tests/call tests/doctor tests/network tests/phone tests/routes tests/sockets tests/voice tests/tape tests/records/recording \
  tests/e2e/test_providers.py tests/e2e/test_hang_up.py tests/e2e/test_lost_sessions.py tests/e2e/test_ground_truth.py

IS_NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))'
TELL_VERSION := -c 'import sys; print(*sys.version_info[:2], sep=".")'

# A virtual environment is made anew where it is missing, broken or moved, or of another Python than was asked for.
HAVE := $(shell grep -qs '$(abspath $(BIN))/python' $(BIN)/pip && $(BIN)/python $(TELL_VERSION) 2>/dev/null)
WANT := $(if $(PYTHON),$(shell $(PYTHON) $(TELL_VERSION) 2>/dev/null))
REUSED := $(and $(HAVE),$(if $(PYTHON),$(filter $(WANT),$(HAVE)),yes))
ifeq ($(REUSED),)
.PHONY: $(BIN)/python
endif

.PHONY: help dev provider demo demo-support demo-restaurant talk test newest check lint bench mutants clients compiled serve clean

help:
	@echo 'make demo    one simulated call, no account needed'
	@echo 'make demo-support, make demo-restaurant'
	@echo '             the same with tools: a line and the back end of examples/booking_server.py'
	@echo 'make talk    talk to a line in the browser, no account needed'
	@echo 'make dev     what developing needs, in $(VENV)'
	@echo 'make provider NAME=twilio'
	@echo '             all tests of one provider'
	@echo 'make test    everything that is checked: lint, types, layers, the configuration, the tests'
	@echo 'make newest  the tests of sockets and legs on the newest releases of all libraries, in .venv-newest'
	@echo 'make compiled  a wheel whose pure modules are compiled, and the tests of calls on it (a C compiler)'
	@echo 'make check   the same without the tests'
	@echo 'make serve   the gateway, as config/gateway.yaml says'
	@echo 'make bench   how fast it is (about 25 minutes)'
	@echo 'make mutants whether the tests notice small changes of behaviour (two hours)'
	@echo 'make clients clients of Voice Live by others, on the emulator (minutes; the package registries)'
	@echo 'make clean   remove .venv and what the tools left behind'
	@echo 'Another Python: make demo PYTHON=/path/to/python3.12'

demo: $(VENV)/.installed
	@$(BIN)/gateway demo

demo-support: $(VENV)/.installed
	@$(BIN)/python examples/play.py support

demo-restaurant: $(VENV)/.installed
	@$(BIN)/python examples/play.py restaurant

talk: $(VENV)/.installed
	@$(BIN)/gateway try --emulator $(LINE)

dev: $(VENV)/.installed-dev

provider: $(VENV)/.installed-dev
	@test '$(NAME)' || { echo 'Name the provider: make provider NAME=twilio' >&2; exit 1; }
	$(BIN)/pytest -q tests -k '$(NAME)'

# One process more than there are cores: some tests wait.
test: check
	$(BIN)/pytest -n $$($(BIN)/python -c 'import os; print(os.cpu_count() + 1)') --dist loadfile --no-loadscope-reorder

# On libraries as new as pyproject.toml allows, and not as constraints.txt pins them. Both ways of the sockets are tried.
newest: $(VENV)/.installed-dev
	@$(BIN)/python -m venv --clear $(NEWEST)
	@$(NEWEST)/bin/python -m pip --disable-pip-version-check install --quiet --upgrade hatchling editables
	@$(NEWEST)/bin/python -m pip --disable-pip-version-check install --quiet --upgrade $(EDITABLE) '.[dev]'
	@$(NEWEST)/bin/python -m pip list --outdated --format=columns | grep -E '^(Package|aiohttp|azure-ai-voicelive) ' || true
	$(NEWEST)/bin/python -m tests.newest
	$(NEWEST)/bin/pytest -q $(ON_SOCKETS)
	$(NEWEST)/bin/pytest -q --sockets public $(ON_SOCKETS)

# The wheel is left in $(COMPILED) too, unpacked; everything else of the tree is linked beside it.
compiled: $(VENV)/.installed-dev
	@rm -rf $(COMPILED) && mkdir $(COMPILED)
	@$(BIN)/python -m bench.compiled $(COMPILED)
	@for name in *; do [ -e $(COMPILED)/$$name ] || ln -s ../$$name $(COMPILED)/; done
	cd $(COMPILED) && $(abspath $(BIN))/python -m pytest -q -p no:cacheprovider -n 2 $(ON_COMPILED)

check: lint
	$(BIN)/gateway check

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --exclude "*.md" .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.installed-dev
	$(BIN)/python -m bench

mutants: $(VENV)/.installed-mutants
	$(BIN)/python -m tests.mutants
	$(BIN)/python -m tests.mutants.tool --sample 400

clients: $(VENV)/.installed-dev
	$(BIN)/python -m tests.clients

serve: $(VENV)/.installed
	@$(BIN)/gateway serve

$(BIN)/python:
	@python='$(PYTHON)'; \
	for each in $${python:-python3 python3.13 python3.12 python3.11}; do \
	  $$each $(IS_NEW_ENOUGH) 2>/dev/null || continue; \
	  echo 'Setting up $(VENV): half a minute, or a few on a slow line'; \
	  exec $$each -m venv --clear $(VENV); \
	done; \
	echo "Python 3.11 or newer is needed, and $${python:-python3} is not: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; \
	exit 1

$(VENV)/.installed: $(BIN)/python pyproject.toml constraints.txt
	@$(PIP) hatchling editables
	@$(PIP) $(EDITABLE) .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@$(PIP) $(EDITABLE) '.[dev]'
	@touch $@

$(VENV)/.installed-mutants: $(VENV)/.installed-dev
	@$(PIP) $(EDITABLE) '.[mutants]'
	@touch $@

clean:
	rm -rf $(VENV) $(NEWEST) $(COMPILED) build dist .hypothesis .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

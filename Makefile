# Everything there is to run. `make` alone says what.
PYTHON ?= python3
ARGS ?=

.PHONY: help demo up test check bench eval services services-stop lock clean

help:
	@echo "make demo           everything embedded, the demo calls through the front door (ARGS=--once exits)"
	@echo "make up             everything embedded, with your settings"
	@echo "make test           all tests, with the servers that they need"
	@echo "make check          style, types, dependency direction, migrations"
	@echo "make bench          the figures, as ratios in one run"
	@echo "make eval           precision and recall of the compliance rules over the labelled dialogues (ARGS=--half=dev)"
	@echo "make services       what the tests need: real S3 (Ceph RGW), LiveKit, a browser; make services-stop ends it"
	@echo "make lock           resolve the lock files anew"

demo: .venv/installed
	@.venv/bin/verbatim demo $(ARGS)

up: .venv/installed
	@.venv/bin/verbatim up $(ARGS)

test: .venv-dev/installed services
	.venv-dev/bin/python -m pytest $(ARGS)

check: .venv-dev/installed
	.venv-dev/bin/ruff check .
	.venv-dev/bin/ruff format --check .
	.venv-dev/bin/mypy
	.venv-dev/bin/lint-imports --no-cache
	.venv-dev/bin/python -m resources.migrations check
	.venv-dev/bin/python -m pytest --collect-only -q > /dev/null

bench: .venv-dev/installed
	.venv-dev/bin/python -m bench $(ARGS)

eval: .venv-dev/installed
	.venv-dev/bin/python -m tests.corpus.evaluate $(ARGS)

services:
	services/services.sh start

services-stop:
	services/services.sh stop

# The file `installed` is there when the environment is whole. The developers' one has PyTorch in it, for which uv takes seconds
# and pip minutes; uv is told of an index that pip is set up with, and trusts whom the system trusts, as pip does.
.venv/installed: requirements/runtime.lock pyproject.toml
	$(call empty-environment,.venv)
	@$(@D)/bin/python -m pip install $(QUIET) --require-hashes -r requirements/runtime.lock
	@$(@D)/bin/python -m pip install $(QUIET) --no-deps --no-build-isolation -e .
	@touch $@

.venv-dev/installed: requirements/dev.lock requirements/installer.lock pyproject.toml
	$(call empty-environment,.venv-dev)
	@$(@D)/bin/python -m pip install $(QUIET) --require-hashes -r requirements/installer.lock
	@index=$$($(@D)/bin/python -m pip config get global.index-url 2>/dev/null || true); \
		if [ -n "$$index" ]; then export UV_DEFAULT_INDEX="$$index"; fi; \
		$(@D)/bin/uv pip install --system-certs --quiet --python $(@D)/bin/python --require-hashes -r requirements/dev.lock
	@$(@D)/bin/python -m pip install $(QUIET) --no-deps --no-build-isolation -e .
	@touch $@

QUIET = --quiet --disable-pip-version-check

define empty-environment
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ": set PYTHON=/path/to/python3" if sys.version_info < (3, 11) else 0)'
	@echo "Installing into $(1) ..."
	@$(PYTHON) -m venv $(1) || { echo "python3 -m venv does not work here: install your system's package for it (Debian: python3-venv)" >&2; exit 1; }
endef

lock: .venv-dev/installed
	.venv-dev/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --no-strip-extras \
		pyproject.toml -o requirements/runtime.lock
	.venv-dev/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --no-strip-extras \
		--extra dev --extra diarization -c requirements/runtime.lock pyproject.toml -o requirements/dev.lock

clean:
	rm -rf .venv .venv-dev .mypy_cache .ruff_cache .pytest_cache *.egg-info

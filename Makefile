# All that this needs is make and a Python of at least 3.10; the rest it installs into .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check

# The tests of the large models have an environment of their own; nothing else needs torch.
# `torch` in one exact version is what a mirror of CPU builds can offer in place of PyPI's.
VENV_MODELS := .venv-models
TORCH ?= torch==2.13.0
# WhisperX pins an older torch and transformers, in builds for cards: 8 GB.
VENV_WHISPERX := .venv-whisperx
# The newest versions of all dependencies on the newest Python, and the lowest on the oldest.
VENV_NEWEST := .venv-newest
VENV_LOWEST := .venv-lowest
NDP    := plugins/navidrome/build/lyricsyncd.ndp
# Parsers of players, from npm, which the tests ask what they read in our files.
PLAYERS := tests/players/node_modules

.PHONY: help demo song test unit slow image test-image release-check test-models test-whisperx test-versions test-newest test-lowest test-plugins plugins players lint format clean
.DEFAULT_GOAL := help

help:
	@echo "make demo    see the service at work on a song made for the purpose"
	@echo "make test    run the tests; make unit: those that are quick"
	@echo "make test-models  only those of the large models (installs torch into .venv-models, and"
	@echo "             WhisperX with its own, 8 GB, into .venv-whisperx)"
	@echo "make test-versions  the quick tests and a song with the newest versions of all dependencies on the"
	@echo "             newest Python here, and with the lowest that are declared on the oldest"
	@echo "make players install parsers of players, which some tests ask (with npm)"
	@echo "make plugins build the plugin for Navidrome; make test-plugins: test this and beets'"
	@echo "make image   build the container image (docker, podman, or buildah as root); make test-image: run"
	@echo "             it on a song, without a network (needs root and buildah)"
	@echo "make release-check  check that what is committed can be released; leaves it in dist/"
	@echo "make lint    ruff, mypy, the layers of packages, and what is imported (deptry)"
	@echo "make format  let ruff put the code in form"
	@echo "make song    make the demo songs anew"
	@echo "make clean   remove everything that make made"

demo: $(VENV)/.installed
	$(BIN)/python -m demo.run_demo

test: unit slow test-plugins test-models test-versions

unit: $(VENV)/.tools players
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not slow and not plugins and not image"

slow: $(VENV)/.tools players
	$(BIN)/python -m pytest -n auto --dist loadfile -m "slow and not plugins and not image and not alone"
	$(BIN)/python -m pytest -m "alone"

players:
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(PLAYERS)/.installed || \
	  echo "players: npm could not install the players' parsers, so their tests are left out"; \
	  else echo "players: no npm here, so the tests that ask players' parsers are left out"; fi

$(PLAYERS)/.installed: tests/players/package-lock.json
	cd tests/players && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

test-plugins: plugins
	$(BIN)/python -m pytest -m plugins tests/plugins

# Navidrome's plugin needs Node.js to be built, and nothing of it to run.
plugins: $(VENV)/.plugins
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(NDP); \
	  else echo "plugins: no npm here, so Navidrome's plugin is neither built nor tested"; fi

$(NDP): $(wildcard plugins/navidrome/assembly/*.ts) $(addprefix plugins/navidrome/,build.mjs manifest.json package-lock.json)
	cd plugins/navidrome && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build

# IMAGE names it, EXTRAS says what is in it beside the base install, ARCH=arm64 or amd64 for which
# processor it is, if not for this computer's.
EXTRAS ?= identify
image:
	container/build.sh lite --build-arg EXTRAS="$(EXTRAS)"

test-image: $(VENV)/.tools
	$(BIN)/python -m pytest -m image tests/container

# TAG=v1.2.3: also that this very version is to be released.
release-check: $(VENV)/.tools
	$(BIN)/python -m release.check $(if $(TAG),--tag $(TAG))

test-models: $(VENV_MODELS)/.installed test-whisperx
	HF_HUB_OFFLINE=1 $(VENV_MODELS)/bin/python -m pytest tests/models

test-whisperx: $(VENV_WHISPERX)/.installed
	HF_HUB_OFFLINE=1 $(VENV_WHISPERX)/bin/python -m pytest tests/models/test_whisperx.py

test-versions: test-newest test-lowest

test-newest: $(VENV_NEWEST)/.installed
	$(VENV_NEWEST)/bin/python -m pytest -n auto --dist loadfile -m "not slow and not plugins and not image"
	$(VENV_NEWEST)/bin/python -m pytest tests/test_real_song.py

test-lowest: $(VENV_LOWEST)/.installed
	@if test -x $(VENV_LOWEST)/bin/python; then $(MAKE) --no-print-directory test-lowest-here; \
	  else echo "test-lowest: no Python is old enough for the lowest versions"; fi

test-lowest-here:
	$(VENV_LOWEST)/bin/python -m pytest -n auto --dist loadfile -m "not slow and not plugins and not image"
	$(VENV_LOWEST)/bin/python -m pytest tests/test_real_song.py

lint: $(VENV)/.tools
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/deptry lyricsyncd
	$(BIN)/deptry tests benchmarks demo release --exclude "^$$" --ignore DEP002,DEP004
	cd plugins/beets && $(CURDIR)/$(BIN)/deptry .

format: $(VENV)/.tools
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

song: $(VENV)/.installed
	$(BIN)/python -m demo.make_song

clean:
	rm -rf $(VENV) $(VENV_MODELS) $(VENV_WHISPERX) $(VENV_NEWEST) $(VENV_LOWEST) .demo build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -rf $(PLAYERS) plugins/navidrome/node_modules plugins/navidrome/build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps below let everything run again without a network.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
	  || { echo "lyricsyncd needs Python 3.10 or newer: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --upgrade "pip>=25.1"
	@touch $@

$(VENV)/.installed: $(VENV)/.made pyproject.toml hatch_build.py lyricsyncd/align/compiled/recursions.c
	$(PIP) install --quiet --editable .
	@touch $@

$(VENV)/.tools: $(VENV)/.installed
	$(PIP) install --quiet --group dev
	@touch $@

$(VENV_MODELS)/.installed: $(VENV)/.made pyproject.toml
	$(PYTHON) -m venv $(VENV_MODELS)
	$(VENV_MODELS)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(VENV_MODELS)/bin/python -m pip install --quiet "$(TORCH)"
	$(VENV_MODELS)/bin/python -m pip install --quiet --editable ".[all]" --group test
	@touch $@

$(VENV_WHISPERX)/.installed: $(VENV)/.made pyproject.toml
	$(PYTHON) -m venv $(VENV_WHISPERX)
	$(VENV_WHISPERX)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(VENV_WHISPERX)/bin/python -m pip install --quiet --editable ".[whisperx]" --group runner
	@touch $@

# What is declared, without the extras that need torch; uv alone can choose the lowest versions.
LIGHT := .[dask,identify,notify,whisper]
UV = UV_PYTHON_DOWNLOADS=never $(BIN)/uv

$(VENV_NEWEST)/.installed: $(VENV)/.tools pyproject.toml
	$(UV) venv --quiet --seed --clear --python "$$($(BIN)/python -m tests.pythons newest)" $(VENV_NEWEST)
	$(UV) pip install --quiet --python $(VENV_NEWEST) --editable "$(LIGHT)" --group test
	@touch $@

$(VENV_LOWEST)/.installed: $(VENV)/.tools pyproject.toml
	rm -rf $(VENV_LOWEST) && mkdir $(VENV_LOWEST)
	python=$$($(BIN)/python -m tests.pythons lowest) && test -z "$$python" || \
	  { $(UV) venv --quiet --seed --clear --python "$$python" $(VENV_LOWEST) && \
	    $(UV) pip install --quiet --python $(VENV_LOWEST) --resolution lowest-direct \
	      --editable "$(LIGHT)" --group test; }
	@touch $@

$(VENV)/.plugins: $(VENV)/.tools plugins/beets/pyproject.toml
	$(PIP) install --quiet --editable plugins/beets
	@touch $@

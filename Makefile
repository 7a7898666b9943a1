# make setup | demo | test | test-heavy | check | bench-labels | bench-quality | bench-train | bench-pretrain |
# bench-serve | hops
PYTHON ?= $(shell python3.11 -c '' 2>/dev/null && echo python3.11 || echo python3)
BIN := .venv/bin

.PHONY: setup demo test test-heavy check format bench-labels bench-quality bench-train bench-pretrain bench-serve hops clean

setup: .venv/.installed

.venv/.installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Propense needs Python 3.11 or newer; set PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[train,demo,dev]'
	touch $@

# Trains two models on real purchases, serves them, sends requests about two customers, stops.
demo: setup
	configs/demo.sh

# Format, lint, types, and the doors between the rooms.
check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy configs/oulad_files.py
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The checks run beside the tests; where they fail, what they print comes last. Byte code is kept, for the next run and
# for the services and commands that the tests start.
test: export PYTHONDONTWRITEBYTECODE =
test: setup
	@$(MAKE) --no-print-directory check > .venv/check.log 2>&1 & \
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder; tests=$$?; \
	wait $$! || { cat .venv/check.log; exit 1; }; exit $$tests

# What takes minutes, and many more examples of each property.
test-heavy: setup
	$(BIN)/pytest -m "heavy or hypothesis" --hypothesis-profile=many

# The files, functions and moves between files that a POST, a file and a training run enter, and the lines of each
# room. FILES=1 names the files.
hops: setup
	$(BIN)/python -m tests.benchmarks.hops $(if $(FILES),--files)

# 10 million events of a million customers, next to pandas; keeps 1.5 GB in .bench.
bench-labels: setup
	$(BIN)/python -m tests.benchmarks.label_speed.bench

# Ours and its peers on the data sets in a folder: DATA=FOLDER, and perhaps CASES="cdnow oulad" SEEDS="0 1 2"
# PEERS="catboost tabm" HEADS="mlp rnn" CASE_FOLDER=FOLDER. Writes tests/benchmarks/RESULTS.md; RENDER=1 only does that. FLIPS=20 trains each case with so
# many seeds instead, and counts what was published.
bench-quality: .venv/.bench
	$(BIN)/python -m tests.benchmarks.quality $(if $(DATA),--data '$(DATA)') $(if $(CASES),--cases $(CASES)) \
		$(if $(SEEDS),--seeds $(SEEDS)) $(if $(PEERS),--peers $(PEERS)) $(if $(HEADS),--heads $(HEADS)) \
		$(if $(CASE_FOLDER),--case-folder '$(CASE_FOLDER)') $(if $(RENDER),--render) $(if $(FLIPS),--flips $(FLIPS))

# What an epoch and a whole fit cost: SIZES="10000 100000" is shorter. Writes tests/benchmarks/RESULTS.md.
bench-train: .venv/.bench
	$(BIN)/python -m tests.benchmarks.training_speed $(if $(SIZES),--sizes $(SIZES)) $(if $(BUDGET),--budget $(BUDGET))

# Whether a self-supervised start helps with few labels; it writes there too.
bench-pretrain: setup
	$(BIN)/python -m tests.benchmarks.pretraining

# Requests over HTTP beside a route that does nothing: SECONDS=1 is shorter, SOAK=1000000 watches the memory,
# PEERS="litserve bentoml mlserver" installs these, to be measured too. Writes tests/benchmarks/RESULTS.md.
bench-serve: setup $(PEERS:%=.bench/serving/%/.installed)
	$(BIN)/python -m tests.benchmarks.serving $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SOAK),--soak $(SOAK))

# An environment of its own for each, in front of ours: they want other versions of the same packages.
SERVERS := litserve==0.2.19 bentoml==1.4.39 mlserver==1.7.1
.bench/serving/%/.installed: | .venv/.installed
	$(PYTHON) -m venv $(@D)
	$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
		> $$($(@D)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/ours.pth
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check $(filter $*==%,$(SERVERS))
	touch $@

.venv/.bench: .venv/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[train,demo,dev,bench]'
	touch $@

clean:
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis demo .bench

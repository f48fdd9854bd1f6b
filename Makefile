# Pumpside. `make run` starts the whole station on simulated pumps, `make test` runs every test; `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3.11
PY := .venv/bin/python
SEEDS ?= 2000
DELIVERIES ?= 100000
TIMES ?= 20
PORT ?=
PUMP ?= p1
YEARS ?= 1
# Tests of boards and whole stations that run by the clock: one after the other, with the machine to themselves.
REAL_TIME := hil_tests tests/board tests/link $(wildcard tests/test_*end_to_end.py tests/test_run*.py tests/test_bench_*.py \
	tests/test_supervisor.py tests/test_commissioning.py tests/cards/test_*_pump.py tests/cards/test_*_on_board.py \
	tests/dashboard/test_real_station.py)

.PHONY: help run test check lint types firmware sim hil flash lock audit clean \
	bench-memory bench-flash bench-link bench-ingest bench-cutoff bench-powercut bench-lists bench-tap bench-boot \
	bench-risk fuzz seed-data

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# The time to the first page counts what had to be installed.
export PUMPSIDE_STARTED_AT := $(shell date +%s)

run: .venv/.run ## the whole station with simulated pumps on the real firmware; Ctrl-C stops it
	@exec $(PY) -m station run --bench

test: .venv/.dev ## all tests, with the system packages they use (installed where root on Debian)
	@tools/system-packages.sh
	$(PY) -m pytest -n auto --dist loadfile $(REAL_TIME:%=--ignore=%) tests
	$(PY) -m pytest $(REAL_TIME)

check: lint types firmware ## all static checks

lint: .venv/.dev ## ruff
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: .venv/.dev ## mypy: strict on host and tools, with the ESP32 stubs on the firmware
	$(PY) -m tools.types

firmware: .venv/.dev ## every firmware module through mpy-cross
	$(PY) -m tools.image --out build/image

sim: .venv/.run ## deterministic simulation: SEEDS=2000, or SEED=n to replay one
	@$(PY) -m tools.sim $(if $(SEED),--seed $(SEED),--seeds $(SEEDS))

hil: .venv/.dev ## bench tests on simulated boards, or on real ones with PORT=/dev/ttyUSB0 RIG_PORT=/dev/ttyUSB1
	$(PY) -m pytest hil_tests $(if $(PORT),--port $(PORT)) $(if $(RIG_PORT),--rig-port $(RIG_PORT))

flash: .venv/.dev ## write a board: PORT=/dev/ttyUSB0 PUMP=p1 [INTERPRETER=esp32.bin] [ERASE=1] [ROMFS=1] [SIMULATED=1]
	$(PY) -m tools.flash --port "$(PORT)" --pump "$(PUMP)" $(if $(INTERPRETER),--firmware "$(INTERPRETER)") \
		$(if $(ERASE),--erase) $(if $(ROMFS),--romfs) $(if $(SIMULATED),--simulated)

bench-memory: .venv/.run ## peak heap of a whole sale with TLS in 50wK
	@$(PY) -m tools.bench_memory

bench-flash: .venv/.run ## programs and erases per record, years to wear, unsent capacity
	@$(PY) -m tools.bench_flash

bench-link: .venv/.run ## worst stall of the control tick while the broker is killed, stopped, restarted
	@$(PY) -m tools.bench_link

seed-data: .venv/.run ## an empty station gets a believable past: YEARS=1 [PUMPSIDE_DATA_DIR=var-demo]
	@$(PY) -m tools.seed_data --years $(YEARS)

bench-ingest: .venv/.run ## durable sales per second against plain executemany
	@$(PY) -m tools.bench_ingest

bench-cutoff: .venv/.run ## learned cut-off against fixed advances on the same customers: DELIVERIES=100000
	@$(PY) -m tools.bench_cutoff --deliveries $(DELIVERIES)

bench-powercut: .venv/.run ## power cut at every flash operation and card command of whole stories; EVERY=n takes every n-th
	@$(PY) -m tools.bench_powercut $(if $(EVERY),--every $(EVERY))

bench-lists: .venv/.run ## 100,000 cards in flash: look-up in board time, bytes an entry
	@$(PY) -m tools.bench_lists

bench-tap: .venv/.run ## how long a customer waits: tap to valve open, with a load, on an account
	@$(PY) -m tools.bench_tap --times 5

bench-boot: .venv/.run ## from power to the first control tick with a full journal
	@$(PY) -m tools.bench_boot

bench-risk: .venv/.run ## planted fraud found, false alarms per 1,000 sales
	@$(PY) -m tools.bench_risk

fuzz: .venv/.dev ## the fuzzing of the tests, longer: TIMES=20
	FUZZ=$(TIMES) $(PY) -m pytest -q tests/fuzz

audit: .venv/.dev ## known vulnerabilities in the locked dependencies
	$(PY) -m pip_audit --require-hashes --disable-pip -r requirements-dev.lock

lock: .venv/.dev ## compile the two lock files anew from pyproject.toml
	$(PY) -m uv pip compile $(LOCK) -o requirements.lock pyproject.toml
	$(PY) -m uv pip compile $(LOCK) --extra dev -c requirements.lock -o requirements-dev.lock pyproject.toml
# Hashes, every platform, and no download address.
LOCK := --quiet --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-header --no-annotate

clean: ## build results and caches; the station's data in var/ stays
	rm -rf build .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/.run: requirements.lock tools/setup.sh
	@PYTHON=$(PYTHON) tools/setup.sh requirements.lock $@

.venv/.dev: requirements-dev.lock .venv/.run
	@PYTHON=$(PYTHON) tools/setup.sh requirements-dev.lock $@

# Two commands do everything from nothing: `make demo` and `make test`.

PYTHON ?= python3
VENV := .venv
PIP := $(VENV)/bin/pip --disable-pip-version-check --quiet
CORE := $(VENV)/.core-installed
ALL := $(VENV)/.all-installed

.PHONY: demo train-demo test lint lock clean

demo: $(CORE)  ## Build the quickstart dataset into builds/quickstart.
	$(VENV)/bin/m5ser build recipes/quickstart.yaml

train-demo: $(ALL)  ## Train on builds/quickstart, building it first if need be; print the UA.
	test -d builds/quickstart/data || $(VENV)/bin/m5ser build recipes/quickstart.yaml
	$(VENV)/bin/m5ser train recipes/training/quickstart.yaml
	$(VENV)/bin/m5ser evaluate builds/models/quickstart

test: $(ALL)  ## Run the whole test suite, on up to four cores.
	OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -n logical --maxprocesses 4 --dist loadfile

lint: $(ALL)  ## Check style and types.
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

# torch comes with what its own wheel asks for (its CPU build asks for little, its CUDA build for
# CUDA's libraries); the rest is exactly what the lock says, without asking each package again.
define install
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@echo "installing $(1) into $(VENV); this takes a few minutes"
	$(PIP) install "$$(grep '^torch==' $(1))" -c $(1)
	$(PIP) install --no-deps -r $(1)
	$(PIP) install --no-deps --no-build-isolation -e .
	$(VENV)/bin/python -m pipeline.pretrained.torchaudio_cpu
	$(VENV)/bin/python -m flows.prefect_database
endef

$(CORE): requirements/core.lock pyproject.toml
	@$(call install,requirements/core.lock)
	@touch $@

$(ALL): requirements/all.lock pyproject.toml
	@$(call install,requirements/all.lock)
	@touch $@ $(CORE)

lock:  ## Write the lock files anew; needs uv, and a CPU build of torch where uv can find it.
	rm -f requirements/core.lock requirements/all.lock
	uv pip compile pyproject.toml --python-version 3.11 --override requirements/overrides.txt \
		--no-header --no-annotate --no-emit-find-links -q -o requirements/core.lock
	uv pip compile pyproject.toml --extra neural --extra train --extra watermark --extra dask --extra ray \
		--extra pretrain --extra test --python-version 3.11 \
		--override requirements/overrides.txt --no-header --no-annotate --no-emit-find-links -q \
		-o requirements/all.lock
	sed -i 's/+cpu//' requirements/*.lock
	! grep -iE 'nvidia|triton' requirements/*.lock

clean:  ## Remove what was built, but not the work store.
	rm -rf builds/quickstart build dist *.egg-info

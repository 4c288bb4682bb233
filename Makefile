# demo   the main job on real data, on screen           (KERAS_BACKEND=jax make demo)
# test   all that CI runs but demo, kills and old Keras (make test BACKEND=jax)
# test-all  the same, and on each backend what `test` runs on torch alone
# test-versions  contract, drop-ins and demo on the oldest and the newest Keras,
#        and on Python 3.11 and 3.13, in environments of their own
# test-oldest    the contract on the oldest Keras, in the one environment
# check  the linters and the import contract alone
# test-faults  kills trainings and searches, KILLS=50 times each on a backend, and
#        compares their ends
# test-ray  kills workers and drivers of searches with Ray, which it installs
# docs   the documentation, in docs/_build/html, and a look at it in a browser
# audit  real nets with the optimizers, hours of it   (AUDIT="--nets ResNet50")
# audit-replicas  all of the package on several devices (AUDIT="--kinds layers")
# bench  side by side against peers, as ratios          (or bench-images, ...)
#        bench-audio compares with audiomentations where that is installed
#
# Each sets itself up in .venv; a second run takes what is there.

PYTHON ?= $(or $(shell command -v python3.11),$(shell command -v python3))
VENV ?= .venv
BACKEND ?= tensorflow jax torch
# Options of pytest, as in `make test TESTS=--everywhere`.
TESTS ?=
DEMO_BACKEND := $(or $(KERAS_BACKEND),tensorflow)

# JAX exports its models through TensorFlow.
extras_tensorflow := tensorflow,plot
extras_jax := jax,tensorflow,plot
extras_torch := torch,plot

BIN := $(VENV)/bin
INSTALL := $(BIN)/pip install --disable-pip-version-check --quiet \
	--constraint .ci/constraints.txt
ONE_THREAD := OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 \
	TF_NUM_INTEROP_THREADS=1 TF_CPP_MIN_LOG_LEVEL=3

.PHONY: demo test test-torch-first test-torch-second \
	test-all test-faults test-ray \
	test-oldest test-versions check docs audit audit-replicas bench bench-images \
	bench-audio bench-image-gain bench-optimizers bench-optimizer-quality \
	bench-regularization bench-fit bench-text bench-tuning bench-checks \
	bench-gradient-tuning bench-curves bench-monitoring bench-updating \
	bench-recipe bench-compile-once bench-study clean \
	$(BACKEND:%=test-%)

demo: $(VENV)/.demo-$(DEMO_BACKEND)
	KERAS_BACKEND=$(DEMO_BACKEND) TF_CPP_MIN_LOG_LEVEL=3 \
		$(BIN)/python examples/quickstart.py

# Three at a time on two cores, since each now and then waits for its children.
test: $(VENV)/.test
	@$(MAKE) --no-print-directory --jobs=3 --output-sync=target --keep-going \
		$(BACKEND:%=test-%) docs check

# Slow and complete, for a release.
test-all:
	@$(MAKE) --no-print-directory test TESTS=--everywhere

# Slow ones first, so that the two cores end together.
$(BACKEND:%=test-%): $(VENV)/.test

PYTEST = @KERAS_BACKEND=$(1) $(ONE_THREAD) $(BIN)/python -m pytest -q \
	--durations=30 -o cache_dir=.pytest_cache/$@ $(TESTS)

test-tensorflow test-jax: test-%:
	@echo "== $* =="
	$(call PYTEST,$*)

# torch runs what the others leave out, so it is cut in two. `docs` looks at the
# site when it is built.
FIRST := tests/augmentation tests/callbacks tests/layers tests/optimizers \
	tests/regularizers tests/test_contract.py
SITE := tests/test_site.py tests/test_site_links.py
# The second waits for processes of its own, so it begins first.
test-torch: test-torch-second test-torch-first

test-torch-first: $(VENV)/.test
	@echo "== torch: $(FIRST) =="
	$(call PYTEST,torch) $(FIRST)

test-torch-second: $(VENV)/.test
	@echo "== torch: the rest =="
	$(call PYTEST,torch) tests $(FIRST:%=--ignore=%) $(SITE:%=--ignore=%)

# The promises and the classes that replace Keras' own.
CONTRACT := tests/test_contract.py tests/optimizers/algorithms/test_drop_ins.py

OLDEST_KERAS := 3.12.0
NEWEST_KERAS := 3.15.1
test-oldest: $(VENV)/.keras-$(OLDEST_KERAS)
	PYTHONPATH=$(CURDIR)/$(VENV)/keras-$(OLDEST_KERAS) KERAS_BACKEND=torch \
		$(ONE_THREAD) $(BIN)/python -m pytest -q -p no:cacheprovider $(CONTRACT) \
		-k "not torch_compile and not tf_data"

# Before the other packages on the path.
$(VENV)/.keras-%: $(VENV)/.test
	$(BIN)/pip install --disable-pip-version-check --quiet --no-deps \
		--target $(VENV)/keras-$* keras==$*
	@touch $@

test-versions:
	.ci/test-version python3.11 $(OLDEST_KERAS) $(CONTRACT)
	.ci/test-version python3.13 $(NEWEST_KERAS) $(CONTRACT)

KILLS ?= 50
test-faults: $(VENV)/.test
	@for backend in $(BACKEND); do \
		KERAS_BACKEND=$$backend $(ONE_THREAD) $(BIN)/python \
			tests/faults/kill_trainings.py --kills $(KILLS) || exit 1; \
		KERAS_BACKEND=$$backend $(ONE_THREAD) $(BIN)/python \
			tests/faults/kill_searches.py --kills $(KILLS) || exit 1; \
	done

# In a folder of its own, so that `test` skips it.
RAY := ray[tune]==2.60.0
test-ray: $(VENV)/.test
	$(BIN)/pip install --disable-pip-version-check --quiet \
		--constraint .ci/constraints.txt \
		--target $(VENV)/ray '$(RAY)'
	KERAS_BACKEND=torch $(ONE_THREAD) PYTHONPATH=$(CURDIR)/$(VENV)/ray \
		$(BIN)/python tests/faults/kill_ray.py

check: $(VENV)/.test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

docs: $(VENV)/.test
	TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python -m sphinx -W -n -q \
		docs docs/_build/html
	@KERAS_BACKEND=torch $(BIN)/python -m pytest -q -p no:cacheprovider $(SITE)

audit: $(VENV)/.test
	@for backend in $(BACKEND); do \
		KERAS_BACKEND=$$backend $(ONE_THREAD) $(BIN)/python \
			benchmarks/audit_real_nets.py $(AUDIT) || exit 1; \
	done

# Keras spreads no training over devices on torch.
audit-replicas: $(VENV)/.test
	@for backend in $(filter-out torch,$(BACKEND)); do \
		KERAS_BACKEND=$$backend $(ONE_THREAD) $(BIN)/python \
			benchmarks/audit_replicas.py $(AUDIT) || exit 1; \
	done

# Beside these, bench-optimizer-quality and bench-image-gain, which measure no
# speed; bench-regularization, which measures both cost and gain; bench-tuning,
# which compares with Optuna where that is installed; bench-checks, an hour for
# each backend, of which each part can be run alone; bench-gradient-tuning,
# bench-curves, bench-monitoring, bench-updating, bench-recipe and
# bench-compile-once; bench-study, hours that go on
# where they stopped (STUDY="--size 5000 --minutes 120 --share 0/2").
bench: bench-images bench-audio bench-text bench-optimizers bench-fit

bench-images: $(VENV)/.bench

bench-images bench-audio bench-image-gain bench-optimizers \
bench-optimizer-quality bench-regularization bench-fit bench-text \
bench-tuning bench-gradient-tuning bench-checks bench-curves \
bench-monitoring bench-updating bench-recipe bench-compile-once: bench-%: \
$(VENV)/.test
	$(ONE_THREAD) $(BIN)/python benchmarks/bench_$(subst -,_,$*).py

STUDY ?=
bench-study: $(VENV)/.test
	$(ONE_THREAD) $(BIN)/python benchmarks/bench_study.py $(STUDY)

clean:
	rm -rf $(VENV) build dist docs/_build demo_output *.egg-info

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo-%: setup.cfg .ci/constraints.txt | $(BIN)/python
	@echo "Installing into $(VENV); this takes a few minutes once ..."
	$(INSTALL) --editable '.[$(extras_$*)]'
	@touch $@

$(VENV)/.bench: setup.cfg .ci/constraints.txt | $(VENV)/.test
	$(INSTALL) --editable '.[bench]'
	@touch $@

$(VENV)/.test: setup.cfg .ci/constraints.txt | $(BIN)/python
	@echo "Installing into $(VENV); this takes a few minutes once ..."
	$(INSTALL) --editable '.[tensorflow,jax,torch,plot,test,docs]'
	@touch $@

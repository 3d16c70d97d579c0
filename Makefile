# Everything a checkout can do. Needs git, make and Python 3.11 or newer with
# its venv module; each target makes what else it needs, once, under .venv.

# A Python of your own choice: make demo PYTHON=/opt/python3.12/bin/python3
PYTHON =
# For make demo: make demo DB=mysql MODE=eventlet INSTANCES=10 KEEP=1
# PROFILER=stacks METRICS=prometheus
DB =
MODE =
INSTANCES =
KEEP =
PROFILER =
METRICS =
# For make demo-cloud, which takes KEEP and NEUTRON_MS as well:
# make demo-cloud SERVERS=20 CLIENTS=4 KEYSTONE_MS=20 GLANCE_MS=20
SERVERS =
CLIENTS =
KEYSTONE_MS =
GLANCE_MS =
# For make pictures: make pictures DUMPS=.state/demo/dumps
DUMPS =
# For make dist, the addresses in the packages' metadata:
# make dist URLS="Source=https://... Issues=https://..."
URLS =
# For the test targets: make fast ARGS='-k routes'
ARGS =

BIN = .venv/bin
RUN = $(BIN)/python
# All processes of the tests, and all runs, share what is compiled once.
PYTEST = PYTHONDONTWRITEBYTECODE= PYTHONPYCACHEPREFIX="$(CURDIR)/.venvs/pycache" \
	$(RUN) -m pytest -q
# Builds happen in environments of their own; this pins these, too. Only
# errors are printed, on a terminal a dot as a sign of life, and what the
# machine's own pip configuration sets holds.
PIP = PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt \
	PIP_ROOT_USER_ACTION=ignore $(RUN) -m pip \
	--disable-pip-version-check -qq install -c constraints.txt
install = @dots=; \
	if [ -t 1 ]; then (while sleep 2 && kill -0 $$$$; do printf .; done) & dots=$$!; fi; \
	$(PIP) $(1); failed=$$?; \
	if [ -n "$$dots" ]; then kill $$dots; echo; fi; exit $$failed

# Finds the first Python that really runs, suits and can make environments: a
# name on PATH may be a shim with nothing behind it. The versions that
# constraints.txt was tried with come first, newer ones after them.
FIND_PYTHON = found=; for below in 14 99; do \
	for python in $(or $(PYTHON),python3 python3.13 python3.12 python3.11); do \
	if [ -z "$$found" ] && "$$python" -c "import ensurepip, sys, venv; \
sys.exit(not (3, 11) <= sys.version_info[:2] < (3, $$below))" \
	>/dev/null 2>&1; then found=$$python; fi; done; done

.PHONY: help demo demo-cloud pictures test fast slow functional \
	nova-functional other-services firefox-profiler injection bench fuzz \
	lint docs dist clean clean-all

help:  ## this list
	@echo "make TARGET, where TARGET is one of"
	@sed -n 's/^\([a-z-]*\):.*## /  \1|/p' Makefile | \
	while IFS='|' read -r name what; do \
	printf '%-18s %s\n' "$$name" "$$what"; done
	@echo "make demo takes MODE=threads|eventlet|uwsgi, DB=sqlite|mysql,"
	@echo "INSTANCES=10, NEUTRON_MS=300 (makes its neutron slow; 0 if not given),"
	@echo "KEEP=1 (serve on afterwards) and, for others than stacks,"
	@echo "PROFILER=none|pyinstrument|cprofile, METRICS=prometheus for what a real"
	@echo "Prometheus answers, METRICS=otlp for what a receiver of OTLP gets;"
	@echo "make demo-cloud takes"
	@echo "SERVERS=20, CLIENTS=4, KEYSTONE_MS=20, NEUTRON_MS=100, GLANCE_MS=20,"
	@echo "KEEP=1; the others ARGS='...'"

demo: .venv/demo-ready  ## the real nova-api under load, and what the filter wrote
	@$(RUN) -m demo $(if $(DB),--db $(DB)) $(if $(MODE),--mode $(MODE)) \
		$(if $(INSTANCES),--instances $(INSTANCES)) \
		$(if $(KEEP),--keep) $(if $(PROFILER),--profiler $(PROFILER)) \
		$(if $(METRICS),--metrics $(METRICS)) $(ARGS)

demo-cloud: .venv/cloud-ready  ## all of nova's services, and one server's creation as one picture
	@$(RUN) -m demo.cloud $(if $(SERVERS),--servers $(SERVERS)) \
		$(if $(CLIENTS),--clients $(CLIENTS)) \
		$(if $(KEYSTONE_MS),--keystone-ms $(KEYSTONE_MS)) \
		$(if $(NEUTRON_MS),--neutron-ms $(NEUTRON_MS)) \
		$(if $(GLANCE_MS),--glance-ms $(GLANCE_MS)) \
		$(if $(KEEP),--keep) $(ARGS)

pictures: .venv/tests-ready  ## pictures of the pages for README and manual, of a run of the demo or DUMPS=folder; needs Chromium
	@test -n "$(DUMPS)" || NEUTRON_MS=50 $(RUN) -m demo --requests 60
	@$(RUN) -m demo.pictures $(DUMPS)

test: fast slow functional  ## all tests, each once: the fast ones first, the real nova-api last

# On all cores, up to eight: each process imports all tests first.
fast: .venv/tests-ready  ## the tests that need no nova, a minute on two cores
	@echo "== tests without nova"
	@$(PYTEST) --ignore=tests/functional -m "not slow" \
		-n logical --maxprocesses 8 --dist worksteal $(ARGS)

slow: .venv/tests-ready  ## those of them that take more than a few seconds
	@echo "== slow tests without nova, a few minutes"
	@$(PYTEST) --ignore=tests/functional -m slow \
		-n logical --maxprocesses 8 --dist worksteal $(ARGS)

# Two at a time: a nova-api, its clients and its database share the processors.
functional: .venv/tests-ready  ## the tests with the real nova-api
	@echo "== tests with the real nova-api, a few minutes"
	@$(PYTEST) tests/functional -n 2 --dist loadfile $(ARGS)

nova-functional: .venv/tests-ready  ## nova's own functional tests with filter and driver and without, about 20 minutes; ARGS="--profiler stacks" with stacks
	@$(RUN) -m tests.functional.nova_suite $(ARGS)

other-services: .venv/made  ## placement, keystone, glance, cinder, neutron, ironic with the filter and without, some minutes and 1.6 GB once; ARGS=keystone
	@$(RUN) -m tests.other_services $(ARGS)

injection: .venv/tests-ready  ## a fault at each instruction of ours in a request, a few minutes
	@echo "== a fault at each instruction of ours in a request"
	@NOVA_PROFILER_INJECTION=all $(PYTEST) tests/capture/injection $(ARGS)

firefox-profiler:  ## the real Firefox Profiler for its functional test, once; needs npm
	@npm install --silent --no-save --no-package-lock \
		--prefix .state/firefox-profiler \
		@firefox-devtools/profiler-cli@0.10.0 node@24.21.0

bench: .venv/bench-ready  ## the filter's price beside that of its peers
	@$(RUN) -m benchmarks $(ARGS)

fuzz: .venv/tests-ready  ## made-up bytes for all that reads what others wrote, 10 minutes each; ARGS="--seconds 20 --only dump", "lines", "archives"
	@$(RUN) -m fuzz $(ARGS)

lint: .venv/checks-ready  ## style, types, import arrows, release notes
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/codespell
	@$(BIN)/shellcheck --shell bash devstack/settings devstack/plugin.sh \
		tests/programs/devstack_functions.sh
	@$(BIN)/mypy --strict nova_profiler
	@$(BIN)/lint-imports
	@$(BIN)/reno -q lint

docs: .venv/checks-ready  ## the manual, to doc/build/html
	@$(BIN)/sphinx-build -q -W --keep-going -b html doc/source doc/build/html
	@echo "doc/build/html/index.html"

dist: .venv/dist-ready  ## sdist, wheel and a bill of materials, to dist; audits what they need; URLS="Source=https://..."
	@NOVA_PROFILER_URLS="$(URLS)" $(RUN) .ci/dist.py

clean:  ## remove what runs and builds left, keep the environment
	@rm -rf .state build dist share doc/build .pytest_cache .mypy_cache \
		.ruff_cache .hypothesis .venvs/pycache
	@find . -name .venv -prune -o -name __pycache__ -type d -print | \
		xargs rm -rf

clean-all: clean  ## remove the environment as well
	@rm -rf .venv .venvs *.egg-info

.venv/made:
	@$(FIND_PYTHON); \
	if [ -z "$$found" ]; then echo "nova-profiler needs Python 3.11 or \
newer with its venv module: install python3 and python3-venv, or name one \
with make PYTHON=/path/to/python3" >&2; exit 1; fi; \
	echo "making .venv with $$("$$found" --version)"; \
	"$$found" -m venv --clear .venv
	@touch $@

.venv/demo-ready: .venv/made constraints.txt setup.cfg demo/requirements.txt
	@echo "installing nova 34.0.0 and 138 more packages into .venv, a minute, once"
	$(call install,-r demo/requirements.txt -e .)
	@touch $@

.venv/cloud-ready: .venv/demo-ready demo/cloud/requirements.txt
	@echo "installing placement into .venv, once"
	$(call install,-r demo/cloud/requirements.txt)
	@touch $@

.venv/tests-ready: .venv/demo-ready tests/requirements.txt \
		tests/functional/requirements.txt
	@echo "installing what the tests need into .venv, once"
	$(call install,-r tests/requirements.txt -r tests/functional/requirements.txt)
	@touch $@

.venv/bench-ready: .venv/demo-ready benchmarks/requirements.txt
	@echo "installing the profilers to compare with into .venv, once"
	$(call install,-r benchmarks/requirements.txt)
	@touch $@

.venv/checks-ready: .venv/made constraints.txt setup.cfg \
		tests/requirements.txt tests/requirements-lint.txt
	@echo "installing the checkers into .venv, once"
	$(call install,-r tests/requirements.txt -r tests/requirements-lint.txt -e .)
	@touch $@

.venv/dist-ready: .venv/made constraints.txt setup.cfg tests/requirements-dist.txt
	@echo "installing what builds and audits packages into .venv, once"
	$(call install,-r tests/requirements-dist.txt -e .)
	@touch $@

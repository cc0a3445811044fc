# make demo    builds, replays a reconstruction of North Korea's outages of December 2014, says what it found
# make test    everything that is asked of a change
# make bench   the benchmarks
# make lab     real routers in network namespaces, real outages, and whether they are reported as they were (root, 7 min)
#
# One tool is needed: Rust 1.95 or later (https://rustup.rs). The rest is installed or named.

CARGO ?= cargo
# Where cargo builds: some set it for all they build.
TARGET = $(or $(CARGO_TARGET_DIR),target)
# Where `make demo` works.
DEMO ?= demo
# Where `make tests` leaves the number of tests that lacked what they need.
PASSED_OVER = $(TARGET)/tests-passed-over

.PHONY: demo test needs format lint tests docs fuzz-check deny advisories bench lab clean

demo:
	$(CARGO) build --release --locked --package gonedark
	$(TARGET)/release/gonedark demo --out $(DEMO)
	@echo
	@echo "The page for people:  $(CURDIR)/$(DEMO)/report.html"
	@echo "The picture alone:    $(CURDIR)/$(DEMO)/graph.svg"
	@echo "The archives:         $(CURDIR)/$(DEMO)/archives"

test: needs format lint tests docs fuzz-check deny
	@echo "make test: all good, $$(cat $(PASSED_OVER)) tests passed over"

# Debian's bgpdump and Python are the other opinion in some tests.
needs:
	@scripts/test-needs.sh

format:
	$(CARGO) fmt --all --check

lint:
	$(CARGO) clippy --workspace --all-targets --all-features --locked -- -D warnings

tests:
	@scripts/tests.sh $(PASSED_OVER) $(CARGO) test --workspace --all-features --locked

docs:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --document-private-items --locked

# A workspace of its own. The targets are checked, not linked: that needs no nightly compiler.
fuzz-check:
	@if [ -f fuzz/Cargo.toml ]; then \
	    set -x; $(CARGO) check --manifest-path fuzz/Cargo.toml --locked --target-dir target/fuzz; \
	else \
	    echo "fuzz: no targets here, passed over"; \
	fi

deny:
	@if $(CARGO) deny --version >/dev/null 2>&1; then \
	    set -x; $(CARGO) deny --all-features check licenses bans sources; \
	else \
	    echo "cargo-deny is not installed, passed over (cargo install --locked cargo-deny)"; \
	fi

# Asks the list of known weaknesses, which needs the network.
advisories:
	$(CARGO) deny --all-features check advisories

bench:
	$(CARGO) bench --workspace --locked --benches
	@if [ -x scripts/bench.sh ]; then scripts/bench.sh; fi

lab:
	scripts/lab-needs.sh
	$(CARGO) build --release --locked --package gonedark
	GONEDARK="$${GONEDARK:-$(TARGET)/release/gonedark}" lab/live.sh

clean:
	$(CARGO) clean
	rm -rf $(DEMO) target/fuzz

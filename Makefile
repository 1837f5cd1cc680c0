# The ways in. `make demo` and `make test` are all a newcomer needs; the rest are the parts they are made of.
#
# ocpi-kit declares Rust 1.96 and builds on 1.95, hence the flag; it goes when the toolchain arrives there.
CARGO_FLAGS := --ignore-rust-version --locked
LEYDEN      := target/release/leyden
VENV        := target/venv
PEERS       := target/peers
RIVALS      := target/rivals
PEERS_ENV   := LEYDEN_PYTHON=$(abspath $(VENV))/bin/python LEYDEN_NODE_MODULES=$(abspath $(PEERS))/node_modules
# of `make fuzz`: how long each target runs, and which ones; all where none is named
FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?=

.DEFAULT_GOAL := help
.PHONY: help demo build test fmt lint unit e2e interop fuzz ui ui-test browser tools bench tour performance rivals clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## / — /' | sort

demo: build ## build everything, start the whole network on loopback, print one URL and random logins
	$(LEYDEN) demo

build: ui ## the binary with the pages in it: target/release/leyden
	cargo build $(CARGO_FLAGS) --release -p leyden

ui: ui/dist/index.html ## build the pages

ui/dist/index.html: ui/package-lock.json $(shell find ui/src ui/public ui/index.html ui/vite.config.ts -type f 2>/dev/null)
	cd ui && npm ci --no-audit --no-fund && npm run build
	@touch $@

test: tools fmt lint unit ui-test e2e browser ## everything that CI runs; installs what it needs

tools: ## Debian packages (as root), Python and npm packages that the tests need
	sh scripts/tools.sh $(VENV) $(PEERS)

fmt:
	cargo fmt --all --check

lint: ui ## clippy with warnings denied, and the project's own checks
	cargo clippy $(CARGO_FLAGS) --workspace --all-targets -- -D warnings
	cargo run --quiet $(CARGO_FLAGS) -p xtask
	cargo check $(CARGO_FLAGS) --manifest-path fuzz/Cargo.toml --target-dir target --bins

unit: ui ## unit, table and property tests of every crate
	cargo test $(CARGO_FLAGS) --workspace --exclude e2e

ui-test: ui ## types and unit tests of the pages
	cd ui && npm run check && npm test

e2e: ui tools ## the real binary: flows, fifty kills, foreign stations, bad input of every kind
	cargo build $(CARGO_FLAGS) -p leyden
	$(PEERS_ENV) cargo test $(CARGO_FLAGS) -p e2e -- --nocapture --test-threads=1

interop: tools ## programs of others that no registry has: those that LEYDEN_PEER_… name, and loudly which are skipped
	cargo build $(CARGO_FLAGS) -p leyden
	$(PEERS_ENV) cargo test $(CARGO_FLAGS) -p e2e --test network source_peers -- --ignored --nocapture --test-threads=1

fuzz: ## fuzz every decoder, FUZZ_SECONDS each (or FUZZ_TARGETS); stops at the first input that breaks a rule
	sh scripts/fuzz.sh $(FUZZ_SECONDS) $(FUZZ_TARGETS)

browser: ui tools ## the pages of a running demo in a real headless Chromium
	cargo build $(CARGO_FLAGS) -p leyden
	cd ui && LEYDEN_BIN=$(abspath target/debug/leyden) npm run e2e

tour: build ## the flows once, without a browser; the report says which held
	$(LEYDEN) demo --tour --report target/tour.json

bench: build ## what the line costs, beside its floor, in one run
	$(LEYDEN) bench line --report target/bench-line.json

# fifteen minutes on two quiet cores, most of them to fill a hub's index; each part can be run alone
performance: build ## that, crowds, a storm, hammering peers and the road, written into docs/performance.md with the rivals of `make rivals`
	$(LEYDEN) bench line --report target/bench-line.json > target/bench-line.md
	$(LEYDEN) bench crowd --report target/bench-crowd.json > target/bench-crowd.md
	$(LEYDEN) bench storm --report target/bench-storm.json > target/bench-storm.md
	$(LEYDEN) bench hammer --report target/bench-hammer.json > target/bench-hammer.md
	$(LEYDEN) bench road --report target/bench-road.json > target/bench-road.md
	touch target/bench-rivals.md
	cat docs/performance.head.md $(addprefix target/bench-,$(addsuffix .md,line crowd storm hammer road rivals)) > docs/performance.md

rivals: build tools ## other open central systems under the same loader, for `make performance` to show
	sh scripts/rivals.sh $(abspath $(LEYDEN)) $(abspath $(VENV)) $(abspath $(PEERS)) $(abspath $(RIVALS)) target/bench-rivals.json > target/bench-rivals.md

clean: ## forget builds and the demo's data
	cargo clean
	rm -rf ui/node_modules ui/dist/assets ui/dist/index.html var

# Each target is what CI runs, and installs what it lacks: `make serve` is all a new user needs.

# wasm-bindgen's two halves must be equal: this is the version in Cargo.toml.
WASM_BINDGEN := 0.2.130
CARGO_LEPTOS := 0.3.11
CARGO_AUDITABLE := 0.7.7
CARGO_DENY := 0.20.2
CARGO_FUZZ := 0.13.2
# Not locked: its lock file names a crate that the registry no longer serves.
BINDGEN_HOW := --debug --no-default-features
# One of its crates declares a newer compiler than it needs. It shall use the tools that are here.
LEPTOS_HOW := --locked --debug --ignore-rust-version --no-default-features --features no_downloads

TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
GAPLESS := $(TARGET)/release/gapless
LOAD := $(TARGET)/release/load
FUZZED := $(basename $(notdir $(wildcard end2end/fuzz/fuzz_targets/*.rs)))
# Sanitizers ask for a nightly compiler, and look for what code without `unsafe` cannot do.
FUZZ_HOW := --fuzz-dir end2end/fuzz --sanitizer none --codegen-units 16 --target-dir $(TARGET)
SOURCES := Cargo.toml Cargo.lock .cargo/config.toml rust-toolchain.toml \
  $(shell find app frontend public server style -type f -not -path '*/tests/*')

export GAPLESS
export DEBIAN_FRONTEND := noninteractive
export PATH := $(HOME)/.cargo/bin:$(PATH)
# Tools are run a few times and built once; what they rest on has to suit our compiler.
tools build-tools test-tools: export CARGO_PROFILE_DEV_DEBUG := 0
tools build-tools test-tools: export CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS := fallback
# It would replace the flags that keep the browser's half loadable in Chrome 90.
unexport RUSTFLAGS

SUDO := $(shell [ "$$(id -u)" = 0 ] || command -v sudo)
APT := $(SUDO) apt-get install --yes --no-install-recommends
# apt COMMAND, PACKAGE: installs the package unless the command is there. What an old list names may
# be gone, or be a browser that the tests cannot drive any more.
apt = command -v $(1) >/dev/null || { $(SUDO) apt-get update && $(APT) $(2); }
# tool COMMAND, VERSION, HOW: installs a tool unless it is there in that version.
tool = $(1) --version 2>/dev/null | grep -qwF '$(2)' || cargo install $(3)

.PHONY: serve build dev test bench fmt lint fences supply pure unit fuzz wasm page trials
.PHONY: tools build-tools test-tools
.NOTPARALLEL:

serve: build
	$(GAPLESS) serve

# One file that serves everything.
build: $(GAPLESS)

# The site is built and compressed first; the server, compiled after it, carries it inside.
$(GAPLESS): $(SOURCES) | build-tools
	cargo leptos build --release --precompress --cargo-locked
	touch $@

# Builds and reloads whenever a file is saved.
dev: build-tools
	cargo leptos watch -- serve

# What the README's figures come from: twenty-five minutes on a machine that does nothing else.
bench: build $(LOAD)
	cargo bench --locked -p dialect -p gateway -p identity -p store
	mkdir -p $(TARGET)/bench
	$(LOAD) bench --json $(TARGET)/bench/figures.json --html $(TARGET)/bench/figures.html | \
	  tee $(TARGET)/bench/figures.md

# Everything CI runs, the quick checks first.
test: fmt fences supply lint pure unit fuzz wasm page trials

fmt:
	cargo fmt --all --check
	cargo fmt --manifest-path end2end/fuzz/Cargo.toml --check

lint: build-tools
	cargo clippy --locked --workspace --all-targets -- -D warnings
	cargo clippy --locked --target wasm32-unknown-unknown \
	  -p protocol -p link -p ui -p frontend -- -D warnings
	cargo clippy --locked --manifest-path end2end/fuzz/Cargo.toml --target-dir $(TARGET) \
	  --bins -- -D warnings

# What each crate may see.
fences:
	cargo fetch --locked
	.ci/fences

# Licences and sources of what comes with us.
supply: test-tools
	cargo deny --offline --locked check licenses bans sources

# The rules alone.
pure:
	timeout 10m cargo pure --locked

unit: test-tools
	GAPLESS_FEWER=20 GAPLESS_PYTHON=$(CURDIR)/end2end/.venv/bin/python \
	  timeout 20m cargo all --locked

# Whatever reads foreign bytes, against bytes that nobody thought of. What is found on the way goes
# into a folder that is forgotten: the corpus grows by hand alone.
fuzz: build-tools test-tools
	cargo fetch --locked --manifest-path end2end/fuzz/Cargo.toml
	cargo fuzz build $(FUZZ_HOW)
	scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT; \
	for target in $(FUZZED); do \
	  mkdir "$$scratch/$$target"; \
	  cargo fuzz run $(FUZZ_HOW) $$target "$$scratch/$$target" end2end/fuzz/corpus/$$target -- \
	    -max_total_time=15 -rss_limit_mb=1024 || exit 1; \
	done

# The words and the link again, in a browser.
wasm: build-tools test-tools
	CHROMEDRIVER=/usr/bin/chromedriver timeout 10m \
	  cargo test --locked --target wasm32-unknown-unknown -p protocol -p link --test vectors

# The page in three browsers, and other people's clients, against the one file.
page: build test-tools
	readelf --sections $(GAPLESS) | grep -qF .dep-v0
	cd end2end && timeout 25m npx playwright test

# Hundreds of faults of the line, and a server that is killed each second for a minute.
trials: build $(LOAD)
	timeout 5m $(LOAD) faults --seconds 20 --seed 7
	timeout 5m $(LOAD) kill --seconds 60
	timeout 5m $(LOAD) uplink --seconds 30 --cut 20 --seed 7

$(LOAD): $(SOURCES) $(shell find end2end/load -name '*.rs')
	cargo build --release --locked -p load
	touch $@

tools: build-tools test-tools

build-tools:
	@$(call apt,cc,build-essential)
	@$(call apt,wasm-opt,binaryen)
	@rustup show active-toolchain >/dev/null 2>&1 || rustup toolchain install
	@rustup target list --installed | grep -q wasm32-unknown-unknown || \
	  rustup target add wasm32-unknown-unknown
	@$(call tool,wasm-bindgen,$(WASM_BINDGEN),wasm-bindgen-cli@$(WASM_BINDGEN) $(BINDGEN_HOW))
	@$(call tool,cargo leptos,$(CARGO_LEPTOS),cargo-leptos@$(CARGO_LEPTOS) $(LEPTOS_HOW))
# It passes all its arguments on, `--version` too.
	@cargo install --list | grep -qF 'cargo-auditable v$(CARGO_AUDITABLE)' || \
	  cargo install cargo-auditable@$(CARGO_AUDITABLE) --locked --debug

test-tools: end2end/.browsers/chromium90 end2end/.venv
	@$(call apt,chromium,chromium)
	@$(call apt,chromedriver,chromium-driver)
	@$(call apt,firefox-esr,firefox-esr)
	@$(call apt,socat,socat)
	@$(call apt,curl,curl)
	@$(call apt,openssl,openssl)
	@PATH=$$PATH:/usr/sbin; $(call apt,nginx,nginx-light)
	@$(call tool,cargo deny,$(CARGO_DENY),cargo-deny@$(CARGO_DENY) --locked --debug)
	@$(call tool,cargo fuzz,$(CARGO_FUZZ),cargo-fuzz@$(CARGO_FUZZ) --locked --debug)

end2end/node_modules: end2end/package-lock.json
	cd end2end && npm ci --ignore-scripts
	touch $@

end2end/.browsers/chromium90: end2end/node_modules end2end/browsers.mjs
	cd end2end && node browsers.mjs
	touch $@

end2end/.venv: end2end/requirements.txt
	@python3 -c 'import ensurepip' 2>/dev/null || { $(SUDO) apt-get update && $(APT) python3-venv; }
	python3 -m venv $@
	$@/bin/pip install --quiet --requirement $<
	touch $@

# Two commands: `make run` and `make test`. Both install what is missing first (scripts/setup).

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

export CARGO_TARGET_DIR ?= $(HOME)/.cache/headwater/target
export PATH := $(HOME)/.cargo/bin:$(PATH)

.PHONY: help setup run test web lint fmt clean bench fuzz soak interop

help: ## what there is
	@sed -n 's/^\([a-z]*\):[^#]*## /\1\t/p' Makefile | expand -t 10

setup: ## install what is missing: system packages, Rust, tools of the tests
	@scripts/setup --tests

run: ## build in release, run the server with a live test picture
	@scripts/setup
	@scripts/web
	@echo "building in release; the first time takes some minutes" >&2
	@cargo build --release --locked -p headwater -p headwater-transcode
	@exec $(CARGO_TARGET_DIR)/release/headwater demo

# Most of what a test does is to wait, for encoders in real time and for time limits.
test: export RUST_TEST_THREADS ?= $(shell expr 2 \* $$(nproc))
test: setup web lint ## everything a change has to pass
	cargo test --workspace --locked
	scripts/web --test
	scripts/players
	scripts/schemathesis

web: ## build the watch page
	@scripts/web --needed

lint: ## formatting, clippy, licences and sources of dependencies
	cargo fmt --all --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo deny --locked --workspace check licenses bans sources

fmt: ## format everything
	cargo fmt --all
	cargo fmt --manifest-path fuzz/Cargo.toml

SECONDS ?= 60
fuzz: ## each fuzz target for a minute, or for SECONDS
	@FUZZ_SECONDS=$(SECONDS) scripts/fuzz

clean: ## remove what was built
	cargo clean
	rm -rf web/dist/pages web/pages/node_modules tests/players/node_modules

bench: ## measure beside nginx-rtmp, tables on stdout; QUICK=1 for a short run
	@scripts/setup
	@scripts/bench

interop: ## every player and encoder there is; installs them, writes docs/interop.md
	@scripts/setup --tests
	@scripts/interop

soak: ## a recording through twenty kills, every frame compared; SOAK_KILLS=N for more or fewer
	@scripts/setup --tests
	@scripts/soak

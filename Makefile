# Two commands: `make run` and `make test`. Both install what is missing first (scripts/setup).

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

export CARGO_TARGET_DIR ?= $(HOME)/.cache/headwater/target
export PATH := $(HOME)/.cargo/bin:$(PATH)

.PHONY: help setup run test lint fmt clean bench fuzz soak interop

help: ## what there is
	@sed -n 's/^\([a-z]*\):[^#]*## /\1\t/p' Makefile | expand -t 10

setup: ## install what is missing: system packages, Rust, tools of the tests
	@scripts/setup --tests

run: ## build in release, run the server with a live test picture
	@scripts/setup
	@echo "building in release; the first time takes some minutes" >&2
	@cargo build --release --locked
	@exec $(CARGO_TARGET_DIR)/release/headwater demo

test: setup lint ## everything a change has to pass
	cargo test --workspace --locked

lint: ## formatting, clippy, licences and sources of dependencies
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo deny --locked --workspace check licenses bans sources

fmt: ## format everything
	cargo fmt --all

clean: ## remove what was built
	cargo clean

bench: ## measure beside nginx-rtmp, tables on stdout; QUICK=1 for a short run
	@scripts/setup
	@scripts/bench

fuzz soak interop:
	@echo "make $@: there is none yet" >&2; exit 1

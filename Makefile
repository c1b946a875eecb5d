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

run: ## build in release, run the server with one demo entry
	@scripts/setup
	@cargo build --release --locked
	@scripts/demo

test: setup lint ## everything a change has to pass
	cargo test --workspace --locked
	scripts/players

lint: ## formatting, clippy, licences and sources of dependencies
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo deny --locked check licenses bans sources

fmt: ## format everything
	cargo fmt --all

clean: ## remove what was built and what the demo kept
	cargo clean
	rm -rf .demo

interop: ## every player and encoder there is; installs them, writes docs/interop.md
	@scripts/setup --tests
	@scripts/interop

bench fuzz soak:
	@echo "make $@: there is none yet" >&2; exit 1

# What a person runs. Each target does its own set-up; nothing has to be installed by hand first
# but Node 20 or newer, npm, git and make.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
NAMESPACE := node e2e/netns.ts --

.PHONY: help demo test unit e2e check build format crds bench-latency servers clean

help: ## Shows this list
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

demo: dist ## Secures three sites with real ACME and serves them (ONESHOT=1: ends after the proof)
	@node e2e/servers/main.ts pebble
	@ONESHOT=$(ONESHOT) node e2e/demo/main.ts

test: dist ## Runs every test, those on real API servers included
	@node e2e/test.ts

unit: node_modules ## Runs the tests that need no server
	@vitest run

e2e: dist servers ## Runs the tests on real API servers and a real ACME server
	@$(NAMESPACE) vitest run --config e2e/vitest.config.ts

check: node_modules ## Types, lint, format, unused code, CRD drift, unit tests
	@tsc --noEmit -p .
	@biome ci --error-on-warnings .
	@oxlint --type-aware --deny-warnings
	@knip
	@node crds/generate.ts --check
	@vitest run

build: dist ## Compiles to dist/, for bin/postern

format: node_modules ## Formats the sources
	@biome check --write .

crds: node_modules ## Writes crds/*.yaml from the schemas
	@node crds/generate.ts

servers: node_modules ## Gets or builds the real servers that the tests use
	@node e2e/servers/main.ts all

bench-latency: dist ## Time from kubectl apply to the first verified TLS answer
	@node e2e/servers/main.ts current pebble
	@$(NAMESPACE) node bench/latency.ts

clean: ## Removes what was built
	rm -rf dist node_modules

node_modules: package-lock.json
	@echo "installing packages ..." >&2
	@npm ci --no-audit --no-fund --loglevel=error >&2
	@touch node_modules

dist: node_modules $(shell find src -name '*.ts' -not -name '*.test.ts' -not -name '*.testing.ts') tsconfig.json tsconfig.build.json
	@echo "building ..." >&2
	@rm -rf dist && tsc -p tsconfig.build.json
	@touch dist

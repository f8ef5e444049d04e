# What a person runs. Each target does its own set-up; nothing has to be installed by hand first
# but Node 20 or newer, npm, git and make.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
NAMESPACE := node e2e/netns.ts --

.PHONY: help demo test unit e2e test-crash check build format crds bench-latency bench-scale bench-edge bench-attacks fuzz soak bench-dead-names bench-compile bench-edge-change servers clean

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

test-crash: dist servers ## Kills Postern at each write and each ACME request, on a real API server
	@$(NAMESPACE) vitest run --config e2e/crash/vitest.config.ts

check: node_modules ## Types, lint, format, unused code, CRD drift, unit tests
	@tsc --noEmit -p .
	@biome ci --colors=off --error-on-warnings .
	@oxlint --type-aware --deny-warnings
	@knip
	@node crds/generate.ts --check
	@node deploy/render.ts --check
	@node docs/generate.ts --check
	@vitest run

build: dist ## Builds dist/, for bin/postern

format: node_modules ## Formats the sources
	@biome check --write .

crds: node_modules ## Writes crds/*.yaml from the schemas
	@node crds/generate.ts

servers: node_modules ## Gets or builds the real servers that the tests use
	@node e2e/servers/main.ts all

bench-latency: dist ## Time from kubectl apply to the first verified TLS answer
	@node e2e/servers/main.ts current pebble
	@$(NAMESPACE) node bench/latency.ts

bench-scale: dist ## Many Ingresses at once (N=1000; ISSUER=ca; IDLE=seconds)
	@node e2e/servers/main.ts current pebble
	@$(NAMESPACE) node bench/scale.ts

bench-dead-names: dist ## Good names alone, and beside those that lead nowhere (N=50; DEAD=500)
	@node e2e/servers/main.ts current pebble
	@$(NAMESPACE) node bench/dead-names.ts

bench-edge-change: dist ## Time from the API server's answer until a change is in effect at the edge (N=5000; ROUNDS=100)
	@node e2e/servers/main.ts current
	@$(NAMESPACE) node bench/edge-change.ts

bench-compile: ## What a change costs the edge's routing table at 1,000, 5,000 and 10,000 Ingresses
	@node bench/compile.ts

bench-edge: dist ## Postern, nginx, HAProxy and Caddy under the same load (SCENARIOS=, PROXIES=, ROUNDS=, SECONDS=)
	@node e2e/servers/main.ts peers
	@node bench/edge/main.ts

bench-attacks: dist ## What clients of the edge see while it is attacked (SECONDS=5; IDLE=100000; ATTACKS=; CONTROL=)
	@node bench/edge-attacks.ts

fuzz: node_modules ## Odd bytes for the HTTP/1.1 codec, against Node's parser, nginx and HAProxy (MINUTES=2; SEED=)
	@node e2e/servers/main.ts peers
	@MINUTES=$(MINUTES) SEED=$(SEED) node e2e/fuzz/main.ts

soak: dist ## Mixed load with changes, killed workers and upstreams that restart (MINUTES=30)
	@MINUTES=$(MINUTES) node e2e/soak/main.ts

clean: ## Removes what was built
	rm -rf dist node_modules

node_modules: package-lock.json
	@echo "installing packages ..." >&2
	@# Not npm ci: it refuses a lock file that leaves out the optional packages of other platforms, as it is
	@# written where a registry mirror does not have them. This installs what the lock file says, too.
	@npm install --no-save --no-audit --no-fund --loglevel=error >&2
	@touch node_modules

dist: node_modules $(shell find src -name '*.ts' -not -name '*.test.ts' -not -name '*.testing.ts') rolldown.config.ts
	@echo "building ..." >&2
	@rolldown --config --log-level warn
	@touch dist

# Jeeves Indexer. `make help` lists the targets; every one installs what it needs first.
SHELL := /bin/sh
.DEFAULT_GOAL := help
NODE := node_modules/.bin/node
HOME_FOLDER := $(or $(JEEVES_HOME),.jeeves)
STAMP := $(HOME_FOLDER)/installed

.PHONY: help install demo up reset test check bench campaign migrate keys

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(STAMP) ## Packages (from the lockfiles) with a Node 24 of their own; weights come with the first start

$(STAMP): package-lock.json gpu-embedder/package-lock.json ops/install.sh
	@sh ops/install.sh
	@mkdir -p $(HOME_FOLDER) && touch $(STAMP)

demo: $(STAMP) ## Real text through the whole system, searched and checked (ALL=1: 233 documents instead of 62)
	@$(NODE) src/cli/main.ts demo $(if $(ALL),--all)

up: $(STAMP) ## The local stack until Ctrl-C (PORT=8787, DATABASE_URL=…, EMBED_ENDPOINT=…)
	@$(NODE) src/cli/main.ts up

reset: ## Removes the local data (packages and weights stay)
	@rm -rf $(HOME_FOLDER)/data $(HOME_FOLDER)/build $(HOME_FOLDER)/worker.log && echo "local data removed"

test: $(STAMP) ## Every suite; the last line counts them
	@$(NODE) test/run-all.ts

check: $(STAMP) ## Format, lint, types, dead code, architecture
	@npm run --silent check

bench: $(STAMP) ## Figures, each with its opponent in the same run
	@$(NODE) bench/run-all.ts

campaign: $(STAMP) ## Long seeded fault campaign (SEEDS=500)
	@SEEDS=$(or $(SEEDS),500) $(NODE) node_modules/vitest/vitest.mjs run --project flow test/flow/faults.test.ts

migrate: $(STAMP) ## Brings the database of DATABASE_URL up to date
	@$(NODE) src/cli/main.ts migrate

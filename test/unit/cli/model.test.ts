import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { stripVTControlCharacters } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { run } from "../../../src/cli/commands/model.ts";
import { CommandArguments } from "../../../src/cli/arguments/command-arguments.ts";
import type { ModelComparison, ModelCoverage, Promotion, RegisteredModel } from "../../../src/lib/contract/model.ts";
import { comparisonText, coverageTable, promotionText } from "../../../src/cli/model/model-text.ts";

const model = (model_id: number, state: RegisteredModel["state"]): RegisteredModel => ({
  model_id,
  fingerprint: `${model_id}f${"0".repeat(62)}`,
  model_name: "owner/name",
  revision: "c9745ed1d9f207416be6d2e6f8de32d1f16199bf",
  dimensions: 384,
  max_input_tokens: 256,
  state,
  created_at: "2026-11-25T03:00:00.000Z",
  activated_at: null,
  deactivated_at: null,
});

const COVERAGE: ModelCoverage = {
  tenant_id: "acme",
  document_count: 200,
  covered_count: 150,
  refused_count: 1,
  missing_count: 49,
  chunk_count: 900,
  active_chunk_count: 1_200,
  refusals: { text_refused: 1 },
  embedded_documents: 150,
  embedded_chunks: 880,
  embedded_tokens: 30_000,
  embed_seconds: 10,
  tokens_per_second: 3_000,
  missing_tokens: 9_800,
  eta_seconds: 3.27,
  cost: 0.0006,
  cost_left: 0.0002,
};

describe("jeeves model", () => {
  const asked: string[] = [];
  let server: Server;
  let args: (positionals: string[], more?: Record<string, string | boolean>) => CommandArguments;
  const printed: string[] = [];
  const log = console.log;
  beforeEach(async () => {
    server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      const path = request.url ?? "";
      const reply = path.includes("/coverage")
        ? { model_id: 2, tenants: [COVERAGE], next: path.includes("after=&") ? "acme" : null }
        : { models: [model(1, "active"), model(2, "shadow")] };
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(reply));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    args = (positionals, more = {}) =>
      new CommandArguments(positionals, { url: `http://127.0.0.1:${port}`, key: "k", ...more });
    console.log = (line: string) => void printed.push(stripVTControlCharacters(line));
  });
  afterEach(() => {
    console.log = log;
    asked.length = 0;
    printed.length = 0;
    server.close();
  });

  it("finds a model by its number or the beginning of its fingerprint, and asks where that means several", async () => {
    await run(args(["retire", "2f"]));
    expect(asked.at(-1)).toBe("POST /v1/admin/models/2/retire");
    await run(args(["status", "1"], { json: true }));
    expect(asked.at(-1)).toContain("/v1/admin/models/1/coverage");
    await expect(run(args(["promote", "owner"]))).rejects.toThrow("several models");
    await expect(run(args(["promote", "9"]))).rejects.toThrow("no model");
  });

  it("shows the newest model beside the active one, with all pages of its tenants", async () => {
    await run(args(["status"]));
    expect(asked.filter((each) => each.includes("/2/coverage"))).toHaveLength(2);
    expect(printed.join("\n").match(/acme/g)).toHaveLength(2);
  });

  it("refuses what it does not know", async () => {
    await expect(run(args(["constructor"]))).rejects.toThrow("model takes one of");
    await expect(run(args(["ls", "2"]))).rejects.toThrow("takes no name");
    await expect(run(args(["retire"]))).rejects.toThrow("takes a model");
  });

  it("says coverage, comparison and promotion in words", () => {
    const table = stripVTControlCharacters(coverageTable([COVERAGE]));
    for (const part of ["75 %", "1 (text_refused 1)", "3,000", "4 s", "0.0006"]) expect(table).toContain(part);
    const overlap = {
      overlap_mean: 0.91,
      overlap_min: 0.5,
      same_first_share: 0.96,
      rank_move_mean: 0.4,
      rank_move_max: 5,
    };
    const compared: ModelComparison = {
      model_id: 2,
      active_model_id: 1,
      tenant_id: "acme",
      k: 10,
      query_count: 1,
      drawn: true,
      document_count: 200,
      covered_count: 200,
      vector: overlap,
      hybrid: { ...overlap, overlap_mean: 0.97 },
    };
    const text = stripVTControlCharacters(comparisonText(compared));
    for (const part of ["1 query drawn", "100 % of 200 documents", "0.910", "0.970", "96 %"])
      expect(text).toContain(part);
    const done: Promotion = {
      model_id: 2,
      was_active: false,
      document_count: 200,
      missing_count: 3,
      refused_count: 1,
      caught_up_count: 3,
      held_seconds: 1.25,
    };
    expect(stripVTControlCharacters(promotionText(done))).toContain("1 lack something");
    expect(promotionText({ ...done, was_active: true })).toContain("already");
  });
});

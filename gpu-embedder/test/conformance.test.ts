import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ALL_CASES, runConformance } from "./conformance/run-conformance.ts";
import { targetAt, type Target } from "./conformance/target.ts";
import { testServer, type TestServer } from "./test-server.ts";

let server: TestServer;
let target: Target;
beforeAll(async () => {
  server = await testServer({ EMBED_TOKEN: "conformance" });
  target = await targetAt(server.url, "conformance");
});
afterAll(() => server.stop());

test.each(ALL_CASES.map((each) => [each.clause, each.name, each] as const))("%s: %s", async (_clause, _name, each) => {
  await each.run(target);
});

/** A server that answers everything with one vector: it normalises nothing, cuts in silence, knows no base64 and refuses nothing. */
async function carelessServer(): Promise<{ url: string; server: Server }> {
  const vector = [2, ...Array.from({ length: 383 }, () => 0)];
  const replies: Readonly<Record<string, unknown>> = {
    "/info": { max_input_length: 256, max_client_batch_size: 32 },
    "/embed": [vector],
    "/v1/embeddings": { object: "list", model: "m", data: [{ object: "embedding", index: 0, embedding: vector }] },
  };
  const careless = createServer((request, response) => {
    request.resume().once("end", () => response.end(JSON.stringify(replies[request.url ?? ""] ?? {})));
  });
  await new Promise<void>((resolve) => careless.listen(0, "127.0.0.1", resolve));
  const address = careless.address();
  return { url: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`, server: careless };
}

test("a careless server breaks nearly every case, so that the suite can fail", async () => {
  const careless = await carelessServer();
  const outcomes = await runConformance(await targetAt(careless.url, undefined), ALL_CASES);
  careless.server.close();
  const holding = outcomes.filter(({ failure }) => failure === undefined).map((outcome) => outcome.case.name);
  expect(holding).toEqual(["/health answers 200"]);
});

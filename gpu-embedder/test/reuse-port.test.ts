import { expect, test } from "vitest";
import { post, testServer, type TestServer } from "./test-server.ts";

async function embeds({ url }: TestServer): Promise<number> {
  const { status } = await post(`${url}/embed`, { inputs: "one port" }, { connection: "close" });
  return status;
}

test.runIf(process.platform === "linux")(
  "servers share a port where both are told to, and one goes on alone",
  async () => {
    const first = await testServer({ EMBED_REUSE_PORT: "1" });
    const onSamePort = { PORT: String(first.port) };
    await expect(testServer(onSamePort)).rejects.toThrow(/EADDRINUSE/u);
    const second = await testServer({ ...onSamePort, EMBED_REUSE_PORT: "1" });
    try {
      expect(await embeds(second)).toBe(200);
      await first.stop();
      expect(await embeds(second)).toBe(200);
    } finally {
      await second.stop();
    }
  },
);

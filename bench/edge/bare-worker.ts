/** The opponent of the edge bench: puts the body into R2 unless the key exists, sends one queue message, answers. Nothing else. */
interface BareEnv {
  readonly BUCKET: {
    put(
      key: string,
      body: ArrayBuffer,
      options: { readonly onlyIf: { readonly etagDoesNotMatch: string } },
    ): Promise<unknown>;
  };
  readonly EMBED_QUEUE: { send(body: unknown, options: { readonly contentType: "json" }): Promise<void> };
}

export default {
  async fetch(request: Request, env: BareEnv): Promise<Response> {
    const key = `wal/${crypto.randomUUID()}`;
    await env.BUCKET.put(key, await request.arrayBuffer(), { onlyIf: { etagDoesNotMatch: "*" } });
    await env.EMBED_QUEUE.send({ key }, { contentType: "json" });
    return Response.json({ key }, { status: 202 });
  },
};

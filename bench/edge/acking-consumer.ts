/** Consumer of both sides of the edge bench: takes every message away and can say how many there were. */
let messageCount = 0;

export default {
  async fetch(): Promise<Response> {
    return Response.json({ messageCount });
  },
  async queue(batch: { readonly messages: readonly unknown[]; ackAll(): void }): Promise<void> {
    messageCount += batch.messages.length;
    batch.ackAll();
  },
};

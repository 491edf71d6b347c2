import type { Message, MessageBatch } from "@cloudflare/workers-types";

/** What the consumer decided for one message. The first decision wins, as on the platform. */
export interface Delivery {
  readonly message: Message;
  decision: "none" | "ack" | "retry";
  delaySeconds: number | undefined;
}

export function deliver(body: unknown, attempts = 1): Delivery {
  const decide = (decision: "ack" | "retry", delaySeconds?: number): void => {
    if (delivery.decision !== "none") return;
    delivery.decision = decision;
    delivery.delaySeconds = delaySeconds;
  };
  const delivery: Delivery = {
    decision: "none",
    delaySeconds: undefined,
    message: {
      id: `message-${JSON.stringify(body).length}-${attempts}`,
      timestamp: new Date(0),
      body,
      attempts,
      ack: () => decide("ack"),
      retry: (options) => decide("retry", options?.delaySeconds),
    },
  };
  return delivery;
}

/** A batch as a queue hands it over. */
export function batchOf(deliveries: readonly Delivery[], queue = "jeeves-embed"): MessageBatch {
  // Backlog metrics are not what these tests are about.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return {
    queue,
    messages: deliveries.map((delivery) => delivery.message),
    ackAll: () => undefined,
    retryAll: () => undefined,
  } as unknown as MessageBatch;
}

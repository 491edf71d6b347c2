import { openProxy, type Proxy, type Treatment } from "../../support/http-proxy.ts";

/**
 * A door in front of the API. `pass` goes through; `down` cuts the connection; `busy` and `unavailable` answer 429 and 503 with `Retry-After: 1`;
 * `deaf` lets the request through and cuts the connection instead of replying.
 */
export type DoorState = "pass" | "down" | "busy" | "unavailable" | "deaf";

export interface ApiDoor extends Proxy {
  state: DoorState;
  /** Times of the requests that came, milliseconds. */
  readonly arrivalsMs: number[];
  /** Requests whose reply was kept back. */
  unansweredCount: number;
}

export async function openApiDoor(targetUrl: string): Promise<ApiDoor> {
  const proxy = await openProxy(targetUrl, () => {
    door.arrivalsMs.push(Date.now());
    return treatmentBy(door);
  });
  const door: ApiDoor = { ...proxy, state: "pass", arrivalsMs: [], unansweredCount: 0 };
  return door;
}

function treatmentBy(door: ApiDoor): Treatment {
  if (door.state === "down") return { kind: "cut" };
  if (door.state === "busy" || door.state === "unavailable") {
    const headers = { "retry-after": "1", "content-type": "application/problem+json" };
    const body = JSON.stringify({ code: "rate_limited" });
    return { kind: "answer", status: door.state === "busy" ? 429 : 503, headers, body };
  }
  return { kind: "pass", altered: ({ body }) => (isHeard(door) ? body : undefined) };
}

/** The door may have gone deaf while the request was on its way. */
function isHeard(door: ApiDoor): boolean {
  if (door.state !== "deaf") return true;
  door.unansweredCount += 1;
  return false;
}

import { readinessSchema } from "../../lib/contract/readiness.ts";
import { Badge } from "../parts/badge.tsx";
import { Panel } from "../parts/panel.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { secondsText } from "../service/format.ts";
import { useSession } from "../service/session.ts";
import { useLoaded } from "../service/use-loaded.ts";

const EVERY_MS = 10_000;

/** What the service stands on, and whether it answers. */
export function Readiness() {
  const { api } = useSession();
  const { value, error } = useLoaded(
    (signal) => api.ask({ path: "/readyz", schema: readinessSchema, signal, alsoOk: [503] }),
    [api],
    EVERY_MS,
  );
  return (
    <Panel title="What it stands on">
      {error !== undefined && <ProblemNote error={error} />}
      {value === undefined ? (
        error === undefined && <p class="soft">Asking …</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">part</th>
              <th scope="col">state</th>
              <th scope="col" class="right">
                answered in
              </th>
            </tr>
          </thead>
          <tbody>
            {Object.entries(value.checks).map(([name, check]) => (
              <tr>
                <td>{name}</td>
                <td>
                  {check.ready ? (
                    <Badge tone="good">ready</Badge>
                  ) : (
                    <Badge tone="bad">{check.reason ?? "not ready"}</Badge>
                  )}
                </td>
                <td class="right">{secondsText(check.latency_ms / 1000)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}

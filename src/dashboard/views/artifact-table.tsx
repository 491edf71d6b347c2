import type { ArtifactEntry } from "../../lib/contract/artifact.ts";
import { Badge } from "../parts/badge.tsx";
import { sizeText, timeText } from "../service/format.ts";
import { hashOf } from "../service/use-hash.ts";

interface ArtifactTableProps {
  readonly artifacts: readonly ArtifactEntry[];
  readonly chosenId: string | undefined;
}

export function ArtifactTable({ artifacts, chosenId }: ArtifactTableProps) {
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">artifact</th>
            <th scope="col">kind</th>
            <th scope="col" class="right">
              size
            </th>
            <th scope="col">written</th>
          </tr>
        </thead>
        <tbody>
          {artifacts.map((each) => (
            <tr key={each.artifact_id} class={each.artifact_id === chosenId ? "chosen" : ""}>
              <td>
                <a href={hashOf("artifacts", each.artifact_id)}>{each.artifact_id}</a>
              </td>
              <td>
                <Badge tone="plain">{each.kind}</Badge>
              </td>
              <td class="right">{sizeText(each.size_bytes)}</td>
              <td class="soft nowrap">{timeText(each.updated_at)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

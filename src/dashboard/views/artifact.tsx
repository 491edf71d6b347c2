import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { artifactSchema, type ArtifactEntry } from "../../lib/contract/artifact.ts";
import { Panel } from "../parts/panel.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { openArtifact, type OpenedArtifact } from "../service/open-artifact.ts";
import { sizeText, timeText } from "../service/format.ts";
import { useSession } from "../service/session.ts";
import { useAction } from "../service/use-action.ts";
import { useLoaded } from "../service/use-loaded.ts";
import { ArtifactContent } from "./artifact-content.tsx";

/** Bytes of an artifact that is opened in the page: it lies in memory as a whole. */
const OPENED_BYTES_MAX = 64 * 1024 * 1024;

/** One registered object: its facts, its content read in the browser, and the bytes as they are. */
export function Artifact({ id }: { readonly id: string }) {
  const { api } = useSession();
  const path = `/v1/artifacts/${encodeURIComponent(id)}`;
  const { value, error } = useLoaded((signal) => api.ask({ path, schema: artifactSchema, signal }), [api, path]);
  const [opened, setOpened] = useState<OpenedArtifact | undefined>(undefined);
  const open = useAction(async (artifact: ArtifactEntry) => {
    const bytes = await api.bytes(artifact.content_url, OPENED_BYTES_MAX);
    setOpened(await openArtifact(bytes, artifact));
  });
  const download = useAction(async (artifact: ArtifactEntry) => {
    save(await api.bytes(artifact.content_url, OPENED_BYTES_MAX), artifact);
  });
  if (error !== undefined) return <ProblemNote error={error} />;
  if (value === undefined) return <p class="soft">Reading …</p>;
  const failure = open.error ?? download.error;
  return (
    <Panel title={value.artifact_id} aside={<span class="soft">{value.kind}</span>}>
      <dl class="parts">
        <Fact name="size">{sizeText(value.size_bytes)}</Fact>
        <Fact name="written">{timeText(value.updated_at)}</Fact>
        <Fact name="type">{value.media_type}</Fact>
        {value.batch_tag !== null && <Fact name="batch">{value.batch_tag}</Fact>}
        <Fact name="SHA-256">
          <code class="small">{value.sha256}</code>
        </Fact>
      </dl>
      <div class="actions start">
        <button type="button" class="primary" disabled={open.isRunning} onClick={() => void open.run(value)}>
          {open.isRunning ? "Opening …" : "Open here"}
        </button>
        <button type="button" disabled={download.isRunning} onClick={() => void download.run(value)}>
          Download
        </button>
      </div>
      {failure !== undefined && <ProblemNote error={failure} />}
      {opened !== undefined && <ArtifactContent opened={opened} />}
    </Panel>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

const ENDINGS: Readonly<Record<string, string>> = { pack: "mpz", backup: "mpz", segment: "seg", report: "json" };

function save(bytes: Uint8Array, artifact: ArtifactEntry): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([Uint8Array.from(bytes)], { type: "application/octet-stream" }));
  link.download = `${artifact.artifact_id}.${ENDINGS[artifact.kind] ?? "bin"}`;
  link.click();
  URL.revokeObjectURL(link.href);
}

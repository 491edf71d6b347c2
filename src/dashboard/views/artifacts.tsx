import { useState } from "preact/hooks";
import { ARTIFACT_KINDS, artifactListSchema } from "../../lib/contract/artifact.ts";
import { Empty } from "../parts/empty.tsx";
import { Pager } from "../parts/pager.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { Tabs } from "../parts/tabs.tsx";
import { useSession } from "../service/session.ts";
import { useLoaded } from "../service/use-loaded.ts";
import { Artifact } from "./artifact.tsx";
import { ArtifactTable } from "./artifact-table.tsx";

const ROWS = 100;
const ALL = "all";

/** Registered objects of the tenant, to be read here or downloaded. */
export function Artifacts({ id }: { readonly id: string | undefined }) {
  const { api } = useSession();
  const [kind, setKind] = useState<string>(ALL);
  const [pages, setPages] = useState<readonly string[]>([""]);
  const after = pages.at(-1) ?? "";
  const query = new URLSearchParams({
    limit: String(ROWS),
    ...(kind === ALL ? {} : { kind }),
    ...(after === "" ? {} : { after }),
  });
  const path = `/v1/artifacts?${query.toString()}`;
  const { value, error } = useLoaded(
    async (signal) => (await api.ask({ path, schema: artifactListSchema, signal })).artifacts,
    [api, path],
  );
  return (
    <>
      <h1>Artifacts</h1>
      {id !== undefined && <Artifact id={id} key={id} />}
      <Tabs
        label="Kind"
        names={[ALL, ...ARTIFACT_KINDS]}
        chosen={kind}
        onChoose={(chosen) => {
          setKind(chosen);
          setPages([""]);
        }}
      />
      {error !== undefined && <ProblemNote error={error} />}
      {value?.length === 0 && (
        <Empty title="No artifacts">
          Finished batches leave a report, sealed conversations a segment, and the job <code>pack</code> packs
          documents.
        </Empty>
      )}
      {value !== undefined && value.length > 0 && <ArtifactTable artifacts={value} chosenId={id} />}
      <Pager pages={pages} next={value?.length === ROWS ? value.at(-1)?.artifact_id : undefined} onPages={setPages} />
    </>
  );
}

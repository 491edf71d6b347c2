import type { Route } from "./route.ts";
import { adminAuditRoutes } from "./routes/admin-audits.ts";
import { adminDeadLetterRoutes } from "./routes/admin-dead-letters.ts";
import { adminJobRoutes } from "./routes/admin-jobs.ts";
import { adminKeyRoutes } from "./routes/admin-keys.ts";
import { adminModelRoutes } from "./routes/admin-models.ts";
import { adminPiiRoutes } from "./routes/admin-pii.ts";
import { adminPolicyRoutes } from "./routes/admin-policy.ts";
import { adminSnapshotRoutes } from "./routes/admin-snapshots.ts";
import { adminTraceRoutes } from "./routes/admin-traces.ts";
import { artifactRoutes } from "./routes/artifacts.ts";
import { batchRoutes } from "./routes/batches.ts";
import { documentationRoutes } from "./routes/documentation.ts";
import { documentRoutes } from "./routes/documents.ts";
import { ingestRoutes } from "./routes/ingest.ts";
import { keyRoutes } from "./routes/key.ts";
import { operationRoutes } from "./routes/operations.ts";
import { profileRoutes } from "./routes/profiles.ts";
import { quarantineRoutes } from "./routes/quarantine.ts";
import { receiptRoutes } from "./routes/receipts.ts";
import { searchRoutes } from "./routes/search.ts";
import { sessionFrameRoutes } from "./routes/session-frames.ts";
import { sessionRoutes } from "./routes/sessions.ts";
import { userRoutes } from "./routes/users.ts";

const SURFACE: readonly Route[] = [
  ...ingestRoutes,
  ...documentRoutes,
  ...batchRoutes,
  ...receiptRoutes,
  ...searchRoutes,
  ...profileRoutes,
  ...sessionRoutes,
  ...sessionFrameRoutes,
  ...userRoutes,
  ...quarantineRoutes,
  ...artifactRoutes,
  ...keyRoutes,
  ...adminKeyRoutes,
  ...adminModelRoutes,
  ...adminPolicyRoutes,
  ...adminPiiRoutes,
  ...adminDeadLetterRoutes,
  ...adminTraceRoutes,
  ...adminJobRoutes,
  ...adminAuditRoutes,
  ...adminSnapshotRoutes,
  ...operationRoutes,
];

/** Every route, area by area, and the two that describe them. */
export const ROUTES: readonly Route[] = [...SURFACE, ...documentationRoutes(SURFACE)];

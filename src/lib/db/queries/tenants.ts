import type { Statement } from "../sql.ts";

/** Makes a tenant. Twice means once: an existing one stays as it is. One row, `created` false when it was there. */
export function insertTenant(tenantId: string, displayName: string): Statement {
  return {
    text: `insert into tenants (tenant_id, display_name) values ($1, $2) on conflict (tenant_id) do nothing returning tenant_id`,
    params: [tenantId, displayName],
  };
}

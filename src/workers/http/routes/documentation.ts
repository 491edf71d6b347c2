import { ok } from "../../../lib/base/result.ts";
import { docsPage } from "../docs-page.ts";
import { openApiDocument } from "../openapi.ts";
import { text } from "../respond.ts";
import { route, type Route } from "../route.ts";

/** The routes that describe the others. Both texts are made once for an isolate. */
export function documentationRoutes(described: readonly Route[]): Route[] {
  let openApi: string | undefined;
  let page: string | undefined;
  return [
    route({
      method: "GET",
      path: "/openapi.json",
      operationId: "openapi",
      area: "operations",
      summary: "This surface as an OpenAPI 3.1 document",
      access: "public",
      replies: { 200: { description: "OpenAPI 3.1", mediaType: "application/json" } },
      problems: [],
      handle: async () => ok(text((openApi ??= JSON.stringify(openApiDocument(described))), "application/json")),
    }),
    route({
      method: "GET",
      path: "/docs",
      operationId: "docs",
      area: "operations",
      summary: "This surface as a page to read",
      access: "public",
      replies: { 200: { description: "HTML without scripts", mediaType: "text/html" } },
      problems: [],
      handle: async () =>
        ok(
          text((page ??= docsPage(described)), "text/html", {
            "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
          }),
        ),
    }),
  ];
}

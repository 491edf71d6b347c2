import { PROBLEMS } from "../../lib/contract/problem.ts";
import { documentedProblems } from "./documented-problems.ts";
import type { Route } from "./route.ts";

const STYLE = `:root{color-scheme:light dark;--line:#8884}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h2{margin-top:2.5rem;border-bottom:1px solid var(--line)}code{font:0.92em ui-monospace,monospace}article{margin:1.2rem 0}
b.m{display:inline-block;min-width:4.5rem}table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.25rem .6rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top}
small{opacity:.75}`;

/** The surface as one page without scripts. Made from the route table, like the OpenAPI document. */
export function docsPage(routes: readonly Route[]): string {
  const areas = [...new Set(routes.map((route) => route.area))];
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Jeeves Indexer</title><style>${STYLE}</style></head><body><h1>Jeeves Indexer</h1>
<p>Requests carry <code>Authorization: Bearer jvk_…</code>. Errors are problem documents (RFC 9457) with a stable <code>code</code>.
Machine-readable: <a href="/openapi.json">openapi.json</a>.</p>
${areas
  .map(
    (area) =>
      `<h2>${escape(area)}</h2>${routes
        .filter((route) => route.area === area)
        .map(article)
        .join("")}`,
  )
  .join("")}
<h2>Problems</h2><table><tr><th>code</th><th>status</th><th>meaning</th></tr>
${Object.entries(PROBLEMS)
  .map(
    ([code, { status, title }]) =>
      `<tr id="problem-${code}"><td><code>${code}</code></td><td>${status}</td><td>${escape(title)}</td></tr>`,
  )
  .join("\n")}
</table></body></html>\n`;
}

function article(route: Route): string {
  const fields = Object.entries(route.query?.shape ?? {});
  const replies = Object.entries(route.replies).map(([status, reply]) => `${status} ${escape(reply.description)}`);
  return `<article id="${route.operationId}"><b class="m">${route.method}</b><code>${escape(route.path)}</code> <small>key: ${route.access}</small>
<br>${escape(route.summary)}.${route.description === undefined ? "" : ` ${escape(route.description)}`}
${fields.length === 0 ? "" : `<br><small>query: ${fields.map(([name, field]) => `<code>${escape(name)}</code>${field instanceof Object && "description" in field && typeof field.description === "string" ? ` (${escape(field.description)})` : ""}`).join(", ")}</small>`}
<br><small>${replies.join(" · ")} · ${documentedProblems(route)
    .map((code) => `<a href="#problem-${code}">${code}</a>`)
    .join(" ")}</small></article>`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

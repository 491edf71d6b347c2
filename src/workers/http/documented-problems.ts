import type { ProblemCode } from "../../lib/contract/problem.ts";
import type { Access, Route } from "./route.ts";

/** Codes that a route can answer with: its own, and those of what stands before it: its access, its query, its JSON body. */
export function documentedProblems(route: Route): readonly ProblemCode[] {
  const ofQuery = route.query === undefined ? [] : (["parameter_invalid"] as const);
  const ofBody = route.body === undefined || route.bodyMediaTypes !== undefined ? [] : JSON_BODY_PROBLEMS;
  return [
    ...new Set<ProblemCode>([...route.problems, ...accessProblems(route.access), ...ofQuery, ...ofBody, "internal"]),
  ];
}

const JSON_BODY_PROBLEMS = [
  "media_type_unsupported",
  "content_encoding_unsupported",
  "body_too_large",
  "body_malformed",
  "body_invalid",
] as const satisfies readonly ProblemCode[];

function accessProblems(access: Access): readonly ProblemCode[] {
  if (access === "public") return [];
  const credential = [
    "unauthenticated",
    "key_malformed",
    "key_unknown",
    "key_revoked",
    "key_expired",
    "database_unavailable",
  ] as const;
  if (access === "any") return credential;
  const ofToken = ["token_malformed", "token_invalid", "token_expired", "token_other_session"] as const;
  const ofSession = [...ofToken, "user_forbidden", "parameter_invalid", "sessions_not_configured"] as const;
  return [...credential, "scope_missing", ...(access === "session" ? ofSession : [])];
}

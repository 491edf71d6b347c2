/** A connection string as the variables that PostgreSQL's own programs read, so that it stands in no list of processes. */

/** Parameters of a connection string that have a variable. */
const VARIABLES: Readonly<Record<string, string>> = {
  sslmode: "PGSSLMODE",
  channel_binding: "PGCHANNELBINDING",
  options: "PGOPTIONS",
};

/** Undefined for what is no connection string of PostgreSQL. TLS is asked for unless the string says otherwise or the server is this machine. */
export function connectionVariables(databaseUrl: string): Readonly<Record<string, string>> | undefined {
  const url = URL.parse(databaseUrl);
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol) || url.hostname === "") return undefined;
  const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  const variables: Record<string, string> = {
    PGHOST: url.hostname.replaceAll(/[[\]]/g, ""),
    PGPORT: url.port === "" ? "5432" : url.port,
    PGUSER: decodeURIComponent(url.username),
    PGPASSWORD: decodeURIComponent(url.password),
    PGDATABASE: decodeURIComponent(url.pathname.slice(1)),
    PGSSLMODE: isLocal ? "prefer" : "require",
  };
  for (const [name, value] of url.searchParams) {
    const variable = VARIABLES[name];
    if (variable !== undefined) variables[variable] = value;
  }
  return variables;
}

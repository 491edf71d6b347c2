/**
 * The Worker's routes in Node. They are loaded by a path that the compiler does not follow: their global types are those of workerd and would
 * clash with Node's in one program.
 */
interface Surface {
  readonly ROUTES: readonly { readonly operationId: string }[];
  readonly createApp: (
    routes: Surface["ROUTES"],
  ) => (
    request: Request,
    scope: { readonly context: object; readonly waitUntil: (work: Promise<unknown>) => void },
  ) => Promise<Response>;
}

const load = async (path: string): Promise<object> => {
  const loaded: unknown = await import(new URL(`../../../src/workers/http/${path}`, import.meta.url).href);
  if (typeof loaded !== "object" || loaded === null) throw new Error(`no module ${path}`);
  return loaded;
};

// oxlint-disable-next-line typescript/no-unsafe-type-assertion
export const { ROUTES, createApp } = { ...(await load("app.ts")), ...(await load("routes.ts")) } as Surface;

/** All routes of the server, as they were registered: for the answer to a wrong method, and for tests. */
import type { Role } from "../app/principal.ts";
import type { Server } from "./route.ts";

export interface RouteRow {
  readonly method: string;
  /** With parameters as `:name` and the rest as `*`. */
  readonly url: string;
  readonly role: Role | "public";
}

export class RouteTable {
  readonly rows: RouteRow[] = [];

  /** Notes every route that is registered from here on. */
  watch(server: Server): void {
    server.addHook("onRoute", ({ method, url, config }) => {
      for (const one of [method].flat()) this.rows.push({ method: one, url, role: config?.role ?? "public" });
    });
  }

  /** Methods under which a path exists, in alphabetical order. */
  methodsOf(path: string): readonly string[] {
    const methods = this.rows.filter(({ url }) => fits(url, path)).map(({ method }) => method);
    return [...new Set(methods)].toSorted();
  }
}

function fits(url: string, path: string): boolean {
  const pattern = url.split("/");
  const parts = path.split("/");
  if (pattern.at(-1) === "*") return pattern.slice(0, -1).every((part, index) => part === parts[index]);
  return (
    pattern.length === parts.length &&
    pattern.every((part, index) => (part.startsWith(":") ? parts[index] !== "" : part === parts[index]))
  );
}

/** The description of the interface, made from the schemas of the routes, and the page that shows it. */
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import { Problem, type RouteGroup } from "@staunch/contract";
import { createJsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";
import type { Server } from "./route.ts";

const TAGS = {
  events: "What happened, sent one by one or in batches.",
  subjects: "Who is scored, how they stand, and why.",
  penalties: "What counts against a subject.",
  rewards: "What counts for a subject.",
  monitors: "Who measures, and what of it counts.",
  rankings: "The order of a kind.",
  misbehaviour: "What somebody accuses a subject of, and what became of it.",
  suspensions: "Who is out of selections for a while.",
  maintenance: "When subjects are away on purpose.",
  policies: "The rules by which a kind is scored.",
  live: "Changes as they happen.",
  keys: "Who may use the interface.",
  workers: "How those who run jobs are doing.",
  selections: "Who gets a job, and why.",
  network: "How the whole of a kind is doing.",
  service: "The service about itself.",
} as const satisfies { readonly [group in RouteGroup]: string };

/** How every route answers any error. */
const anyError = {
  description: "Any error, told by its `code`.",
  content: { "application/problem+json": { schema: Problem } },
};

type Described = ReturnType<typeof jsonSchemaTransformObject>;

const toJsonSchema = createJsonSchemaTransform({});

/** Adds both; must come before the routes. */
export function describeInterface(server: Server, version: string): void {
  void server.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Staunch",
        version,
        description:
          "Reputation of everyone a network depends on or serves. Errors are RFC 9457 problems with a code.",
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
      tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
      components: {
        securitySchemes: { key: { type: "http", scheme: "bearer", description: "An API key." } },
      },
    },
    transform: (document) => {
      if (document.schema?.hide === true) return toJsonSchema(document);
      const schema = {
        ...document.schema,
        response: { ...(document.schema?.response as object | undefined), default: anyError },
      };
      const { schema: described, url } = toJsonSchema({ ...document, schema });
      const role = document.route.config?.role ?? "public";
      if (role === "public") return { schema: { ...described, security: [] }, url };
      const note = `Needs the role \`${role}\`.`;
      const text = described["description"] === undefined ? note : `${described["description"]} ${note}`;
      return { schema: { ...described, description: text, security: [{ key: [] }] }, url };
    },
    transformObject: (document) => tidySchemas(jsonSchemaTransformObject(document)),
  });
  void server.register(swaggerUi, {
    routePrefix: "/docs",
    uiConfig: { docExpansion: "list", validatorUrl: null, persistAuthorization: false },
    staticCSP: true,
    // Only what the page ships; and no upgrade to TLS, which a service on a private address may not have.
    transformStaticCSP: (policy) =>
      policy
        .replace("upgrade-insecure-requests;", "")
        .replaceAll(" https:", "")
        .replace(" validator.swagger.io", ""),
  });
}

const REFERENCE = /"#\/components\/schemas\/([^"]+)"/gu;
/** What is appended to the name of a schema as a request sends it. */
const REQUEST_SUFFIX = "Input";

/**
 * Every schema is described twice, as it is sent and as it is answered, whichever of the two is used. Leaves out what
 * nothing refers to, and the suffix where only one of the two is left.
 */
function tidySchemas(document: Described): Described {
  const schemas: { readonly [name: string]: unknown } = componentsOf(document).schemas ?? {};
  const used = new Set<string>();
  const queue = referencesIn(document.paths);
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (used.has(name)) continue;
    used.add(name);
    queue.push(...referencesIn(schemas[name]));
  }
  const nameOf = (name: string): string => {
    const plain = name.endsWith(REQUEST_SUFFIX) ? name.slice(0, -REQUEST_SUFFIX.length) : name;
    return used.has(plain) ? name : plain;
  };
  const kept = Object.fromEntries([...used].toSorted().map((name) => [nameOf(name), schemas[name]]));
  const whole = { ...document, components: { ...componentsOf(document), schemas: kept } };
  const renamed = JSON.stringify(whole).replace(
    REFERENCE,
    (_, name: string) => `"#/components/schemas/${nameOf(name)}"`,
  );
  return JSON.parse(renamed) as Described;
}

/** The type of a document speaks of OpenAPI 2 as well, which has none. */
function componentsOf(document: Described): { readonly schemas?: { readonly [name: string]: unknown } } {
  return ("components" in document && document.components) || {};
}

function referencesIn(part: unknown): string[] {
  return [...(JSON.stringify(part) ?? "").matchAll(REFERENCE)].map((match) => match[1]!);
}

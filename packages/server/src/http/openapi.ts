/** The description of the interface, made from the schemas of the routes, and the page that shows it. */
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance } from "fastify";
import { createJsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";

const TAGS = {
  events: "What happened, sent one by one or in batches.",
  subjects: "Who is scored, how they stand, and why.",
  penalties: "What counts against a subject.",
  rewards: "What counts for a subject.",
  rankings: "The order of a kind.",
  policies: "The rules by which a kind is scored.",
  live: "Changes as they happen.",
  keys: "Who may use the interface.",
  service: "The service about itself.",
} as const;

const toJsonSchema = createJsonSchemaTransform({});

/** Adds both; must come before the routes. */
export function describeInterface(server: FastifyInstance, version: string): void {
  void server.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Staunch",
        version,
        description: "Reputation of everyone a network depends on or serves. Errors are RFC 9457 problems with a code.",
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
      tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
      components: { securitySchemes: { key: { type: "http", scheme: "bearer", description: "An API key." } } },
    },
    transform: (document) => {
      const { schema, url } = toJsonSchema(document);
      const role = document.route.config?.role ?? "public";
      if (role === "public") return { schema: { ...schema, security: [] }, url };
      const note = `Needs the role \`${role}\`.`;
      const text = typeof schema["description"] === "string" ? `${schema["description"]} ${note}` : note;
      return { schema: { ...schema, description: text, security: [{ key: [] }] }, url };
    },
    transformObject: jsonSchemaTransformObject,
  });
  void server.register(swaggerUi, {
    routePrefix: "/docs",
    uiConfig: { docExpansion: "list", validatorUrl: null, persistAuthorization: false },
    staticCSP: true,
    // Only what the page ships; and no upgrade to TLS, which a service on a private address may not have.
    transformStaticCSP: (policy) =>
      policy.replace("upgrade-insecure-requests;", "").replaceAll(" https:", "").replace(" validator.swagger.io", ""),
  });
}

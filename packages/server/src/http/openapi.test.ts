import * as contract from "@staunch/contract";
import {
  COMPONENTS,
  HEALTH_PARTS,
  JOB_OUTCOMES,
  METRIC_NAMES,
  PENALTY_TYPES,
  REWARD_TYPES,
  SELECTION_POLICIES,
  SEVERITIES,
  SIGNALS,
} from "@staunch/engine";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { createHttpApp, send, type HttpApp } from "../../test/http-app.ts";
import { ROLES } from "../app/principal.ts";

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly object[];
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly schema: object }[];
  readonly requestBody?: { readonly content: { readonly [type: string]: { readonly schema: object } } };
  readonly responses: {
    readonly [status: string]: {
      readonly description: string;
      readonly content?: { readonly [type: string]: { readonly schema: object } };
    };
  };
}
interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: { readonly [path: string]: { readonly [method: string]: Operation } };
  readonly components: { readonly schemas: { readonly [name: string]: object } };
  readonly tags: readonly { readonly name: string }[];
}

let http: HttpApp;
let document: Document;
beforeAll(async () => {
  http = await createHttpApp();
  document = (await send(http, null, "GET", "/api/openapi.json")).json();
});
afterAll(() => http.close());

const operations = (): [string, Operation][] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [
      `${method} ${path}`,
      operation,
    ]),
  );

describe("the description of the interface", () => {
  test("is OpenAPI 3.1 with a title and a version", () => {
    expect(document.openapi).toMatch(/^3\.1\.\d$/u);
    expect(document.info).toMatchObject({ title: "Staunch", version: "0.0.0" });
  });

  test("has every route of the server and no other", () => {
    const served = http.server.routeTable.rows
      .filter(({ method, url }) => method !== "HEAD" && !url.startsWith("/docs"))
      .map(({ method, url }) => `${method.toLowerCase()} ${url.replace(/:(\w+)/gu, "{$1}")}`);
    expect(
      operations()
        .map(([name]) => name)
        .toSorted(),
    ).toEqual(served.toSorted());
  });

  test("says of every route what it is, who may use it, and how it answers", () => {
    for (const [name, { summary, tags, security, responses }] of operations()) {
      expect(summary, name).toBeTruthy();
      expect(
        document.tags.map((tag) => tag.name),
        name,
      ).toContain(tags?.[0]);
      expect(security, name).toBeDefined();
      const good = Object.entries(responses).filter(([status]) => /^2\d\d$/u.test(status));
      expect(good.length, name).toBeGreaterThan(0);
      for (const [, response] of good) {
        expect(Object.values(response.content ?? {})[0]?.schema, name).toBeDefined();
      }
      expect(responses["default"]?.content, name).toHaveProperty(["application/problem+json", "schema"]);
    }
  });

  test("declares every parameter of a path, and bodies of writes", () => {
    for (const [name, { parameters = [], requestBody }] of operations()) {
      const inPath = [...name.matchAll(/\{(\w+)\}/gu)].map((match) => match[1]);
      expect(
        parameters.filter((one) => one.in === "path").map((one) => one.name),
        name,
      ).toEqual(inPath);
      if (/^(?:post|put) /u.test(name)) expect(requestBody?.content, name).toHaveProperty("application/json");
    }
  });

  test("refers only to schemas that it has, and has none that nothing refers to", () => {
    const text = JSON.stringify(document);
    const referred = new Set(
      [...text.matchAll(/"#\/components\/schemas\/([^"]+)"/gu)].map((match) => match[1]!),
    );
    expect([...referred].toSorted()).toEqual(Object.keys(document.components.schemas).toSorted());
  });

  test("holds schemas that a validator of JSON Schema reads", () => {
    for (const [name, { responses, requestBody }] of operations()) {
      const contents = [...Object.values(responses), requestBody ?? {}].flatMap((one) =>
        Object.values(("content" in one && one.content) || {}),
      );
      for (const { schema } of contents) {
        const whole = { ...schema, $defs: document.components.schemas };
        const local = JSON.parse(JSON.stringify(whole).replaceAll("#/components/schemas/", "#/$defs/"));
        expect(() => z.fromJSONSchema(local), name).not.toThrow();
      }
    }
  });

  test("is shown at /docs without anything from elsewhere", async () => {
    const page = await send(http, null, "GET", "/docs");
    const followed =
      page.statusCode === 302 ? await send(http, null, "GET", String(page.headers["location"])) : page;
    expect(followed.statusCode).toBe(200);
    expect(followed.body).not.toMatch(/(?:src|href)="https?:/u);
    const policy = String(followed.headers["content-security-policy"]);
    expect(policy).toContain("default-src 'self'");
    expect(policy).not.toMatch(/https:|upgrade-insecure|validator/u);
  });
});

describe("the contract", () => {
  const schemas = Object.entries(contract).flatMap(([name, value]): [string, z.ZodType][] =>
    value instanceof z.ZodType ? [[name, value]] : [],
  );

  test("has examples that its schemas accept", () => {
    let examples = 0;
    for (const [name, schema] of schemas) {
      for (const example of (schema.meta()?.["examples"] as unknown[] | undefined) ?? []) {
        examples += 1;
        expect(schema.safeParse(example), `${name} ${JSON.stringify(example)}`).toMatchObject({
          success: true,
        });
      }
    }
    expect(examples).toBeGreaterThan(10);
  });

  test("uses the words of the engine, in all of its lists", () => {
    const lists = Object.entries(contract).filter(([, value]) => Array.isArray(value));
    expect(Object.fromEntries(lists)).toEqual({
      METRIC_NAMES,
      COMPONENT_NAMES: COMPONENTS,
      PENALTY_TYPES,
      SEVERITIES,
      REWARD_TYPES,
      JOB_OUTCOMES,
      HEALTH_PARTS,
      SIGNAL_NAMES: SIGNALS,
      SELECTION_METHODS: SELECTION_POLICIES,
      ROLES,
      // The engine has them as a type only; `route.test.ts` lets the compiler compare.
      LIVE_TYPES: contract.LIVE_TYPES,
      // The contract's own.
      ERROR_CODES: Object.keys(contract.ERRORS),
    });
  });
});

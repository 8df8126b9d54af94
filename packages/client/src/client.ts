/**
 * The client: a method for each route of the contract, typed by its schemas. What a route takes, in path, query and
 * body, is one object; a test of the contract holds their names apart.
 */
import { ROUTES, type Route, type RouteGroup } from "@staunch/contract";
import type { z } from "zod";
import { callerOf, type Caller, type ClientOptions } from "./caller.ts";
import { eventMethods, type EventMethods } from "./events.ts";
import { liveMethods, type LiveMethods } from "./live.ts";
import type { CallOptions } from "./transport.ts";

type Routes = typeof ROUTES;

/** What a method takes: path parameters, query and body in one object. */
export type InputOf<Group extends RouteGroup, Operation extends keyof Routes[Group]> = Input<
  Routes[Group][Operation]
>;
/** What a method answers. */
export type AnswerOf<Group extends RouteGroup, Operation extends keyof Routes[Group]> = Answer<
  Routes[Group][Operation]
>;

export type Client = Omit<Operations, "events" | "live"> & {
  readonly events: EventMethods & Omit<Operations["events"], keyof EventMethods>;
  readonly live: LiveMethods & Omit<Operations["live"], keyof LiveMethods>;
};

type Operations = {
  readonly [Group in RouteGroup]: {
    readonly [Operation in keyof Routes[Group]]: Method<Routes[Group][Operation]>;
  };
};

type Method<Declared> =
  object extends Input<Declared>
    ? (input?: Input<Declared>, options?: CallOptions) => Promise<Answer<Declared>>
    : (input: Input<Declared>, options?: CallOptions) => Promise<Answer<Declared>>;

type Input<Declared> = Flat<Part<Declared, "params"> & Part<Declared, "query"> & Part<Declared, "body">>;
type Part<Declared, Name extends "params" | "query" | "body"> = Declared extends {
  readonly [name in Name]: infer Schema;
}
  ? z.input<Schema>
  : unknown;
/** Not modified is an answer only to who has asked for it, which the client does not. */
type Answer<Declared> = Declared extends { readonly responses: infer Responses }
  ? z.output<Responses[Exclude<keyof Responses, 304>]>
  : never;
type Flat<Type> = { [Name in keyof Type]: Type[Name] };

/** A client of the service at an address. It holds nothing open; live subscriptions end by themselves. */
export function createClient(options: ClientOptions): Client {
  const caller = callerOf(options);
  const groups = Object.entries(ROUTES).map(([group, operations]) => [
    group,
    Object.fromEntries(Object.entries(operations).map(([name, route]) => [name, methodOf(caller, route)])),
  ]);
  const operations = Object.fromEntries(groups) as Operations;
  return {
    ...operations,
    events: { ...operations.events, ...eventMethods(caller) },
    live: { ...operations.live, ...liveMethods(caller) },
  };
}

function methodOf(caller: Caller, route: Route) {
  const isQuery = (name: string): boolean =>
    route.body === undefined || Object.hasOwn(route.query?.shape ?? {}, name);
  return (input: object = {}, options: CallOptions = {}): Promise<unknown> => {
    const entries = Object.entries(input);
    const others = entries.filter(([name]) => !route.path.includes(`{${name}}`));
    const path = Object.fromEntries(entries);
    const query = Object.fromEntries(others.filter(([name]) => isQuery(name)));
    if (route.body === undefined) return caller.call(route, { path, query }, options);
    const body = JSON.stringify(Object.fromEntries(others.filter(([name]) => !isQuery(name))));
    return caller.call(route, { path, query, body, contentType: "application/json" }, options);
  };
}

import type { components } from "./schema.js";

type Schemas = components["schemas"];

type Short<N> = N extends `v1${infer S}` ? S : N extends `weirflowJobV1${infer S}` ? S : never;

/** SchemaName is a message of the API by its name in the protos, such as Job. */
export type SchemaName = Short<keyof Schemas>;

/** Schema is the JSON of a message of the API: Schema<"Job">. 64-bit numbers are strings in it. */
export type Schema<N extends SchemaName> = `v1${N}` extends keyof Schemas
  ? Schemas[`v1${N}`]
  : `weirflowJobV1${N}` extends keyof Schemas
    ? Schemas[`weirflowJobV1${N}`]
    : never;

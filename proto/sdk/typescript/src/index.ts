export { Client, type ClientOptions, type GetPath, type Reply } from "./client.js";
export { ApiError, Code, codeName } from "./error.js";
export type { components, operations, paths } from "./schema.js";
export { EventParser, type ServerEvent } from "./sse.js";
export type * from "./types.js";

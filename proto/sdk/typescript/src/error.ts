/** Code has gRPC's status codes by their names. */
export const Code = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

/** codeName is the name of a gRPC code, such as NOT_FOUND. */
export function codeName(code: number): string {
  return Object.entries(Code).find(([, c]) => c === code)?.[0] ?? `CODE_${code}`;
}

/** ApiError is an answer of the API that is not the one asked for. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    /** gRPC's code: see Code. */
    readonly code: number,
    message: string,
    /** HTTP's status; 0 when no answer came. */
    readonly status = 0,
    readonly details: unknown[] = [],
  ) {
    super(message);
  }

  get codeName(): string {
    return codeName(this.code);
  }

  /** from makes an error of the body of an answer. */
  static from(status: number, body: string): ApiError {
    try {
      const parsed: unknown = JSON.parse(body);
      if (typeof parsed === "object" && parsed !== null && "code" in parsed) {
        const e = parsed as { code: number; message?: string; details?: unknown[] };
        return new ApiError(e.code, e.message ?? "", status, e.details ?? []);
      }
    } catch {
      // Not JSON: an answer of a proxy in between.
    }
    const text = body.trim().slice(0, 300);
    return new ApiError(codeOfStatus(status), text || `HTTP status ${status}`, status);
  }
}

function codeOfStatus(status: number): number {
  switch (status) {
    case 400:
      return Code.INVALID_ARGUMENT;
    case 401:
      return Code.UNAUTHENTICATED;
    case 403:
      return Code.PERMISSION_DENIED;
    case 404:
      return Code.NOT_FOUND;
    case 409:
      return Code.ALREADY_EXISTS;
    case 429:
      return Code.RESOURCE_EXHAUSTED;
    case 501:
      return Code.UNIMPLEMENTED;
    case 502:
    case 503:
    case 504:
      return Code.UNAVAILABLE;
    default:
      return Code.UNKNOWN;
  }
}

export type Violation = { location: string; message: string; allowed?: string | null };

/**
 * Why a request failed, as the API says it (RFC 9457), or `status` 0 where no answer came.
 *
 * `message` is the one line for a person, `code` what a program compares.
 */
export class Problem extends Error {
  override readonly name = "Problem";

  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly title: string = "",
    readonly field: string | null = null,
    readonly errors: readonly Violation[] = [],
    readonly requestId: string | null = null,
  ) {
    super(detail);
  }

  /** No answer came: the server is away, or the network is. */
  get offline(): boolean {
    return this.status === 0;
  }

  /** Whether the same request may well succeed later. */
  get transient(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }

  static unreachable(): Problem {
    return new Problem(0, "unreachable", "The server can't be reached. It is tried again.", "No connection");
  }

  /** The problem that an answer tells of; something plain where it tells of none. */
  static async from(response: Response): Promise<Problem> {
    const told: unknown = await response.json().catch(() => null);
    if (typeof told !== "object" || told === null || !("detail" in told)) {
      return new Problem(response.status, "unexpected", `The server answered ${response.status} ${response.statusText}.`);
    }
    const body = told as Record<string, unknown>;
    return new Problem(
      response.status,
      text(body["code"]) ?? "unexpected",
      text(body["detail"]) ?? "",
      text(body["title"]) ?? "",
      text(body["field"]),
      Array.isArray(body["errors"]) ? (body["errors"] as Violation[]) : [],
      text(body["request_id"]),
    );
  }
}

function text(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

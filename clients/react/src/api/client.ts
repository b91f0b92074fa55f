import { Problem } from "./problem";

export type QueryValue = string | number | boolean | null | undefined | readonly string[];
export type Query = Readonly<Record<string, QueryValue>>;
export type Token = string | null | (() => string | null | Promise<string | null>);

export type ApiOptions = {
  /** Where Tallystick answers: `https://billing.example.com`; empty is the page's own origin. */
  baseUrl?: string;
  /** An API key, a portal token, or what gets one; null sends none. */
  token?: Token;
  /** Told of each 401, once the token was refused. */
  onUnauthorized?: (problem: Problem) => void;
};

export type CallOptions = { signal?: AbortSignal; headers?: Readonly<Record<string, string>> };

/**
 * The API over fetch.
 *
 * Quantities and amounts come as text and stay text. What fails is thrown as a `Problem`.
 */
export class Api {
  readonly baseUrl: string;

  constructor(private readonly options: ApiOptions = {}) {
    this.baseUrl = (options.baseUrl ?? "").replace(/\/+$/, "");
  }

  get<T>(path: string, query?: Query, options?: CallOptions): Promise<T> {
    return this.call<T>("GET", path, undefined, query, options);
  }

  post<T>(path: string, body?: unknown, query?: Query, options?: CallOptions): Promise<T> {
    return this.call<T>("POST", path, body, query, options);
  }

  put<T>(path: string, body?: unknown, query?: Query, options?: CallOptions): Promise<T> {
    return this.call<T>("PUT", path, body, query, options);
  }

  patch<T>(path: string, body?: unknown, query?: Query, options?: CallOptions): Promise<T> {
    return this.call<T>("PATCH", path, body, query, options);
  }

  delete<T = void>(path: string, query?: Query, options?: CallOptions): Promise<T> {
    return this.call<T>("DELETE", path, undefined, query, options);
  }

  /** The answer itself, where it is no JSON: a stream, a document. */
  async raw(path: string, query?: Query, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    const token = await this.token();
    if (token) headers.set("Authorization", `Bearer ${token}`);
    const response = await fetch(this.url(path, query), { ...init, headers }).catch((error: unknown) => {
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      throw Problem.unreachable();
    });
    if (response.ok) return response;
    const problem = await Problem.from(response);
    if (problem.status === 401) this.options.onUnauthorized?.(problem);
    throw problem;
  }

  url(path: string, query: Query = {}): string {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value === null || value === undefined || value === "") continue;
      for (const each of Array.isArray(value) ? value : [value]) search.append(name, String(each));
    }
    const asked = search.toString();
    return `${this.baseUrl}${path}${asked ? `?${asked}` : ""}`;
  }

  private async call<T>(method: string, path: string, body: unknown, query?: Query, options?: CallOptions): Promise<T> {
    const headers: Record<string, string> = { Accept: "application/json", ...options?.headers };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const response = await this.raw(path, query, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      signal: options?.signal ?? null,
    });
    return (response.status === 204 ? undefined : await response.json()) as T;
  }

  private async token(): Promise<string | null> {
    const { token } = this.options;
    return typeof token === "function" ? token() : (token ?? null);
  }
}

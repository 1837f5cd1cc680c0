// Asks the API and turns every failure into one error with plain words. It caches nothing: what a
// page shows is what the server said last.
import type { ApiFault } from './api';

/** Longer than any honest answer: station orders wait for the station, whose own limit is 30 s. */
const ANSWER_LIMIT_MS = 45_000;
/** The largest image over a slow office line. */
const FILE_LIMIT_MS = 3_600_000;

export class ApiError extends Error {
  constructor(readonly status: number, readonly code: string, message: string, readonly path?: string) {
    super(message);
  }
  get signedOut(): boolean { return this.status === 401; }
}

let whenSignedOut: (slug: string) => void = () => undefined;
/** Tells one listener whenever a party answers that nobody is signed in (any more). */
export function onSignedOut(tell: (slug: string) => void): void { whenSignedOut = tell; }

type Query = Record<string, string | number | boolean | null | undefined>;

export function get<T>(path: string, query?: Query): Promise<T> {
  return ask<T>('GET', path + queryText(query));
}
export function post<T>(path: string, body: unknown = {}): Promise<T> { return ask<T>('POST', path, body); }
export function put<T>(path: string, body: unknown): Promise<T> { return ask<T>('PUT', path, body); }
export function remove<T = void>(path: string): Promise<T> { return ask<T>('DELETE', path); }

/** Sends a file as it is. It may take as long as the line needs: an image has some hundred megabytes. */
export async function putFile(path: string, file: Blob): Promise<void> { await send('PUT', path, undefined, file); }

/** Fetches a file's text, e.g. a signed record, without saving it. */
export async function getText(path: string): Promise<string> {
  const answer = await send('GET', path);
  return answer.text();
}

/** Path segments are ids from outside: always encoded. */
export function at(...segments: (string | number)[]): string {
  return '/api/' + segments.map((segment) => encodeURIComponent(segment)).join('/');
}

function queryText(query?: Query): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value !== null && value !== undefined && value !== '') params.set(key, String(value));
  }
  const text = params.toString();
  return text ? `?${text}` : '';
}

async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await send(method, path, body);
  const text = await answer.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

async function send(method: string, path: string, body?: unknown, file?: Blob): Promise<Response> {
  const headers: Record<string, string> = {};
  // A page of another site cannot set this header without asking first: it is what keeps forged writes out.
  if (method !== 'GET') headers['X-Leyden'] = '1';
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  else if (file) headers['Content-Type'] = 'application/octet-stream';
  let answer: Response;
  try {
    answer = await fetch(path, {
      method, headers, credentials: 'same-origin', signal: AbortSignal.timeout(file ? FILE_LIMIT_MS : ANSWER_LIMIT_MS),
      ...(file ? { body: file } : body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (cause) {
    const late = cause instanceof DOMException && cause.name === 'TimeoutError';
    throw new ApiError(0, late ? 'no_answer' : 'unreachable',
      late ? 'The server did not answer in time.' : 'The server cannot be reached.');
  }
  if (!answer.ok) {
    const slug = /^\/api\/p\/([^/]+)\/(?!login)/.exec(path)?.[1];
    if (answer.status === 401 && slug) whenSignedOut(decodeURIComponent(slug));
    throw await fault(answer);
  }
  return answer;
}

async function fault(answer: Response): Promise<ApiError> {
  try {
    const { error } = (await answer.json()) as ApiFault;
    return new ApiError(answer.status, error.code, error.message, error.path);
  } catch {
    return new ApiError(answer.status, 'http', `The server answered ${answer.status} ${answer.statusText}.`.trim());
  }
}

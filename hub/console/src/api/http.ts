/** Requests to the hub: one error shape, paging, and a hook for a session that has ended. */

import type { WithCodes } from '../coded'

export interface Page<Item> {
  items: Item[]
  total: number
}

export type Query = Record<string, string | number | boolean | undefined>

/**
 * One of several things that are wrong with a file: where (in a sheet, or as one text), and what
 * would be right.
 */
export type Trouble = WithCodes<'message' | 'allowed'> & {
  sheet?: string
  row?: number
  column?: string
  where?: string
}

/** Status 0: the hub could not be reached. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly remedy = '',
    readonly problems: readonly Trouble[] = [],
    readonly coded: Refused['coded'] = {},
  ) {
    super(message)
  }
}

let sessionEnded = () => {}

export function onSessionEnded(listener: () => void): void {
  sessionEnded = listener
}

export function withQuery(path: string, query: Query = {}): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') params.set(name, String(value))
  }
  const text = params.toString()
  return text ? `${path}?${text}` : path
}

export async function request<Answer>(
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> {
  const response = await answerTo(method, path, body)
  return (response.status === 204 ? undefined : await whole(path, response.json())) as Answer
}

export async function requestBlob(method: string, path: string, body?: unknown): Promise<Blob> {
  return whole(path, (await answerTo(method, path, body)).blob())
}

/** An answer, or its body: the line may break while either comes. */
export async function whole<Body>(path: string, coming: Promise<Body>): Promise<Body> {
  try {
    return await coming
  } catch {
    throw new ApiError(0, 'unreachable', path)
  }
}

/** The answer with its headers, where they matter. */
export async function answerTo(
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<Response> {
  const response = await send(method, path, body, signal)
  if (!response.ok) throw await errorOf(response, path)
  return response
}

export function get<Answer>(path: string, query?: Query): Promise<Answer> {
  return request<Answer>('GET', withQuery(path, query))
}

/** Every item of a list, page by page. */
export async function all<Item>(path: string, query: Query = {}, most = 20_000): Promise<Item[]> {
  const items: Item[] = []
  for (;;) {
    const page = await get<Page<Item>>(path, { ...query, limit: 500, offset: items.length })
    items.push(...page.items)
    if (page.items.length === 0 || items.length >= Math.min(page.total, most)) return items
  }
}

async function send(
  method: string,
  path: string,
  body: unknown,
  signal?: AbortSignal,
): Promise<Response> {
  const headers: Record<string, string> = { 'X-Tianyan': '1' }
  const isFile = body instanceof Blob
  if (body !== undefined && !isFile) headers['Content-Type'] = 'application/json'
  const asked = fetch(path, {
    method,
    headers,
    body: body === undefined || isFile ? body : JSON.stringify(body),
    credentials: 'same-origin',
    signal,
  })
  return whole(path, asked)
}

type Refused = WithCodes<'message' | 'allowed'>

interface ErrorFields extends Partial<Refused> {
  code?: string
  problems?: Trouble[]
}

async function errorOf(response: Response, path: string): Promise<ApiError> {
  if (response.status === 401 && !path.startsWith('/api/session')) sessionEnded()
  const body: unknown = await response.json().catch(() => null)
  const error = (body as { error?: ErrorFields } | null)?.error
  return new ApiError(
    response.status,
    error?.code ?? 'unknown',
    error?.message ?? `${response.status} ${response.statusText}`,
    error?.allowed ?? '',
    error?.problems ?? [],
    error?.coded,
  )
}

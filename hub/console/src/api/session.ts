import { ApiError, request } from './http'

export type Role = 'viewer' | 'collector' | 'handler' | 'operator' | 'supervisor' | 'admin' | 'service'

export type Right =
  | 'read'
  | 'evidence'
  | 'see_original'
  | 'decide'
  | 'handle'
  | 'act'
  | 'report'
  | 'caller'
  | 'fleet'
  | 'personal'
  | 'configure'
  | 'admin'

export interface Post {
  role: Role
  grid: string | null
  department: string | null
  matter_class: string | null
}

/** `must_change`: nothing is allowed before the password was changed. */
export interface Session {
  name: string
  role: Role
  rights: Right[]
  display_name: string
  must_change: boolean
  has_password: boolean
  posts: Post[]
}

export type Proof = { token: string } | { name: string; password: string } | { demo: true }

/** `single_sign_on`: what the city's identity provider is called; null where there is none. */
export interface WaysIn {
  demo: boolean
  single_sign_on: string | null
}

export const SINGLE_SIGN_ON = '/api/session/oidc'

/** The session there is, or how one may be opened. */
export async function currentSession(): Promise<Session | WaysIn> {
  const response = await fetch('/api/session', { credentials: 'same-origin' }).catch(() => null)
  if (!response) throw new ApiError(0, 'unreachable', '/api/session')
  const body = (await response.json().catch(() => ({}))) as Partial<Session & WaysIn>
  if (response.ok && body.name && body.role && body.rights) return body as Session
  if (response.status !== 401) throw new ApiError(response.status, 'unknown', response.statusText)
  return { demo: body.demo === true, single_sign_on: body.single_sign_on ?? null }
}

export function openSession(proof: Proof): Promise<Session> {
  return request('POST', '/api/session', proof)
}

export function closeSession(): Promise<unknown> {
  return request('DELETE', '/api/session')
}

export function changePassword(old: string, chosen: string): Promise<Session> {
  return request('POST', '/api/session/password', { old, new: chosen })
}

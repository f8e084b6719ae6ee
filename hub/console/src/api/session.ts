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

/** The session there is, or whether the hub lets anyone in as a demonstration. */
export async function currentSession(): Promise<Session | { demo: boolean }> {
  const response = await fetch('/api/session', { credentials: 'same-origin' }).catch(() => null)
  if (!response) throw new ApiError(0, 'unreachable', '/api/session')
  const body = (await response.json().catch(() => ({}))) as Partial<Session> & { demo?: boolean }
  if (response.ok && body.name && body.role && body.rights) return body as Session
  if (response.status !== 401) throw new ApiError(response.status, 'unknown', response.statusText)
  return { demo: body.demo === true }
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

import { ApiError, request } from './http'

export type Role = 'viewer' | 'operator' | 'supervisor' | 'admin' | 'service'

export type Right =
  | 'read'
  | 'evidence'
  | 'see_original'
  | 'decide'
  | 'act'
  | 'report'
  | 'caller'
  | 'fleet'
  | 'configure'
  | 'admin'

export interface Session {
  name: string
  role: Role
  rights: Right[]
}

/** The session there is, or whether the hub lets anyone in as a demonstration. */
export async function currentSession(): Promise<Session | { demo: boolean }> {
  const response = await fetch('/api/session', { credentials: 'same-origin' }).catch(() => null)
  if (!response) throw new ApiError(0, 'unreachable', '/api/session')
  const body = (await response.json().catch(() => ({}))) as Partial<Session> & { demo?: boolean }
  if (response.ok && body.name && body.role && body.rights)
    return { name: body.name, role: body.role, rights: body.rights }
  if (response.status !== 401) throw new ApiError(response.status, 'unknown', response.statusText)
  return { demo: body.demo === true }
}

export function openSession(proof: { token: string } | { demo: true }): Promise<Session> {
  return request('POST', '/api/session', proof)
}

export function closeSession(): Promise<unknown> {
  return request('DELETE', '/api/session')
}

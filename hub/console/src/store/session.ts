/** Who is at the console. `lost`: there was a session and it ended; the page stays as it is. */

import { reactive } from 'vue'

import { ApiError, onSessionEnded } from '../api/http'
import { closeSession, currentSession, openSession, type Role } from '../api/session'

const LEFT = 'tianyan.left'
const RANK: Record<Role, number> = { viewer: 0, service: 0, operator: 1, supervisor: 2, admin: 3 }

export type Phase = 'asking' | 'out' | 'in' | 'lost' | 'unreachable'

export const session = reactive({
  phase: 'asking' as Phase,
  name: '',
  role: 'viewer' as Role,
  demo: false,
})

export function mayDecide(): boolean {
  return RANK[session.role] >= RANK.operator
}

export function maySeeOriginals(): boolean {
  return RANK[session.role] >= RANK.supervisor
}

export function mayConfigure(): boolean {
  return RANK[session.role] >= RANK.supervisor
}

/** Find the session there is; in a demonstration enter by itself unless the person has left. */
export async function resumeSession(): Promise<void> {
  try {
    const found = await currentSession()
    if ('name' in found) return enter(found.name, found.role)
    session.demo = found.demo
    if (found.demo && sessionStorage.getItem(LEFT) === null) return await enterDemo()
    session.phase = 'out'
  } catch {
    session.phase = 'unreachable'
  }
}

export async function enterDemo(): Promise<void> {
  const opened = await openSession({ demo: true })
  enter(opened.name, opened.role)
}

export async function enterWithToken(token: string): Promise<void> {
  const opened = await openSession({ token: token.trim() })
  enter(opened.name, opened.role)
}

export async function leave(): Promise<void> {
  sessionStorage.setItem(LEFT, 'yes')
  await closeSession().catch((error: unknown) => {
    if (!(error instanceof ApiError)) throw error
  })
  session.phase = 'out'
}

function enter(name: string, role: Role): void {
  sessionStorage.removeItem(LEFT)
  Object.assign(session, { phase: 'in', name, role })
}

onSessionEnded(() => {
  if (session.phase === 'in') session.phase = 'lost'
})

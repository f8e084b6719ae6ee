/** Who is at the console. `lost`: there was a session and it ended; the page stays as it is. */

import { reactive } from 'vue'

import { ApiError, onSessionEnded } from '../api/http'
import {
  changePassword,
  closeSession,
  currentSession,
  openSession,
  type Right,
  type Role,
  type Session,
} from '../api/session'

const LEFT = 'tianyan.left'

/** `change`: somebody is there who has to choose a password first. */
export type Phase = 'asking' | 'out' | 'change' | 'in' | 'lost' | 'unreachable'

export const session = reactive({
  phase: 'asking' as Phase,
  name: '',
  role: 'viewer' as Role,
  rights: [] as Right[],
  display_name: '',
  must_change: false,
  demo: false,
  single_sign_on: null as string | null,
})

export function may(right: Right): boolean {
  return session.rights.includes(right)
}

export const mayDecide = () => may('decide')
export const maySeeOriginals = () => may('see_original')
export const mayConfigure = () => may('configure')

/** Find the session there is; in a demonstration enter by itself unless the person has left. */
export async function resumeSession(): Promise<void> {
  try {
    const found = await currentSession()
    if ('name' in found) return enter(found)
    session.demo = found.demo
    session.single_sign_on = found.single_sign_on
    if (found.demo && sessionStorage.getItem(LEFT) === null) return await enterDemo()
    session.phase = 'out'
  } catch {
    session.phase = 'unreachable'
  }
}

export async function enterDemo(): Promise<void> {
  enter(await openSession({ demo: true }))
}

export async function enterWithToken(token: string): Promise<void> {
  enter(await openSession({ token: token.trim() }))
}

export async function enterWithPassword(name: string, password: string): Promise<void> {
  enter(await openSession({ name: name.trim(), password }))
}

export async function choosePassword(old: string, chosen: string): Promise<void> {
  enter(await changePassword(old, chosen))
}

export async function leave(): Promise<void> {
  sessionStorage.setItem(LEFT, 'yes')
  await closeSession().catch((error: unknown) => {
    if (!(error instanceof ApiError)) throw error
  })
  session.phase = 'out'
}

function enter(opened: Session): void {
  sessionStorage.removeItem(LEFT)
  Object.assign(session, { phase: opened.must_change ? 'change' : 'in', ...opened })
}

onSessionEnded(() => {
  if (session.phase === 'in') session.phase = 'lost'
})

/** Who did something, by name: logins the page comes across are asked for, several at once. */

import { shallowReactive } from 'vue'

import { names } from '../api/names'
import { isKey, type Key, t } from '../i18n'

const AT_ONCE = 100

const known = shallowReactive(new Map<string, string>())
/** Asked for, or about to be. */
const asked = new Set<string>()
let next: string[] = []
let asking: Promise<void> = Promise.resolve()

/** What somebody is called; his login until the hub has said it, and for who is no person. */
export function personName(login: string): string {
  void learn(login)
  return said(login)
}

/** The same for what is said once and stays: waits until the name is known. */
export async function learnedName(login: string): Promise<string> {
  await learn(login)
  return said(login)
}

/** Somebody may be called differently now. */
export function forgetNames(): void {
  asked.clear()
  for (const login of known.keys()) void learn(login)
}

/** What the hub and its command line are called, who are no people. */
function ownWord(login: string): Key | null {
  const key = `actor.${login.replaceAll(' ', '_')}`
  return isKey(key) ? key : null
}

function said(login: string): string {
  const own = ownWord(login)
  return own ? t(own) : (known.get(login) ?? login)
}

function learn(login: string): Promise<void> {
  if (login === '' || asked.has(login) || ownWord(login)) return asking
  asked.add(login)
  if (next.push(login) === 1) asking = asking.then(ask)
  return asking
}

async function ask(): Promise<void> {
  const logins = next
  next = []
  for (let at = 0; at < logins.length; at += AT_ONCE) {
    const part = logins.slice(at, at + AT_ONCE)
    const found = await names(part).catch(() => null)
    if (!found) {
      // Unsaid they are asked for again when they are shown again.
      for (const login of part) asked.delete(login)
      continue
    }
    const called = new Map(found.items.map((item) => [item.login, item.name]))
    for (const login of part) known.set(login, called.get(login) ?? login)
  }
}

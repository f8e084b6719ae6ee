/**
 * A patrol on this phone: positions are gathered while it runs, and at no other time.
 *
 * They are kept in the phone's own database until the hub has stored them; what is sent twice is
 * stored once there. A position every ten seconds is what proves a visit and what a slow phone bears.
 */

import type { Place } from '../street/place'
import { ask, Refused } from './api'
import { answerOf, run } from './queue'

export interface Credit {
  post_name: string
  shift_name: string | null
}

export interface Patrol {
  id: string
  who: string
  started_at: string
  /** Empty while it runs. */
  ended_at: string
  next_seq: number
  last_at: string
  /** Whether the hub knows of it. */
  told: boolean
  /** What it counts for; null for no post; undefined while the hub has not said. */
  credit?: Credit | null
  /** Why the hub would not have it; empty while it waits. */
  refused: string
}

interface Fix {
  patrol: string
  seq: number
  at: string
  lat: number
  lon: number
  acc_m: number
  speed_kmh: number | null
}

export const EVERY_MS = 10_000
const MOST_KEPT = 6000
const AT_ONCE = 200
const LONGEST_MS = 12 * 3_600_000

export interface Waiting {
  patrols: Patrol[]
  fixes: number
}

export async function known(who: string): Promise<Waiting> {
  return await run(['patrols', 'fixes'], 'readonly', async (store) => {
    const [all, fixes] = await Promise.all([
      answerOf(store('patrols').getAll() as IDBRequest<Patrol[]>),
      answerOf(store('fixes').count()),
    ])
    const mine = all.filter((each) => each.who === who)
    return { patrols: mine.toSorted((a, b) => a.started_at.localeCompare(b.started_at)), fixes }
  })
}

export const keep = (patrol: Patrol) =>
  run(['patrols'], 'readwrite', (store) => answerOf(store('patrols').put(patrol)))

export async function begin(who: string): Promise<void> {
  await keep({
    id: crypto.randomUUID(),
    who,
    started_at: new Date().toISOString(),
    ended_at: '',
    next_seq: 0,
    last_at: '',
    told: false,
    refused: '',
  })
}

/** Keep a position of a running patrol, unless the last one is hardly older; whether it was kept. */
export async function record(id: string, place: Place, speedMs: number | null): Promise<boolean> {
  return await run(['patrols', 'fixes'], 'readwrite', async (store) => {
    const patrol = await answerOf(store('patrols').get(id) as IDBRequest<Patrol | undefined>)
    if (!patrol || patrol.ended_at) return false
    const at = Date.parse(place.at)
    if (at < Date.parse(patrol.started_at) - EVERY_MS) return false
    if (patrol.last_at && at - Date.parse(patrol.last_at) < EVERY_MS) return false
    const fix: Fix = {
      patrol: id,
      seq: patrol.next_seq,
      at: place.at,
      lat: place.lat,
      lon: place.lon,
      acc_m: place.acc_m,
      speed_kmh: speedMs === null ? null : Math.round(speedMs * 36) / 10,
    }
    store('fixes').put(fix)
    await answerOf(
      store('patrols').put({ ...patrol, next_seq: patrol.next_seq + 1, last_at: place.at }),
    )
    if ((await answerOf(store('fixes').count())) > MOST_KEPT) await thin(store('fixes'))
    return true
  })
}

/** So much has waited for a network that every second position goes: the way is still told. */
async function thin(fixes: IDBObjectStore): Promise<void> {
  const keys = await answerOf(fixes.getAllKeys())
  keys.forEach((key, n) => {
    if (n % 2 && n < keys.length - 1) fixes.delete(key)
  })
}

/** A patrol that nobody ended ends by itself, where the last position was. */
export function isForgotten(patrol: Patrol): boolean {
  return !patrol.ended_at && Date.now() - Date.parse(patrol.started_at) > LONGEST_MS
}

export async function finish(id: string, at = new Date().toISOString()): Promise<void> {
  await run(['patrols'], 'readwrite', async (store) => {
    const patrol = await answerOf(store('patrols').get(id) as IDBRequest<Patrol | undefined>)
    if (patrol && !patrol.ended_at)
      await answerOf(store('patrols').put({ ...patrol, ended_at: at }))
  })
}

/** Give a patrol up with all its positions. */
export async function forget(id: string): Promise<void> {
  await run(['patrols', 'fixes'], 'readwrite', async (store) => {
    store('fixes').delete(IDBKeyRange.bound([id, 0], [id, Infinity]))
    await answerOf(store('patrols').delete(id))
  })
}

/** Send what waits, patrol by patrol. Stops at the first without a network. */
export async function sendPatrols(who: string): Promise<void> {
  await navigator.locks.request('tianyan-patrol', async () => {
    for (const patrol of (await known(who)).patrols) {
      if (patrol.refused) continue
      try {
        await send(patrol)
      } catch (fault) {
        if (!(fault instanceof Refused)) throw fault
        if (fault.status === 0 || fault.status === 401 || fault.status >= 500) return
        await change(patrol.id, { refused: fault.message || String(fault.status) })
      }
    }
  })
}

async function send(patrol: Patrol): Promise<void> {
  const path = `/api/patrols/${patrol.id}`
  if (!patrol.told) {
    const { id, started_at } = patrol
    const said = await ask<{ counts_for: Credit | null }>('POST', '/api/patrols', {
      id,
      started_at,
    })
    await change(id, { told: true, credit: said.counts_for })
  }
  for (;;) {
    const fixes = await next(patrol.id)
    const first = fixes[0]
    const last = fixes.at(-1)
    if (!first || !last) break
    await ask('POST', `${path}/fixes`, {
      fixes: fixes.map(({ patrol: _, ...fix }) => fix),
    })
    await run(['fixes'], 'readwrite', (store) =>
      answerOf(
        store('fixes').delete(IDBKeyRange.bound([patrol.id, first.seq], [patrol.id, last.seq])),
      ),
    )
  }
  if (!patrol.ended_at) return
  await ask('POST', `${path}/end`, { ended_at: patrol.ended_at })
  await forget(patrol.id)
}

const next = (id: string) =>
  run(['fixes'], 'readonly', (store) =>
    answerOf(
      store('fixes').getAll(IDBKeyRange.bound([id, 0], [id, Infinity]), AT_ONCE) as IDBRequest<
        Fix[]
      >,
    ),
  )

/** Written over what is there by then: a patrol may end while it is being sent. */
export async function change(id: string, values: Partial<Patrol>): Promise<void> {
  await run(['patrols'], 'readwrite', async (store) => {
    const patrol = await answerOf(store('patrols').get(id) as IDBRequest<Patrol | undefined>)
    if (patrol) await answerOf(store('patrols').put({ ...patrol, ...values }))
  })
}

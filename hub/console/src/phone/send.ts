/**
 * Sending what waits, in order and nothing twice: before each step the hub is asked whether it was
 * done already, for the answer to an earlier try may have been lost on the way.
 */

import { ask, Refused, type PhoneCase } from './api'
import { drop, put, waiting, type Task } from './queue'

interface Detail extends PhoneCase {
  history: { at: string; actor: string; action: string }[]
}

interface Proof {
  photos: { id: number; original: string; by: string; used_at: string | null }[]
}

/** Send what waits; returns how many tasks were done. Stops at the first without a network. */
export async function sendAll(me: string): Promise<number> {
  return await navigator.locks.request('tianyan-send', async () => {
    let done = 0
    for (const task of await waiting()) {
      if (task.refused) continue
      try {
        await send(task, me)
        await drop(task.id)
        done += 1
      } catch (fault) {
        if (!(fault instanceof Refused)) throw fault
        if (fault.status === 0 || fault.status === 401 || fault.status >= 500) return done
        await put({ ...task, refused: fault.message || String(fault.status) })
      }
    }
    return done
  })
}

async function send(task: Task, me: string): Promise<void> {
  const item = await ask<Detail>('GET', `/api/cases/${task.case_id}`)
  const wasDone = item.history.some(
    (step) => step.action === task.action && step.actor === me && step.at >= task.made_at,
  )
  if (wasDone) return
  const photos: number[] = []
  for (const file of task.files) photos.push(await upload(task.case_id, file, me))
  await ask('POST', `/api/cases/${task.case_id}/actions`, {
    action: task.action,
    version: item.version,
    note: task.note,
    photos,
  })
}

/** The photo's number: the one it got at an earlier try, or a new one. */
async function upload(caseId: number, file: Task['files'][number], me: string): Promise<number> {
  const sha256 = await hashOf(file.data)
  const known = await ask<Proof>('GET', `/api/cases/${caseId}/proof`)
  const before = known.photos.find(
    (photo) => photo.original.includes(sha256) && photo.by === me && !photo.used_at,
  )
  if (before) return before.id
  const query = new URLSearchParams({ use: 'claim', taken_at: file.taken_at })
  if (file.place) {
    query.set('lat', String(file.place.lat))
    query.set('lon', String(file.place.lon))
    query.set('acc_m', String(file.place.acc_m))
  }
  const made = await ask<{ id: number }>('POST', `/api/cases/${caseId}/photos?${query}`, file.data)
  return made.id
}

async function hashOf(data: Blob): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', await data.arrayBuffer())
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

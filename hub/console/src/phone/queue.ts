/** What waits to be sent, in this phone's own database: a closed page or a dead battery loses nothing. */

import type { Place } from '../street/place'

export interface Task {
  id: string
  case_id: number
  number: string
  action: 'accept' | 'feedback'
  note: string
  files: { data: Blob; taken_at: string; place: Place | null }[]
  made_at: string
  /** Why the hub would not have it; empty while it waits. */
  refused: string
}

type Name = 'tasks' | 'patrols' | 'fixes'

const opened = new Promise<IDBDatabase>((done, fail) => {
  const request = indexedDB.open('tianyan-phone', 2)
  request.onupgradeneeded = () => {
    const known = request.result.objectStoreNames
    if (!known.contains('tasks')) request.result.createObjectStore('tasks', { keyPath: 'id' })
    request.result.createObjectStore('patrols', { keyPath: 'id' })
    request.result.createObjectStore('fixes', { keyPath: ['patrol', 'seq'] })
  }
  request.onsuccess = () => {
    // A page of a later version may change the database; this one is reloaded then.
    request.result.onversionchange = () => request.result.close()
    done(request.result)
  }
  request.onerror = () => fail(request.error ?? new Error('no database'))
})

/** One transaction over some stores; what `act` gives is awaited before it counts as done. */
export async function run<Answer>(
  names: Name[],
  mode: IDBTransactionMode,
  act: (store: (name: Name) => IDBObjectStore) => Promise<Answer>,
): Promise<Answer> {
  const transaction = (await opened).transaction(names, mode)
  const ended = new Promise<void>((done, fail) => {
    transaction.oncomplete = () => done()
    transaction.onerror = () => fail(transaction.error ?? new Error('not stored'))
    transaction.onabort = transaction.onerror
  })
  const answer = await act((name) => transaction.objectStore(name))
  await ended
  return answer
}

export function answerOf<Answer>(request: IDBRequest<Answer>): Promise<Answer> {
  return new Promise((done, fail) => {
    request.onsuccess = () => done(request.result)
    request.onerror = () => fail(request.error ?? new Error('not stored'))
  })
}

export async function waiting(): Promise<Task[]> {
  const tasks = await run(['tasks'], 'readonly', (store) =>
    answerOf(store('tasks').getAll() as IDBRequest<Task[]>),
  )
  return tasks.toSorted((a, b) => a.made_at.localeCompare(b.made_at))
}

export const put = (task: Task) =>
  run(['tasks'], 'readwrite', (store) => answerOf(store('tasks').put(task)))
export const drop = (id: string) =>
  run(['tasks'], 'readwrite', (store) => answerOf(store('tasks').delete(id)))

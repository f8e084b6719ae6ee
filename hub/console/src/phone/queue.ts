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

const opened = new Promise<IDBDatabase>((done, fail) => {
  const request = indexedDB.open('tianyan-phone', 1)
  request.onupgradeneeded = () => request.result.createObjectStore('tasks', { keyPath: 'id' })
  request.onsuccess = () => done(request.result)
  request.onerror = () => fail(request.error ?? new Error('no database'))
})

async function run<Answer>(
  mode: IDBTransactionMode,
  act: (tasks: IDBObjectStore) => IDBRequest<Answer>,
): Promise<Answer> {
  const transaction = (await opened).transaction('tasks', mode)
  const request = act(transaction.objectStore('tasks'))
  return new Promise((done, fail) => {
    transaction.oncomplete = () => done(request.result)
    transaction.onerror = () => fail(transaction.error ?? new Error('not stored'))
  })
}

export async function waiting(): Promise<Task[]> {
  const tasks = await run<Task[]>('readonly', (store) => store.getAll() as IDBRequest<Task[]>)
  return tasks.toSorted((a, b) => a.made_at.localeCompare(b.made_at))
}

export const put = (task: Task) => run('readwrite', (store) => store.put(task))
export const drop = (id: string) => run('readwrite', (store) => store.delete(id))

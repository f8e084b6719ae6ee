/** What the phone asks of the hub. */

import { refusalOf } from '../refusal'

export interface PhoneCase {
  id: number
  number: string
  state: string
  version: number
  title: string
  matter: { name_zh: string; name_en: string } | null
  lat: number
  lon: number
  level: number
  clock: { due_at: string | null } | null
  grid: { code: string; name: string } | null
  picture: string | null
  reports: number
}

/** What people reported of a case; empty words are kept from whoever only works on it. */
export interface Report {
  number: string
  received_at: string
  content: string
  place_text: string
  photos: string[]
}

export async function reportsOf(item: PhoneCase): Promise<Report[]> {
  if (!item.reports) return []
  return (await ask<{ items: Report[] }>('GET', `/api/cases/${item.id}/reports`)).items
}

export interface Who {
  name: string
  display_name: string
  must_change: boolean
  /** The site's. */
  time_zone: string
}

/** Status 0: no network. The message is what people are told. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message)
  }
}

export async function ask<Answer>(
  method: string,
  path: string,
  body?: object | Blob,
): Promise<Answer> {
  const isFile = body instanceof Blob
  const answer = await fetch(path, {
    method,
    credentials: 'same-origin',
    headers: {
      'X-Tianyan': '1',
      ...(body && !isFile ? { 'Content-Type': 'application/json' } : {}),
    },
    body: body && !isFile ? JSON.stringify(body) : (body as Blob | undefined),
  }).catch(() => null)
  if (!answer) throw new Refused(0, 'offline', '')
  const said: unknown = await answer.json().catch(() => null)
  if (answer.ok) return said as Answer
  const { code, text } = await refusalOf(answer, said)
  throw new Refused(answer.status, code, text)
}

/** A dual report or a supervision that whoever is logged in has still to read. */
export interface Told {
  id: number
  case: number
  case_number: string
  note: string
  until: string | null
  overdue: boolean
  decision: string
  news: 'dual_report' | 'demanded' | 'answered' | 'overdue'
}

export async function toldMe(): Promise<Told[]> {
  return (await ask<{ items: Told[] }>('GET', '/api/told-records')).items
}

export async function sayRead(told: Told, note: string): Promise<void> {
  if (told.news !== 'dual_report') {
    await ask('POST', `/api/told-records/${told.id}/read`)
    return
  }
  const { version } = await ask<{ version: number }>('GET', `/api/cases/${told.case}`)
  await ask('POST', `/api/case-records/${told.id}/answer`, { version, note })
}

const WORK = ['dispatched', 'handling', 'rework', 'joint']

export async function myCases(): Promise<PhoneCase[]> {
  const found = await ask<{ items: PhoneCase[] }>(
    'GET',
    '/api/cases?open=true&order=due&limit=200',
  )
  return found.items.filter((item) => WORK.includes(item.state))
}

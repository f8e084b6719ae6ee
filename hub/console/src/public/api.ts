/** What citizens ask of the hub; no account, no cookie. */

import { refusalOf } from '../refusal'

export interface Step {
  at: string
  state: string
  state_zh: string
}

export interface Matter {
  code: string
  name_zh: string
  name_en: string
}

export interface Grid {
  code: string
  name: string
}

export interface Penalty {
  basis: string
  matter: string
  discretion: string
  result: string
  procedure: { at: string; step: string; step_zh: string }[]
}

export interface PublicCase {
  number: string
  matter: Matter | null
  grid: Grid | null
  basis: string
  opened_under: string
  closes_when: string
  limit: string
  department: string
  opened_at: string
  due_at: string | null
  closed_at: string | null
  in_time: boolean | null
  state: string
  state_zh: string
  procedure: Step[]
  penalty: Penalty | null
  generated: boolean
}

export interface Site {
  name: string
  time_zone: string
  matters: Matter[]
  grids: Grid[]
}

export interface Outcome {
  number: string
  matter: string
  received_at: string
  state: string
  open: boolean
  due_at: string | null
  answer: string
  answered_at: string | null
}

/** Status 0: no network. The message is what people are told. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
  }
}

async function ask<Answer>(path: string, options: RequestInit = {}): Promise<Answer> {
  const answer = await fetch(path, { credentials: 'omit', ...options }).catch(() => null)
  if (!answer) throw new Refused(0, '')
  const body: unknown = await answer.json().catch(() => null)
  if (answer.ok) return body as Answer
  throw new Refused(answer.status, (await refusalOf(answer, body)).text)
}

export const site = () => ask<Site>('/public/site')

export const report = (body: object) =>
  ask<{ number: string; key: string }>('/public/reports', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  })

const own = (number: string, what: string, key: string) =>
  `/public/reports/${encodeURIComponent(number)}${what}?key=${encodeURIComponent(key)}`

export const addPhoto = (number: string, key: string, photo: Blob) =>
  ask<{ photos: number }>(own(number, '/photos', key), { method: 'PUT', body: photo })

export const outcome = (number: string, key: string) => ask<Outcome>(own(number, '', key))

/** The case a report is in; null while it is in none. */
export async function caseOf(number: string, key: string): Promise<PublicCase | null> {
  try {
    return await ask<PublicCase>(own(number, '/case', key))
  } catch (fault) {
    if (fault instanceof Refused && fault.status === 404) return null
    throw fault
  }
}

export const closed = (grid: string, offset: number) =>
  ask<{ items: PublicCase[]; total: number }>(
    `/public/cases?limit=20&offset=${offset}&grid=${encodeURIComponent(grid)}`,
  )

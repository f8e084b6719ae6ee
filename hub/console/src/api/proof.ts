/** What proves a fix: photos, checks, visits, rebounds; and the ledgers. */
import type { Matter } from './alerts'
import type { CaseState } from './cases'
import { get, type Page, request } from './http'
import { tableFile, type TableFormat } from './tables'

export interface FixPhoto {
  id: number
  use: 'claim' | 'visit'
  type: string
  url: string | null
  original: string
  by: string
  uploaded_at: string
  used_at: string | null
  taken_at: string | null
  verdict: 'good' | 'unproved' | 'bad'
  reasons: string[]
  refused: string[]
  copy_of_case: number | null
  copy_of_number: string | null
}

export interface Check {
  id: number
  claimed_at: string
  claimed_by: string
  means: 'look' | 'visit'
  look: string
  assignee: string
  forced: boolean
  awaited: boolean
  withdrawn: boolean
  result: 'present' | 'gone' | 'cannot_tell' | null
  reasons: string[]
  checked_at: string | null
  checked_by: string
  photos: number[]
  note: string
  false_rectification: boolean
}

export interface Rebound {
  closed_at: string
  reopened_at: string
  cause_kind: 'alert' | 'report'
  cause: string
  distance_m: number
}

export interface Proof {
  photos: FixPhoto[]
  checks: Check[]
  rebounds: Rebound[]
  photo_needed: boolean
  check_needed: boolean
  proposal: '' | 'close'
  watched_until: string | null
}

export interface CaseName {
  id: number
  number: string
  state: CaseState
}

export interface LongStanding {
  case: CaseName
  title: string
  matter: Matter | null
  grid: { code: string; name: string } | null
  opened_at: string
  days: number
  suspensions: number
  extensions: number
  reworks: number
  rebounds: number
  old: boolean
  put_off: boolean
}

export interface RecurringPlace {
  matter: Matter | null
  grid: { code: string; name: string } | null
  lat: number
  lon: number
  times: number
  rebounds: number
  alerts: number
  first_at: string
  last_at: string
  cases: CaseName[]
  case_count: number
}

export function readProof(id: number | string): Promise<Proof> {
  return get(`/api/cases/${encodeURIComponent(id)}/proof`)
}

export function addPhoto(
  id: number | string,
  file: Blob,
  use: FixPhoto['use'],
): Promise<FixPhoto> {
  return request('POST', `/api/cases/${encodeURIComponent(id)}/photos?use=${use}`, file)
}

export function visited(
  id: number | string,
  check: number,
  seen: { result: 'present' | 'gone'; photos: number[]; note: string },
): Promise<Check> {
  const path = `/api/cases/${encodeURIComponent(id)}/checks/${check}/result`
  return request('POST', path, seen)
}

export function longStanding(offset: number, limit: number): Promise<Page<LongStanding>> {
  return get('/api/ledgers/long-standing', { offset, limit })
}

export function recurring(offset: number, limit: number): Promise<Page<RecurringPlace>> {
  return get('/api/ledgers/recurring', { offset, limit })
}

export function ledgerFile(ledger: string, format: TableFormat): string {
  return tableFile(`/api/ledgers/${ledger}/file`, format)
}

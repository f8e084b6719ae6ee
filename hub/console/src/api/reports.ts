/** What citizens and other systems report, and what becomes of it. */

import type { GridName } from './grids'
import { get, type Page, request } from './http'

export const REPORT_STATES = ['waiting', 'in_case', 'refused'] as const
export type ReportState = (typeof REPORT_STATES)[number]

export const CHANNELS = [
  'patrol',
  'phone',
  '12345',
  '12319',
  'wechat',
  'app',
  'form',
  'letter',
  'media',
  'open311',
  'property',
] as const

export interface Report {
  number: string
  state: ReportState
  channel: (typeof CHANNELS)[number]
  content: string
  matter: { code: string; name_zh: string; name_en: string } | null
  category_hint: string
  place_text: string
  lat: number | null
  lon: number | null
  grid: GridName | null
  /** Made up for a demonstration. */
  generated: boolean
  wants_reply: boolean
  reply_due_at: string | null
  received_at: string
  /** Masked; see `caller`. */
  caller: string
  case_id: number | null
  case_number: string | null
  reason: string
  answer: string
  answered_at: string | null
  photos: string[]
}

/** What was reported of a case, as those read it who work on it. */
export interface Told {
  number: string
  channel: Report['channel']
  received_at: string
  confidential: boolean
  generated: boolean
  /** Empty where it is kept from the reader. */
  content: string
  place_text: string
  photos: string[]
}

export interface Caller {
  name: string
  phone: string
  email: string
}

/** What a clerk writes down of a call or a letter. */
export interface NewReport {
  channel: Report['channel']
  content: string
  place_text: string
  wants_reply: boolean
  confidential: boolean
  caller: Omit<Caller, 'email'>
}

export interface Found {
  matter?: string
  lat?: number
  lon?: number
}

export function reports(
  which: { state?: string; channel?: string },
  limit: number,
  offset: number,
): Promise<Page<Report>> {
  return get('/api/reports', { ...which, limit, offset })
}

export function report(number: string): Promise<Report> {
  return get(at(number))
}

export function addReport(one: NewReport): Promise<Report> {
  return request('POST', '/api/reports', one)
}

export function addReportPhoto(number: string, file: Blob): Promise<{ photos: number }> {
  return request('PUT', `${at(number)}/photos`, file)
}

export function reportsOf(caseId: number | string): Promise<Page<Told>> {
  return get(`/api/cases/${encodeURIComponent(caseId)}/reports`)
}

/** Say what it is about, or where; with both it enters a case. */
export function complete(number: string, found: Found): Promise<Report> {
  return request('PATCH', at(number), found)
}

export function refuse(number: string, reason: string): Promise<Report> {
  return request('POST', `${at(number)}/refuse`, { reason })
}

/** Who reported, in full; the hub writes the reason down. */
export function caller(number: string, reason: string): Promise<Caller> {
  return request('POST', `${at(number)}/caller`, { reason })
}

/** Everybody who reported the case and has no answer yet is told this. */
export function answer(caseId: number, text: string): Promise<{ answered: number }> {
  return request('POST', `/api/cases/${caseId}/answer`, { text })
}

function at(number: string): string {
  return `/api/reports/${encodeURIComponent(number)}`
}

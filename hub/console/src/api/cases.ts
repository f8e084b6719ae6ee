import type { Codes } from '../coded'
import type { Alert, Matter } from './alerts'
import type { GridName, GridStep } from './grids'
import { get, type Page, type Query, request } from './http'
import type { DepartmentRef } from './workflow'

export const STAGES = [
  'collect',
  'file',
  'dispatch',
  'handle',
  'feedback',
  'verify_close',
  'evaluate',
] as const
export type Stage = (typeof STAGES)[number]

export const STATES = [
  'reported',
  'verifying_report',
  'filed',
  'dispatched',
  'returned',
  'handling',
  'joint',
  'suspended',
  'handled',
  'verifying_result',
  'rework',
  'closed',
  'watching',
  'reopened',
  'merged',
  'rejected',
  'cancelled',
  'archived',
] as const
export type CaseState = (typeof STATES)[number]

export type ClockState =
  | 'waiting'
  | 'running'
  | 'warning'
  | 'overdue'
  | 'stopped'
  | 'in_time'
  | 'late'

/** How long the handling may take, and how it stands. */
export interface Clock {
  state: ClockState
  number: number
  unit: 'urgent_hour' | 'work_hour' | 'work_day' | 'natural_day'
  /** The city's table has no limit for the case: the usual one holds. */
  usual: boolean
  opening: string
  closing: string
  due_at: string | null
  done_at: string | null
  /** The deadline counts a year whose holidays nobody has published. */
  provisional: boolean
  stage_due_at: string | null
  stage_overdue: boolean
  silent: boolean
}

/** A row of the city's table: when a matter is filed and closed, and how long it may take. */
export interface Condition {
  id: number
  opening: string
  closing: string
  number: number
  unit: Clock['unit']
}

export interface Case {
  id: number | string
  number: string
  state: CaseState
  /** Empty for a case that left the road: merged, rejected, cancelled, archived. */
  stage: Stage | ''
  title: string
  matter: Matter | null
  level: number
  grid: GridName | null
  grids: GridStep[]
  lat: number
  lon: number
  opened_at: string
  updated_at: string
  closed_at: string | null
  source: string
  alerts: string[]
  /** How many people told of it. */
  reports?: number
  picture: string | null
  generated: boolean
  version: number
  clock: Clock | null
  /** Who it was sent to last. */
  department?: DepartmentRef | null
  officer?: string | null
  /** Of the grids, who is handling it: 1 the whole city. */
  at_level?: number | null
  ownerless?: boolean
  /** It is under supervision: when the answer is due. */
  answer_due_at?: string | null
  suspended_until?: string | null
  /** How many records wait for a decision or an answer. */
  waiting?: number
}

export interface CaseStep {
  at: string
  actor: string
  action: string
  from_state: CaseState | '' | null
  to_state: CaseState
  note: string
  coded?: Codes
}

export interface CaseAction {
  action: string
  to_state: CaseState
  allowed: boolean
  why_not: string | null
  needs_note?: boolean
}

export interface CasePage extends Case {
  history: CaseStep[]
  actions: CaseAction[]
  alert_items: Alert[]
}

const SHUT: ReadonlySet<CaseState> = new Set([
  'closed',
  'watching',
  'archived',
  'merged',
  'rejected',
  'cancelled',
])

export function isOpen(item: { state: CaseState }): boolean {
  return !SHUT.has(item.state)
}

export function cases(query: Query): Promise<Page<Case>> {
  return get('/api/cases', query)
}

export function casePage(id: number | string): Promise<CasePage> {
  return get(`/api/cases/${encodeURIComponent(id)}`)
}

/** File a case that has only been reported; a case further on, or filed meanwhile, is left so. */
export async function fileCase(
  id: number | string,
  condition?: number,
): Promise<CasePage> {
  const page = await casePage(id)
  if (!page.actions.some((step) => step.action === 'file' && step.allowed)) return page
  try {
    return await act(page, 'file', { note: '', condition })
  } catch (error) {
    if ((await casePage(id)).version === page.version) throw error
    return fileCase(id, condition)
  }
}

export function conditions(matter: string): Promise<Page<Condition>> {
  return get('/api/conditions', { matter })
}

/** What a step needs besides its name: a note, a case to merge with, a condition to file under. */
export interface Wanted {
  note: string
  into?: string
  condition?: number
  department?: string
  officer?: string
  until?: string
  reason?: string
  partners?: string[]
  ownerless?: boolean
  photos?: number[]
}

export function act(item: CasePage, action: string, wanted: Wanted): Promise<CasePage> {
  return request('POST', `/api/cases/${encodeURIComponent(item.id)}/actions`, {
    action,
    version: item.version,
    ...wanted,
  })
}

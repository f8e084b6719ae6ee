/** Departments, dispatch rules and records of cases. */

import type { Clock } from './cases'
import { all, get, type Page, request } from './http'
import { tableFile } from './tables'

export interface DepartmentRef {
  code: string
  name_zh: string
}

export interface Department extends DepartmentRef {
  credit_code: string
  phone: string
  level: number | null
  grid: string | null
  /** Made up for a demonstration. */
  generated: boolean
  version: number
}

export interface RuleBody {
  matter: string | null
  grid: string | null
  level_from: number
  level_to: number
  hours: string
  department: string
  officer: string
  role: string | null
  note: string
}

/** A version of a rule. */
export interface Rule {
  id: number
  number: number
  version: number
  rule: RuleBody
  department: DepartmentRef
  grid_name: string
  matter_zh: string
  matter_en: string
  by: string
  since: string
  until: string | null
}

export type Dimension = 'matter' | 'grid' | 'severity' | 'hours' | 'age'

/** A rule that holds for a case, and in what it is less specific than the one that wins. */
export interface Match {
  rule: Rule
  reasons: { dimension: Dimension; rule: string; case: string }[]
  yields_by: Dimension | null
}

export interface Proposal {
  department: DepartmentRef | null
  officer: string | null
  /** Nobody owns it: it goes to whoever serves the ground it lies on. */
  by_territory: boolean
  winner: Match | null
  others: Match[]
}

export interface Dispatch {
  at: string
  by: string
  department: DepartmentRef | null
  officer: string | null
  rule: Rule | null
  corrected_at: string | null
  corrected_by: string | null
  reason: string
}

export interface CaseDispatch {
  proposal: Proposal
  sent: Dispatch[]
  offered: RuleBody | null
}

export const KINDS = [
  'extension',
  'suspension',
  'supervision',
  'escalation',
  'dual_report',
  'made_safe',
  'settlement',
  'assignment',
  'withdrawal',
] as const
export type Kind = (typeof KINDS)[number] | 'joint'

export const REASONS = ['season', 'project', 'funds', 'lawsuit', 'other'] as const

export interface CaseRecord {
  id: number
  case: number
  case_number: string
  kind: Kind
  state: 'asked' | 'approved' | 'refused' | 'open' | 'answered' | 'done' | 'missed' | 'lapsed'
  at: string
  by: string
  note: string
  until: string | null
  overdue: boolean
  department: DepartmentRef | null
  number: number | null
  unit: Clock['unit'] | null
  reason: string
  from_level: number | null
  to_level: number | null
  decided_at: string | null
  decided_by: string | null
  decision: string
}

export interface CaseRecords {
  version: number
  items: CaseRecord[]
}

export interface NewRecord {
  kind: Kind
  note: string
  until?: string
  number?: number
  unit?: Clock['unit']
  reason?: string
  department?: string
  officer?: string
}

export interface Imported {
  rows: number
  changed: number
}

const of = (id: number | string) => `/api/cases/${encodeURIComponent(id)}`

export function departments(): Promise<Department[]> {
  return all('/api/departments')
}

export function rules(): Promise<Rule[]> {
  return all('/api/dispatch-rules')
}

export function addRule(rule: RuleBody, from_case?: number | string): Promise<Rule> {
  const after = from_case === undefined ? null : Number(from_case)
  return request('POST', '/api/dispatch-rules', { rule, from_case: after })
}

export function endRule(number: number): Promise<void> {
  return request('DELETE', `/api/dispatch-rules/${number}`)
}

export function tryRules(asked: {
  matter: string
  grid: string
  level: number
  at: string
}): Promise<Proposal> {
  return get('/api/dispatch-rules/try', asked)
}

export function caseDispatch(id: number | string): Promise<CaseDispatch> {
  return get(`${of(id)}/dispatch`)
}

export function caseRecords(id: number | string): Promise<CaseRecords> {
  return get(`${of(id)}/records`)
}

export function waiting(): Promise<Page<CaseRecord>> {
  return get('/api/case-records', { waiting: true, limit: 200 })
}

/** A record that whoever is logged in has still to read. */
export interface ToldRecord extends CaseRecord {
  news: 'dual_report' | 'demanded' | 'answered' | 'overdue'
}

export function toldMe(): Promise<Page<ToldRecord>> {
  return get('/api/told-records')
}

export function noteRead(record: number): Promise<void> {
  return request('POST', `/api/told-records/${record}/read`)
}

export function addRecord(
  id: number | string,
  version: number,
  wanted: NewRecord,
): Promise<CaseRecords> {
  return request('POST', `${of(id)}/records`, { version, ...wanted })
}

export function decideRecord(
  record: number,
  version: number,
  approve: boolean,
  note: string,
): Promise<CaseRecords> {
  return request('POST', `/api/case-records/${record}/decision`, { version, approve, note })
}

export function answerRecord(
  record: number,
  version: number,
  note: string,
): Promise<CaseRecords> {
  return request('POST', `/api/case-records/${record}/answer`, { version, note })
}

export type Sheet = 'department-table' | 'dispatch-rule-table'

export function sheetFile(sheet: Sheet): string {
  return tableFile(`/api/${sheet}`)
}

export function importSheet(sheet: Sheet, file: Blob): Promise<Imported> {
  return request('PUT', `/api/${sheet}`, file)
}

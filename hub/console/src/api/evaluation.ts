import { get, type Page, type Query, request } from './http'
import { tableFile } from './tables'

export type Unit = 'case' | 'check' | 'report' | 'visit' | 'opinion'
export type Every = 'day' | 'week' | 'month' | 'quarter' | 'year'
export const EVERY: readonly Every[] = ['day', 'week', 'month', 'quarter', 'year']
export type By = 'all' | 'grid' | 'department' | 'person' | 'matter_class' | 'channel'
export type Side = 'numerator' | 'denominator' | 'rest'

export interface Indicator {
  id: string
  name_zh: string
  name_en: string
  says_zh: string
  says_en: string
  mark: string
  better: 'high' | 'low' | 'neither'
  unit: Unit
}

/** A share with its counts; `value` null of nothing. */
export interface Figure {
  indicator: string
  numerator: number
  denominator: number
  value: number | null
  ranked: boolean
}

export interface Group {
  group: string
  name: string
  figures: Figure[]
}

export interface Figures {
  period: string
  as_of: string
  /** From when patrol visits were asked for, where not all along. */
  patrol_since: string | null
  scheme: number
  generated: boolean
  groups: Group[]
}

export interface Trust {
  value: number | null
  camera_h: number
  blind_h: number
  heard_h: number
  silent_h: number
}

export interface Place {
  group: string
  name: string
  place: number | null
  score: number | null
  figures: Figure[]
  confidence: Trust | null
  in_bottom: number
  flagged: boolean
  award: string | null
  self_score: number | null
}

export interface Ranking {
  period: string
  as_of: string
  scheme: number
  minimum: number
  generated: boolean
  places: Place[]
}

export interface TrendPoint {
  period: string
  figures: Figure[]
}

export interface CountedCase {
  id: number
  number: string
  title: string
  state: string
  state_zh: string
  department: string | null
  generated: boolean
}

export interface StoredReport {
  id: number
  period: string
  every: Every
  as_of: string
  made_at: string
  by: string
  form: 'xlsx' | 'pdf'
  sha256: string
}

/** Which figures: a period such as 2026-W48, by what they are told apart. */
export interface Asked {
  period: string
  by: By
  grid_level?: number
}

const ROOT = '/api/evaluation'
export const TREND_FILE = `${ROOT}/trend/file`
export const CASES_FILE = `${ROOT}/cases/file`

function query(asked: Asked): Query {
  return { ...asked }
}

export async function indicators(): Promise<Indicator[]> {
  return (await get<Page<Indicator>>(`${ROOT}/indicators`)).items
}

export function figures(asked: Asked): Promise<Figures> {
  return get(`${ROOT}/figures`, query(asked))
}

export function trend(asked: Asked, count: number): Promise<TrendPoint[]> {
  return get(`${ROOT}/trend`, { ...query(asked), count })
}

export function ranking(asked: Asked): Promise<Ranking> {
  return get(`${ROOT}/ranking`, query(asked))
}

export function counted(
  asked: Asked,
  indicator: string,
  group: string,
  side: Side,
): Promise<Page<CountedCase>> {
  return get(`${ROOT}/cases`, { ...query(asked), indicator, group, side, limit: 500 })
}

export async function storedReports(): Promise<StoredReport[]> {
  return (await get<Page<StoredReport>>(`${ROOT}/reports`, { limit: 12 })).items
}

export function makeReport(period: string, form: 'xlsx' | 'pdf'): Promise<StoredReport> {
  return request('POST', `${ROOT}/reports`, { period, form })
}

export function reportFile(report: StoredReport): string {
  return `${ROOT}/reports/${report.id}/file`
}

export function figuresFile(asked: Asked): string {
  return tableFile(`${ROOT}/figures/file`, 'xlsx', query(asked))
}

export function rankingFile(asked: Asked): string {
  return tableFile(`${ROOT}/ranking/file`, 'xlsx', query(asked))
}

export function deductionsFile(asked: Asked): string {
  return tableFile(`${ROOT}/deductions/file`, 'xlsx', query(asked))
}

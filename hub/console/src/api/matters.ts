/** The city's table of matters, conditions and limits, and its working calendar. */

import { get, type Page, request, withQuery } from './http'
import { tableFile } from './tables'

export const UNITS = ['urgent_hour', 'work_hour', 'work_day', 'natural_day'] as const
export type Unit = (typeof UNITS)[number]

export interface Matter {
  code: string
  name_zh: string
  name_en: string
  matter_class: string
  class_zh: string
  class_en: string
  conditions: number
}

export interface Matters {
  standard_ref: string
  items: Matter[]
  /** The limit by severity where the table has no row. */
  usual: { level: number; number: number; unit: Unit }[]
}

export interface ConditionBody {
  matter: string
  opening: string
  closing: string
  number: number
  unit: Unit
  department: string
}

/** A row of the table; it never changes, another takes its place. */
export interface ConditionRow extends ConditionBody {
  id: number
  matter_zh: string
  since: string | null
  by: string
  until: string | null
  ended_by: string
}

export interface SheetDone {
  rows: number
  new: number
  retired: number
  dry_run: boolean
}

export interface YearTable {
  year: number
  published: boolean
  days_off: string[]
  workdays: string[]
}

export interface WorkCalendar {
  version: number
  at: string | null
  by: string
  note: string
  time_zone: string
  hours: { start: string; end: string }[]
  years: YearTable[]
}

export interface CalendarVersion {
  version: number
  at: string | null
  by: string
  note: string
}

export function matters(): Promise<Matters> {
  return get('/api/matters')
}

export async function conditionRows(): Promise<ConditionRow[]> {
  return (await get<Page<ConditionRow>>('/api/conditions')).items
}

export async function conditionHistory(): Promise<ConditionRow[]> {
  return (await get<Page<ConditionRow>>('/api/conditions/history')).items
}

export function addCondition(row: ConditionBody): Promise<ConditionRow> {
  return request('POST', '/api/conditions', row)
}

export function changeCondition(id: number, row: ConditionBody): Promise<ConditionRow> {
  return request('PUT', `/api/conditions/${id}`, row)
}

export function endCondition(id: number): Promise<void> {
  return request('DELETE', `/api/conditions/${id}`)
}

export function conditionFile(): string {
  return tableFile('/api/condition-table')
}

export function bringConditions(file: Blob, dry_run: boolean): Promise<SheetDone> {
  return request('PUT', withQuery('/api/conditions', { dry_run }), file)
}

export function workCalendar(): Promise<WorkCalendar> {
  return get('/api/calendar')
}

export async function calendarVersions(): Promise<CalendarVersion[]> {
  return (await get<Page<CalendarVersion>>('/api/calendar/versions')).items
}

export function publishYear(table: YearTable, seen: number, note: string): Promise<WorkCalendar> {
  const { days_off, workdays } = table
  return request('PUT', `/api/calendar/years/${table.year}`, { days_off, workdays, seen, note })
}

export function takeBackYear(year: number, seen: number): Promise<WorkCalendar> {
  return request('DELETE', withQuery(`/api/calendar/years/${year}`, { seen }))
}

export function setHours(
  hours: WorkCalendar['hours'],
  seen: number,
  note: string,
): Promise<WorkCalendar> {
  return request('PUT', '/api/calendar/hours', { hours, seen, note })
}

/** A year of working days: what a day is, and the year with another meaning of one of its days. */

import type { YearTable } from './api/matters'

/** `off` (放假): a weekday off, or a weekend day of a holiday; `made_up` (调休): a weekend day worked. */
export type DayKind = 'work' | 'rest' | 'off' | 'made_up'

export interface Day {
  /** 2027-02-08 */
  date: string
  of_month: number
  /** 0 = Monday. */
  weekday: number
}

/** The days of a month, 1 to 12. */
export function daysOf(year: number, month: number): Day[] {
  const count = new Date(Date.UTC(year, month, 0)).getUTCDate()
  return Array.from({ length: count }, (_, at) => {
    const date = new Date(Date.UTC(year, month - 1, at + 1))
    return {
      date: date.toISOString().slice(0, 10),
      of_month: at + 1,
      weekday: (date.getUTCDay() + 6) % 7,
    }
  })
}

export function kindOf(table: YearTable, day: Day): DayKind {
  if (table.workdays.includes(day.date)) return 'made_up'
  if (table.days_off.includes(day.date)) return 'off'
  return day.weekday < 5 ? 'work' : 'rest'
}

/** A weekday goes from work to off and back; a weekend day from rest over off to made up and back. */
export function turned(table: YearTable, day: Day): YearTable {
  const without = (list: string[]) => list.filter((one) => one !== day.date)
  const rest = { ...table, days_off: without(table.days_off), workdays: without(table.workdays) }
  const withOff = { ...rest, days_off: [...rest.days_off, day.date].toSorted() }
  const withWork = { ...rest, workdays: [...rest.workdays, day.date].toSorted() }
  const next: Record<DayKind, YearTable> = {
    work: withOff,
    rest: withOff,
    off: day.weekday < 5 ? rest : withWork,
    made_up: rest,
  }
  return next[kindOf(table, day)]
}

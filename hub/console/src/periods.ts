/** Periods as the hub writes them: 2026-11-28, 2026-W48, 2026-11, 2026-Q4, 2026. */

import type { Every } from './api/evaluation'

const DAY_MS = 86_400_000

/** The period of that length that a day (2026-11-28) lies in. */
export function periodOf(every: Every, day: string): string {
  const [year = '', month = ''] = day.split('-')
  if (every === 'day') return day
  if (every === 'month') return `${year}-${month}`
  if (every === 'quarter') return `${year}-Q${Math.ceil(Number(month) / 3)}`
  if (every === 'year') return year
  const at = new Date(`${day}T00:00:00Z`)
  const thursday = new Date(at.getTime() + (4 - (at.getUTCDay() || 7)) * DAY_MS)
  const first = Date.UTC(thursday.getUTCFullYear(), 0, 1)
  const week = Math.floor((thursday.getTime() - first) / DAY_MS / 7) + 1
  return `${thursday.getUTCFullYear()}-W${String(week).padStart(2, '0')}`
}

/** A day moved by so many periods of a length: enough to name the period there. */
export function moved(every: Every, day: string, count: number): string {
  const at = new Date(`${day}T00:00:00Z`)
  if (every === 'day' || every === 'week') {
    return new Date(at.getTime() + count * (every === 'week' ? 7 : 1) * DAY_MS)
      .toISOString()
      .slice(0, 10)
  }
  const months = count * { month: 1, quarter: 3, year: 12 }[every]
  const there = Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + months, 1)
  return new Date(there).toISOString().slice(0, 10)
}

/** The days of the period that a day lies in, both included, as far as they have come by `today`. */
export function daysOf(every: Every, day: string, today: string): { since: string; until: string } {
  const [year = '', month = ''] = day.split('-')
  const quarter = String(Math.floor((Number(month) - 1) / 3) * 3 + 1).padStart(2, '0')
  const weekday = new Date(`${day}T00:00:00Z`).getUTCDay() || 7
  const since = {
    day,
    week: moved('day', day, 1 - weekday),
    month: `${year}-${month}-01`,
    quarter: `${year}-${quarter}-01`,
    year: `${year}-01-01`,
  }[every]
  const last = moved('day', moved(every, since, 1), -1)
  return { since, until: last < today ? last : today }
}

export function percent(value: number | null | undefined, digits = 2): string {
  return value === null || value === undefined ? '–' : `${(value * 100).toFixed(digits)} %`
}

import { expect, it } from 'vitest'

import { daysOf, moved, periodOf } from './periods'

it('a day lies in the periods that the hub would name', () => {
  expect(periodOf('day', '2026-11-28')).toBe('2026-11-28')
  expect(periodOf('week', '2026-11-28')).toBe('2026-W48')
  expect(periodOf('week', '2027-01-01')).toBe('2026-W53')
  expect(periodOf('week', '2025-12-29')).toBe('2026-W01')
  expect(periodOf('month', '2026-11-28')).toBe('2026-11')
  expect(periodOf('quarter', '2026-10-01')).toBe('2026-Q4')
  expect(periodOf('year', '2026-10-01')).toBe('2026')
})

it('the period before is one step back, whatever its length', () => {
  expect(periodOf('month', moved('month', '2026-03-31', -1))).toBe('2026-02')
  expect(periodOf('quarter', moved('quarter', '2026-02-01', -1))).toBe('2025-Q4')
  expect(periodOf('week', moved('week', '2026-01-01', -1))).toBe('2025-W52')
  expect(periodOf('year', moved('year', '2026-05-05', 1))).toBe('2027')
})

it('the days of a period are those that have come', () => {
  const days = (every: Parameters<typeof daysOf>[0], day: string) =>
    Object.values(daysOf(every, day, '2026-11-28')).join(' ')
  expect(days('day', '2026-11-27')).toBe('2026-11-27 2026-11-27')
  expect(days('week', '2026-11-22')).toBe('2026-11-16 2026-11-22')
  expect(days('month', '2026-02-10')).toBe('2026-02-01 2026-02-28')
  expect(days('quarter', '2026-11-28')).toBe('2026-10-01 2026-11-28')
  expect(days('year', '2025-06-01')).toBe('2025-01-01 2025-12-31')
})

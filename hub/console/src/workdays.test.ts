import { describe, expect, it } from 'vitest'

import { type Day, daysOf, kindOf, turned } from './workdays'

const table = { year: 2027, published: false, days_off: ['2027-02-08'], workdays: ['2027-02-20'] }
const day = (date: string): Day => {
  const [year = 0, month = 0, of = 0] = date.split('-').map(Number)
  return daysOf(year, month)[of - 1] as Day
}

describe('a year of working days', () => {
  it('has every day of a month under its weekday', () => {
    expect(daysOf(2028, 2)).toHaveLength(29)
    expect(day('2027-02-08')).toEqual({ date: '2027-02-08', of_month: 8, weekday: 0 })
  })

  it.each([
    ['2027-02-08', 'off'],
    ['2027-02-20', 'made_up'],
    ['2027-02-09', 'work'],
    ['2027-02-21', 'rest'],
  ])('%s is %s', (date, kind) => expect(kindOf(table, day(date))).toBe(kind))

  it('turns a weekday off and back', () => {
    const off = turned(table, day('2027-02-09'))
    expect(off.days_off).toEqual(['2027-02-08', '2027-02-09'])
    expect(turned(off, day('2027-02-09'))).toEqual(table)
  })

  it('turns a weekend day off, made up, and back', () => {
    const off = turned(table, day('2027-02-21'))
    expect(kindOf(off, day('2027-02-21'))).toBe('off')
    const made = turned(off, day('2027-02-21'))
    expect(made.workdays).toEqual(['2027-02-20', '2027-02-21'])
    expect(turned(made, day('2027-02-21'))).toEqual(table)
  })
})

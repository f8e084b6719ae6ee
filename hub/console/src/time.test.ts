import { describe, expect, it, vi } from 'vitest'

import { length, span } from './time'

vi.mock('./store/settings', () => ({ settings: { language: 'zh' } }))

const MINUTE = 60_000
const HOUR = 60 * MINUTE

describe('a length of time', () => {
  it('that was measured is said half up with its unit', () => {
    const said = (ms: number) => Object.values(length(ms)).join(' ')
    expect(
      [29_499, 59_400, 89_999, 90_000, 59.6 * MINUTE, 119 * MINUTE, 7.75 * HOUR].map(said),
    ).toEqual(['29 s', '59 s', '1 min', '2 min', '1 h', '2 h', '7.8 h'])
    expect([47.9 * HOUR, 47.96 * HOUR, 60 * HOUR].map(said)).toEqual(['47.9 h', '2 d', '2.5 d'])
  })

  it('that goes by or is left counts full units alone', () => {
    expect(span(119 * MINUTE)).toEqual({ count: 1, unit: 'h' })
    expect(span(90_000)).toEqual({ count: 1, unit: 'min' })
  })
})

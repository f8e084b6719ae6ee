import { describe, expect, it, vi } from 'vitest'

import { noteText } from './step-note'

vi.mock('./i18n', () => ({
  t: (key: string) => `<${key}>`,
  word: (kind: string, name: string) => `<${kind} ${name}>`,
}))
vi.mock('./coded', () => ({ said: (_one: unknown, name: string) => `<said ${name}>` }))

const LOOK = 'look 1a228d36ceab7ada76a22caa71a'

describe('a note of a step', () => {
  it.each([
    ['photo claim', '1 363899093053 good', '<verdict good>'],
    ['photo claim', '1 363899093053 unproved no_time', '<verdict unproved> · <photoReason no_time>'],
    ['photo visit', '2 363899093053 bad reused 36389909', '<verdict bad> · <photoReason reused>'],
    ['check', '4 look: gone', '<means look> · <answer gone>'],
    ['verify_result', LOOK, '<note.look>'],
    ['rework', `${LOOK}: present (as_found)`, '<means look> · <answer present>'],
  ])('that the hub wrote is told in words: %s %s', (action, note, told) => {
    expect(noteText({ action, note })).toBe(told)
  })

  it('that has a code is said by it', () => {
    const coded = { note: { text: 'until 9', code: 'until', values: { until: '9' } } }
    expect(noteText({ action: 'snooze', note: 'until 9', coded })).toBe('<said note>')
  })

  it('that a person wrote stays as it is', () => {
    for (const note of ['look here', '1 look: at this', '1 363899093053 good'])
      expect(noteText({ action: 'feedback', note })).toBe(note)
  })
})

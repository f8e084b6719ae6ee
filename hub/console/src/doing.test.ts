import { describe, expect, it, vi } from 'vitest'

import { ApiError } from './api/http'
import { useDoing } from './doing'

// The words of the real one need a browser.
vi.mock('./problem', () => ({ problemText: (error: Error) => error.message }))

/** Questions whose answers come when the test says so. */
function line() {
  const waits: { said: string; give: (answer: string) => void; fail: (error: Error) => void }[] = []
  return {
    waits,
    ask: (said: string) =>
      new Promise<string>((give, fail) => {
        waits.push({ said, give, fail })
      }),
  }
}

describe('an act', () => {
  it('runs alone, and is over before what is read after it', async () => {
    const { busy, doing } = useDoing()
    const { ask, waits } = line()
    const first = doing(() => ask('first'))
    expect(busy.value).toBe(true)
    expect(await doing(() => ask('second'))).toBe(false)
    waits[0]?.give('')
    expect(await first).toBe(true)
    expect(busy.value).toBe(false)
    expect(waits.map(({ said }) => said)).toEqual(['first'])
  })

  it('tells what went wrong, until the next one', async () => {
    const { problem, troubles, doing } = useDoing()
    const faults = [{ row: 3, message: 'bad', allowed: '' }]
    const refused = new ApiError(422, 'E_ROWS', 'two rows', 'a number', faults)
    expect(await doing(() => Promise.reject(refused))).toBe(false)
    expect(problem.value).toContain('two rows')
    expect(troubles.value).toEqual(faults)
    expect(await doing(() => Promise.resolve())).toBe(true)
    expect([problem.value, troubles.value]).toEqual(['', []])
  })
})

describe('a question', () => {
  it('shows the answer to the latest, whichever comes last', async () => {
    const { reading } = useDoing()
    const { ask, waits } = line()
    const shown: string[] = []
    const read = reading(ask, (answer, said) => void shown.push(`${said}: ${answer}`))
    const both = [read('old'), read('new')]
    waits[1]?.give('now')
    waits[0]?.give('before')
    expect(await Promise.all(both)).toEqual([false, true])
    expect(shown).toEqual(['new: now'])
  })

  it('says nothing of an older one that failed', async () => {
    const { problem, reading } = useDoing()
    const { ask, waits } = line()
    const read = reading(ask, () => {})
    const both = [read('old'), read('new')]
    waits[1]?.give('now')
    waits[0]?.fail(new ApiError(500, 'E', 'broken'))
    expect(await Promise.all(both)).toEqual([false, true])
    expect(problem.value).toBe('')
  })

  it('takes back its own trouble alone', async () => {
    const { problem, doing, reading } = useDoing()
    let isDown = true
    const read = reading(
      () => (isDown ? Promise.reject(new ApiError(500, 'E', 'down')) : Promise.resolve('')),
      () => {},
    )
    await read()
    expect(problem.value).toContain('down')
    isDown = false
    await read()
    expect(problem.value).toBe('')
    await doing(() => Promise.reject(new ApiError(409, 'E', 'moved on')))
    await read()
    expect(problem.value).toContain('moved on')
  })

  it('keeps two questions of a page apart', async () => {
    const { reading } = useDoing()
    const { ask, waits } = line()
    const shown: string[] = []
    const show = (answer: string) => void shown.push(answer)
    const both = [reading(ask, show)('list'), reading(ask, show)('panel')]
    for (const each of waits) each.give(each.said)
    await Promise.all(both)
    expect(shown).toEqual(['list', 'panel'])
  })
})

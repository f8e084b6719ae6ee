import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { Pace, PATIENCE_MS, QUICK_MS, restMs } from './pace'

let frames: ((at: number) => void)[] = []
let at = 0

/** The page has its next frame so many milliseconds after the one before. */
function frame(ms: number): void {
  at += ms
  for (const call of frames.splice(0)) call(at)
}

/** A drawing that took so long, measured. */
function drawn(ms: number): void {
  frame(16)
  frame(ms)
}

beforeEach(() => {
  vi.useFakeTimers()
  frames = []
  vi.stubGlobal('requestAnimationFrame', (call: (at: number) => void) => frames.push(call))
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('the pace of a map', () => {
  it('rests three times as long as a slow drawing took, and not after a quick one', () => {
    expect([restMs(16.7), restMs(QUICK_MS), restMs(100)]).toEqual([0, 0, 300])
  })

  it('draws at once, every time, where drawing is quick', () => {
    const draw = vi.fn()
    const pace = new Pace(draw, () => true)
    for (let times = 1; times <= 3; times++) {
      pace.want(false)
      pace.want(false)
      expect(draw).toHaveBeenCalledTimes(times * 2)
      drawn(16)
      vi.advanceTimersByTime(0)
    }
  })

  it('draws once after the rest what was asked for in it, however often', () => {
    const draw = vi.fn()
    const pace = new Pace(draw, () => true)
    pace.want(false)
    drawn(100)
    pace.want(false)
    pace.want(false)
    vi.advanceTimersByTime(299)
    expect(draw).toHaveBeenCalledTimes(1)
    vi.advanceTimersByTime(1)
    expect(draw).toHaveBeenCalledTimes(2)
    drawn(100)
    vi.advanceTimersByTime(10_000)
    expect(draw).toHaveBeenCalledTimes(2)
  })

  it('holds back while a slow drawing is under way, and forgets it when drawing is quick again', () => {
    const draw = vi.fn()
    const pace = new Pace(draw, () => true)
    pace.want(false)
    drawn(100)
    vi.advanceTimersByTime(300)
    pace.want(false)
    pace.want(false)
    expect(draw).toHaveBeenCalledTimes(2)
    drawn(16)
    vi.advanceTimersByTime(0)
    expect(draw).toHaveBeenCalledTimes(3)
    pace.want(false)
    expect(draw).toHaveBeenCalledTimes(4)
    expect(pace.slow).toBe(false)
  })

  it('lets a person who moves the map wait for nothing', () => {
    const draw = vi.fn()
    const pace = new Pace(draw, () => true)
    pace.want(false)
    drawn(100)
    expect(pace.slow).toBe(true)
    pace.want(true)
    expect(draw).toHaveBeenCalledTimes(2)
  })

  it('asks for what changed with the next drawing', async () => {
    const tell = vi.fn(async () => {})
    const pace = new Pace(
      () => {},
      () => true,
    )
    pace.before(tell)
    frame(16)
    expect(tell).toHaveBeenCalledTimes(1)
    pace.want(false)
    drawn(100)
    pace.before(tell)
    frame(16)
    await vi.advanceTimersByTimeAsync(299)
    expect(tell).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(tell).toHaveBeenCalledTimes(2)
  })

  it('draws what was told, and what came of it, in one slow drawing', async () => {
    let [isThere, heard] = [true, () => {}]
    const draw = vi.fn()
    const pace = new Pace(draw, () => isThere)
    pace.want(false)
    drawn(100)
    await vi.advanceTimersByTimeAsync(300)
    pace.before(() => new Promise((resolve) => (heard = resolve)))
    frame(16)
    pace.want(false)
    expect(draw).toHaveBeenCalledTimes(1)
    isThere = false
    heard()
    await vi.advanceTimersByTimeAsync(0)
    expect(draw).toHaveBeenCalledTimes(1)
    isThere = true
    pace.want(false)
    expect(draw).toHaveBeenCalledTimes(2)
  })

  it('waits no longer than its patience for what does not come, and not at all for nothing', async () => {
    const draw = vi.fn()
    const pace = new Pace(draw, () => false)
    pace.want(false)
    expect(draw).toHaveBeenCalledTimes(1)
    drawn(100)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(draw).toHaveBeenCalledTimes(1)
    pace.want(false)
    await vi.advanceTimersByTimeAsync(PATIENCE_MS - 1)
    expect(draw).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(draw).toHaveBeenCalledTimes(2)
  })

  it('goes on telling after a turn that changed nothing', async () => {
    const tell = vi.fn(async () => {})
    const pace = new Pace(
      () => {},
      () => true,
    )
    pace.want(false)
    drawn(100)
    await vi.advanceTimersByTimeAsync(300)
    pace.before(tell)
    frame(16)
    pace.before(tell)
    frame(16)
    expect(tell).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(PATIENCE_MS)
    expect(tell).toHaveBeenCalledTimes(2)
  })
})

import { describe, expect, it } from 'vitest'

import { Freshest } from './merge'

interface Row {
  id: string
  state: string
}

describe('Freshest', () => {
  it('keeps what an event said after the list was asked for', () => {
    const fresh = new Freshest(new Map<string, Row>())
    const mark = fresh.mark()
    fresh.put({ id: 'a', state: 'decided' })
    fresh.merge(
      [
        { id: 'a', state: 'undecided' },
        { id: 'b', state: 'undecided' },
      ],
      mark,
    )
    expect([...fresh.items.values()].map((row) => row.state)).toEqual(['decided', 'undecided'])
  })

  it('knows what was told of after an item was asked for', () => {
    const fresh = new Freshest(new Map<string, Row>())
    fresh.put({ id: 'a', state: 'undecided' })
    const mark = fresh.mark()
    expect(fresh.isNewer('a', mark)).toBe(false)
    fresh.put({ id: 'a', state: 'decided' })
    expect(fresh.isNewer('a', mark)).toBe(true)
    expect(fresh.isNewer('b', mark)).toBe(false)
  })

  it('takes the list where the event is older', () => {
    const fresh = new Freshest(new Map<string, Row>())
    fresh.put({ id: 'a', state: 'old' })
    fresh.merge([{ id: 'a', state: 'new' }], fresh.mark())
    expect(fresh.items.get('a')?.state).toBe('new')
  })

  it('names what the list no longer has, but not what came since', () => {
    const fresh = new Freshest(new Map<string, Row>())
    fresh.put({ id: 'gone', state: 'x' })
    const mark = fresh.mark()
    fresh.put({ id: 'young', state: 'x' })
    expect(fresh.merge([], mark)).toEqual(['gone'])
  })
})

import { describe, expect, it } from 'vitest'

import { arrange, ENTRIES, type Entry, entryAt } from './nav'

const rows: Entry[] = [
  { to: '/', key: 'nav.shift', icon: 'alert', right: 'read' },
  { to: '/vehicles', key: 'nav.vehicles', icon: 'vehicle', right: 'read' },
  { to: '/vehicles/permits', key: 'nav.patrol', icon: 'route', group: 'patrol', right: 'read' },
  { to: '/duty', key: 'nav.duty', icon: 'people', group: 'patrol', right: 'read' },
  { to: '/learning', key: 'nav.learning', icon: 'guide', group: 'manage', right: 'admin' },
]
const names = (placed: ReturnType<typeof arrange>) =>
  placed.map((item) => ('group' in item && 'entries' in item ? item.group : item.to))

describe('the navigation', () => {
  it('puts a group where its first page would stand', () => {
    expect(names(arrange(() => true, rows))).toEqual(['/', '/vehicles', 'patrol', '/learning'])
  })

  it('hides what one may not see, and a group with it', () => {
    expect(names(arrange((right) => right === 'read', rows))).toEqual(['/', '/vehicles', 'patrol'])
  })

  it('knows the page by the longest path', () => {
    expect(entryAt('/vehicles/permits', rows)?.to).toBe('/vehicles/permits')
    expect(entryAt('/vehicles/day', rows)?.to).toBe('/vehicles')
    expect(entryAt('/', rows)?.to).toBe('/')
    expect(entryAt('/unknown', rows)).toBeUndefined()
  })

  it('names every page once', () => {
    expect(new Set(ENTRIES.map(({ to }) => to)).size).toBe(ENTRIES.length)
  })
})

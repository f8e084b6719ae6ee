import { describe, expect, it } from 'vitest'

import { shifted, toGcj02, unmoved, unshift } from './datum'

describe('GCJ-02', () => {
  it('moves Ankang by some hundreds of metres and back to a centimetre', () => {
    const [lon, lat] = toGcj02(109.03, 32.69)
    expect(Math.hypot((lon - 109.03) * 93_700, (lat - 32.69) * 110_900)).toBeGreaterThan(300)
    const [x, y] = unshift(toGcj02, lon, lat)
    expect(Math.abs(x - 109.03)).toBeLessThan(1e-7)
    expect(Math.abs(y - 32.69)).toBeLessThan(1e-7)
  })

  it('agrees with the published shift at Tiananmen', () => {
    const [lon, lat] = toGcj02(116.391265, 39.907385)
    expect(lon).toBeCloseTo(116.397505, 4)
    expect(lat).toBeCloseTo(39.908788, 4)
  })

  it('leaves what lies outside China', () => {
    expect(toGcj02(2.35, 48.85)).toEqual([2.35, 48.85])
  })

  it('moves every position of a shape and nothing else', () => {
    const point = { type: 'Point' as const, coordinates: [109.03, 32.69] }
    const shape = { type: 'Feature' as const, geometry: point, properties: { at: [1, 2] } }
    const moved = shifted(shape, (lon, lat) => [lon + 1, lat + 1])
    expect(moved).toEqual({
      ...shape,
      geometry: { ...point, coordinates: [110.03, 33.69] },
    })
    expect(shifted(shape, unmoved)).toBe(shape)
  })
})

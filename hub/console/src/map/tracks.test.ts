import { describe, expect, it } from 'vitest'

import { placeAt, siteShape, wayShapes } from './tracks'

const point = (s: number, lon: number) => ({
  at: new Date(s * 1000).toISOString(),
  lat: 32,
  lon,
  speed_kmh: 30,
})

describe('a replay', () => {
  const points = [point(0, 109), point(100, 110), point(5000, 111)]

  it('is between two points at a moment between them', () => {
    expect(placeAt(points, 50_000)?.lon).toBeCloseTo(109.5)
    expect(placeAt(points, 100_000)?.lon).toBe(110)
  })

  it('stays where it was last heard while nothing is known', () => {
    expect(placeAt(points, 2_000_000)?.lon).toBe(110)
    expect(placeAt(points, 9_000_000)?.lon).toBe(111)
    expect(placeAt(points, -1)).toBeNull()
    expect(placeAt([], 0)).toBeNull()
  })

  it('draws no straight line through silence', () => {
    expect(wayShapes([...points, point(5060, 112)])).toHaveLength(2)
  })
})

describe('a site', () => {
  it('with a radius is drawn as a ring of that radius', () => {
    const site = {
      type: 'Feature' as const,
      properties: { radius_m: 1111.95 },
      geometry: { type: 'Point' as const, coordinates: [109, 32] },
    }
    const ring = siteShape(site, 'dump').geometry
    expect(ring.type).toBe('Polygon')
    expect(ring.type === 'Polygon' && ring.coordinates[0]?.[0]?.[1]).toBeCloseTo(32.01)
  })
})

import { describe, expect, it } from 'vitest'

import { placeAt, runsOf, siteShape, wayShapes } from './tracks'

const point = (s: number, lon: number) => ({
  at: new Date(s * 1000).toISOString(),
  lat: 32,
  lon,
  speed_kmh: 30,
})

describe('a replay', () => {
  const points = [point(0, 109), point(100, 110), point(5000, 111)]

  const silence = [{ start: points[1]?.at ?? '', end: points[2]?.at ?? '' }]

  it('is between two points at a moment between them', () => {
    expect(placeAt(points, 50_000, silence)?.lon).toBeCloseTo(109.5)
    expect(placeAt(points, 100_000, silence)?.lon).toBe(110)
  })

  it('stands while it is heard to stand, for however long', () => {
    const stop = [point(0, 109), point(3600, 109)]
    expect(placeAt(stop, 1_800_000, [])).toMatchObject({ lon: 109, speed_kmh: 30 })
    expect(runsOf(stop, [])).toHaveLength(1)
  })

  it('drives evenly from one speed to the next', () => {
    const faster = { ...point(100, 110), speed_kmh: 50 }
    expect(placeAt([point(0, 109), faster], 50_000, [])?.speed_kmh).toBeCloseTo(40)
  })

  it('stays where it was last heard while nothing is known, and says so', () => {
    const lost = { lon: 110, speed_kmh: null, lost: true }
    expect(placeAt(points, 2_000_000, silence)).toMatchObject(lost)
    expect(placeAt(points, 9_000_000, silence)?.lon).toBe(111)
    expect(placeAt(points, -1, silence)).toBeNull()
    expect(placeAt([], 0, silence)).toBeNull()
  })

  it('draws no straight line through silence', () => {
    const way = [...points, point(5060, 112)]
    expect(wayShapes(way)).toHaveLength(2)
    expect(wayShapes(way, silence)).toHaveLength(2)
    expect(wayShapes(way, [])).toHaveLength(1)
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

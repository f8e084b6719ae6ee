import { describe, expect, it } from 'vitest'

import type { GridProblem } from '../api/grid-imports'
import { geometriesOf, placeOf, polygonsOf, problemShapes } from './problems'

const ring = [
  [109, 32],
  [110, 32],
  [110, 33],
  [109, 32],
]
const problem = (more: Partial<GridProblem>): GridProblem => ({
  problem: 'gap',
  code: 'a',
  where: 'features[0]',
  message: '',
  allowed: '',
  feature: 0,
  others: [],
  shape: null,
  ...more,
})

describe('what is wrong with grids', () => {
  it('is drawn as far as it can be', () => {
    expect(polygonsOf({ type: 'Polygon', coordinates: [ring] })).toEqual([[ring]])
    expect(polygonsOf({ type: 'MultiPolygon', coordinates: [[ring], [ring]] })).toHaveLength(2)
    const mixed = { type: 'GeometryCollection', geometries: [{ type: 'Polygon', coordinates: [ring] }] }
    expect(polygonsOf(mixed)).toEqual([[ring]])
  })

  it.each([null, 'x', {}, { type: 'Polygon' }, { type: 'Polygon', coordinates: [[['a', 1]]] }])(
    'is not drawn where it cannot be: %j',
    (geometry) => expect(polygonsOf(geometry)).toEqual([]),
  )

  it('leaves positions out that are not on Earth', () => {
    const swapped = ring.map(([lon = 0, lat = 0]) => [lat, lon])
    expect(polygonsOf({ type: 'Polygon', coordinates: [swapped] })).toEqual([])
  })

  it('lies where the overlap is, else where its grid is', () => {
    const geometries = [{ type: 'Polygon', coordinates: [ring] }]
    expect(placeOf(problem({}), geometries)).toEqual([[ring]])
    expect(placeOf(problem({ feature: null }), geometries)).toEqual([])
    const shape = { type: 'Polygon' as const, coordinates: [ring, ring] }
    expect(placeOf(problem({ shape }), geometries)).toEqual([[ring, ring]])
  })

  it('has the chosen one on top', () => {
    const geometries = geometriesOf(
      JSON.stringify({ features: [{ geometry: { type: 'Polygon', coordinates: [ring] } }] }),
    )
    const [one, other] = [problem({}), problem({})]
    const tones = problemShapes(geometries, [one, other], one).features.map(
      (each) => each.properties?.tone as string,
    )
    expect(tones).toEqual(['stop', 'dump', 'now'])
    expect(geometriesOf('no json')).toEqual([])
  })
})

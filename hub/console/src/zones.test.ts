import { expect, it } from 'vitest'

import type { Corner, Zone } from './api/settings'
import {
  flipped,
  freshId,
  movedCorner,
  movedZone,
  plain,
  withCornerAfter,
  withoutCorner,
  zoneOfFault,
} from './zones'

const SQUARE: Corner[] = [
  [0.1, 0.1],
  [0.5, 0.1],
  [0.5, 0.5],
  [0.1, 0.5],
]

it('a corner stays within the picture', () => {
  expect(movedCorner(SQUARE, 1, [1.3, -0.2])[1]).toEqual([1, 0])
  expect(movedCorner(SQUARE, 1, [1.3, -0.2])[0]).toEqual([0.1, 0.1])
})

it('a zone moves as a whole and no further than the edge', () => {
  expect(movedZone(SQUARE, [0.9, 0.1])).toEqual([
    [0.6, 0.2],
    [1, 0.2],
    [1, 0.6],
    [0.6, 0.6],
  ])
})

it('corners are added between two and taken away down to three', () => {
  expect(withCornerAfter(SQUARE, 3)[4]).toEqual([0.1, 0.3])
  const triangle = withoutCorner(SQUARE, 0)
  expect(triangle.length).toBe(3)
  expect(withoutCorner(triangle, 0).length).toBe(3)
})

it('ids are new, empty settings are not sent, faults know their zone', () => {
  const zone = (id: string): Zone => ({ id, polygon: SQUARE, labels: ['garbage'] })
  expect(freshId([zone('zone-2'), zone('a')])).toBe('zone-3')
  const sent = plain({ zones: [{ ...zone('a'), name: '', min_ground_m2: null }], ground_points: [] })
  expect(Object.keys(sent.zones[0] ?? {})).toEqual(['id', 'polygon', 'labels'])
  expect(zoneOfFault('zones.2.polygon: sides 1 and 3 cross')).toBe(2)
  expect(zoneOfFault('cameras.gate.zones.1: x')).toBe(1)
  expect(zoneOfFault('ground_points: 3 given')).toBe(-1)
})

it('leaves no ban on building where no matter tells of it', () => {
  const zone: Zone = {
    id: 'a',
    polygon: [],
    labels: ['garbage', 'illegal_structure'],
    matters: { illegal_structure: '06001' },
    no_build: true,
  }
  const without = flipped(zone, 'illegal_structure')
  expect(without).toMatchObject({ labels: ['garbage'], matters: {}, no_build: false })
  expect(flipped(zone, 'garbage')).toMatchObject({ labels: ['illegal_structure'], no_build: true })
  expect(flipped(without, 'unknown_object').no_build).toBe(false)
})

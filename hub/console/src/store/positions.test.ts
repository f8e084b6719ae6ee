import { expect, it } from 'vitest'

import type { Vehicle } from '../api/vehicles'
import { placed } from './positions'

const TRUCK: Vehicle = {
  id: 'cam-1/v1', device: 'cam-1', plate: 'SX-00001', kind: 'muck_truck', lat: null, lon: null,
  at: null, speed_kmh: null, heading_deg: null, online: false, grid: null, grids: [],
  generated: true,
}

it('moves a vehicle and keeps what a position does not say', () => {
  const moved = placed(TRUCK, ['cam-1/v1', 1_764_000_000_000, 32.7, 109.02, 41.5, null])
  expect(moved).toEqual({
    ...TRUCK, at: '2025-11-24T16:00:00.000Z', lat: 32.7, lon: 109.02, speed_kmh: 41.5, online: true,
  })
  expect(TRUCK.lat).toBeNull()
})

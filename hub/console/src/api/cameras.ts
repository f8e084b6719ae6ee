import type { GridName, GridStep } from './grids'
import { all } from './http'

export type CameraState =
  | 'starting'
  | 'ok'
  | 'stalled'
  | 'frozen'
  | 'black'
  | 'dark'
  | 'over_exposed'
  | 'out_of_focus'
  | 'blocked'
  | 'moved'
  | 'unreachable'

export interface Camera {
  id: string
  device: string
  name: string
  lat: number
  lon: number
  heading_deg: number | null
  fov_deg: number | null
  state: CameraState
  state_since: string | null
  last_seen_at: string | null
  online: boolean
  zones: string[]
  grid: GridName | null
  grids: GridStep[]
  generated: boolean
}

export type Sight = 'ok' | 'starting' | 'blind'

/** Whether a camera can be judged by: anything but `ok` while its device is online is blind. */
export function sight(camera: Camera): Sight {
  if (!camera.online) return 'blind'
  return camera.state === 'ok' || camera.state === 'starting' ? camera.state : 'blind'
}

export function cameras(): Promise<Camera[]> {
  return all('/api/cameras')
}

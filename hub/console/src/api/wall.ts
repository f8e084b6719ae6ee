/** The last picture of every camera. */

import { get, type Page } from './http'

export interface CameraPicture {
  camera: string
  url: string
  at: string
  of: 'alert' | 'snapshot'
}

export function cameraPictures(): Promise<Page<CameraPicture>> {
  return get('/api/camera-pictures')
}

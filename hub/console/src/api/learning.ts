/** What people teach: corrected boxes, places held back, data sets, models and their rollouts. */

import type { Codes } from '../coded'
import { get, type Page, request } from './http'

/** A rectangle a person vouches for, as fractions of the picture; x, y = top-left corner. */
export interface TrueBox {
  label: string
  x: number
  y: number
  w: number
  h: number
}

/** `version` 0: nobody has drawn yet, the boxes are the device's. `labels`: what a box may be. */
export interface Correction {
  alert: string
  version: number
  picture: string | null
  boxes: TrueBox[]
  at: string | null
  by: string | null
  labels: string[]
}

export interface Suppression {
  id: number
  camera: string
  camera_name: string
  label: string
  since: string
  until: string
  alerts: string[]
  held_back: number
  in_force: boolean
  lifted_at: string | null
  lifted_by: string | null
}

export interface DatasetSummary {
  pictures: number
  train: number
  val: number
  empty: number
  corrected: number
  cameras: number
  boxes: Record<string, number>
  skipped: Record<string, number>
}

export interface Model {
  name: string
  version: string
  size: number
  licence: string
  added_at: string | null
  added_by: string
  promotion: { evaluation?: { verdict?: string }; anyway?: string }
}

export interface RolloutDevice {
  device: string
  stage: number
  state: string
  why: string
  coded?: Codes
  received: number
  at: string | null
}

export interface Rollout {
  id: number
  model: string
  version: string
  state: 'running' | 'stopped' | 'done' | 'cancelled'
  why: string
  coded?: Codes
  stage: number
  stages: number
  stage_complete: boolean
  clean_s: number | null
  made_at: string
  made_by: string
  counts: Record<string, number>
  devices: RolloutDevice[]
}

export const datasetFile = '/api/datasets/verdicts.zip'

function boxesOf(alert: string): string {
  return `/api/alerts/${encodeURIComponent(alert)}/boxes`
}

export function correction(alert: string): Promise<Correction> {
  return get(boxesOf(alert))
}

export function correct(
  alert: string,
  picture: string,
  version: number,
  boxes: TrueBox[],
): Promise<Correction> {
  return request('PUT', boxesOf(alert), { picture, version, boxes })
}

export function suppressions(inForce?: boolean): Promise<Page<Suppression>> {
  return get('/api/suppressions', { in_force: inForce, limit: 200 })
}

export function lift(id: number, note = ''): Promise<Suppression> {
  return request('POST', `/api/suppressions/${id}/lift`, { note })
}

export function datasetSummary(): Promise<DatasetSummary> {
  return get('/api/datasets/verdicts')
}

export function models(): Promise<Page<Model>> {
  return get('/api/models', { limit: 100 })
}

export function rollouts(): Promise<Page<Rollout>> {
  return get('/api/rollouts', { limit: 20 })
}

export function beginRollout(model: Model, stages: (number | string)[]): Promise<Rollout> {
  return request('POST', '/api/rollouts', { model: model.name, version: model.version, stages })
}

export function moveRollout(
  id: number,
  action: 'next' | 'stop' | 'cancel',
  note = '',
): Promise<Rollout> {
  return request('POST', `/api/rollouts/${id}/actions`, { action, note })
}

/** The record of an administrative penalty, step by step. */

import { get, request } from './http'

/** 登记 to 备案; what is public of a step is its name and date. */
export interface Taken {
  step: string
  at: string
  by: string
  document: string
  note: string
  officers: string[]
  hearing_applies: boolean | null
  waived: boolean
}

/** What everybody may read of it once it is published. */
export interface PublicText {
  basis: string
  matter: string
  discretion: string
  result: string
}

export interface Enforcement extends PublicText {
  case: number
  version: number
  party: string
  steps: Taken[]
  following: string[]
  published_at: string | null
  published_by: string | null
}

export interface WantedProcedure {
  step: string
  document: string
  note: string
  officers?: string[]
  hearing_applies?: boolean | null
  waived?: boolean
}

const of = (id: number | string) => `/api/cases/${encodeURIComponent(id)}/enforcement`

export function enforcement(id: number | string): Promise<Enforcement | null> {
  return get(of(id))
}

export function beginEnforcement(
  id: number | string,
  party: string,
  note: string,
): Promise<Enforcement> {
  return request('POST', of(id), { party, note })
}

export function takeProcedure(
  record: Enforcement,
  wanted: WantedProcedure,
): Promise<Enforcement> {
  return request('POST', `${of(record.case)}/steps`, { version: record.version, ...wanted })
}

export function writePublicText(
  record: Enforcement,
  text: PublicText,
  publish: boolean,
): Promise<Enforcement> {
  const { basis, matter, discretion, result } = text
  return request('PUT', `${of(record.case)}/public`, {
    version: record.version,
    publish,
    basis,
    matter,
    discretion,
    result,
  })
}

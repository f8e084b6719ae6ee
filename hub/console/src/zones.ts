/** Zones as they are drawn: corners are fractions of the picture, kept within it. */

import type { CameraSettings, Corner, Zone } from './api/settings'

export const LABELS = ['street_vending', 'garbage', 'illegal_structure', 'unknown_object'] as const
export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
export const DAY_KINDS = ['workdays', 'rest_days', 'holidays'] as const
export const LEAST_CORNERS = 3
export const COLOURS = ['#1f9bcf', '#e08a00', '#6f5bd6', '#0f9d76', '#d1477a', '#7a8b00'] as const

export function within(value: number): number {
  return Math.round(Math.min(1, Math.max(0, value)) * 10_000) / 10_000
}

export function movedCorner(polygon: readonly Corner[], at: number, to: Corner): Corner[] {
  return polygon.map((corner, i) => (i === at ? [within(to[0]), within(to[1])] : corner))
}

/** The whole zone moved, as far as it stays within the picture. */
export function movedZone(polygon: readonly Corner[], by: Corner): Corner[] {
  const xs = polygon.map(([x]) => x)
  const ys = polygon.map(([, y]) => y)
  const dx = Math.min(1 - Math.max(...xs), Math.max(-Math.min(...xs), by[0]))
  const dy = Math.min(1 - Math.max(...ys), Math.max(-Math.min(...ys), by[1]))
  return polygon.map(([x, y]) => [within(x + dx), within(y + dy)])
}

export function withoutCorner(polygon: readonly Corner[], at: number): Corner[] {
  return polygon.length > LEAST_CORNERS ? polygon.filter((_, i) => i !== at) : [...polygon]
}

/** A new corner half-way to the next one. */
export function withCornerAfter(polygon: readonly Corner[], at: number): Corner[] {
  const [x1, y1] = polygon[at] ?? [0, 0]
  const [x2, y2] = polygon[(at + 1) % polygon.length] ?? [0, 0]
  const middle: Corner = [within((x1 + x2) / 2), within((y1 + y2) / 2)]
  return [...polygon.slice(0, at + 1), middle, ...polygon.slice(at + 1)]
}

export function points(polygon: readonly Corner[], width: number, height: number): string {
  return polygon.map(([x, y]) => `${x * width},${y * height}`).join(' ')
}

export function middleOf(polygon: readonly Corner[]): Corner {
  const count = polygon.length || 1
  const sum = polygon.reduce<Corner>(([a, b], [x, y]) => [a + x, b + y], [0, 0])
  return [sum[0] / count, sum[1] / count]
}

/** An id no zone has yet, as the device allows them: a-z, 0-9, dots and dashes. */
export function freshId(zones: readonly Zone[]): string {
  const taken = new Set(zones.map((zone) => zone.id))
  for (let n = zones.length + 1; ; n++) if (!taken.has(`zone-${n}`)) return `zone-${n}`
}

export function newZone(zones: readonly Zone[], polygon?: Corner[]): Zone {
  return {
    id: freshId(zones),
    name: '',
    polygon: polygon ?? [
      [0.35, 0.45],
      [0.65, 0.45],
      [0.65, 0.75],
      [0.35, 0.75],
    ],
    labels: [...LABELS],
    dwell_s: 300,
    severity: 1,
  }
}

/** Whether building work can be told in a zone of these matters. */
export function seesBuilding(labels: readonly string[]): boolean {
  return labels.includes('illegal_structure') || labels.includes('unknown_object')
}

/** The zone with a matter more or less; what belongs to a matter goes with it. */
export function flipped(zone: Zone, label: string): Zone {
  const labels = zone.labels.includes(label)
    ? zone.labels.filter((one) => one !== label)
    : [...zone.labels, label]
  const kept = Object.entries(zone.matters ?? {}).filter(([of]) => labels.includes(of))
  const changed = { ...zone, labels, matters: Object.fromEntries(kept) }
  return zone.no_build && !seesBuilding(labels) ? { ...changed, no_build: false } : changed
}

/** What is sent: empty optional settings are left out, as the device writes them. */
export function plain(settings: CameraSettings): CameraSettings {
  return {
    zones: settings.zones.map((zone) => {
      const kept = Object.entries(zone).filter(
        ([, value]) => value !== null && value !== '' && value !== undefined,
      )
      return Object.fromEntries(kept) as unknown as Zone
    }),
    ground_points: settings.ground_points,
  }
}

/** The zone a fault is about, by its place in the list; -1 for the others. */
export function zoneOfFault(fault: string): number {
  const found = /(?:^|\.)zones\.(\d+)\b/.exec(fault)
  return found ? Number(found[1]) : -1
}

/** The city as this page knows it: read once, then kept up by the stream. */

import { computed, ref, shallowReactive, shallowRef } from 'vue'

import { type Alert, alert, alerts as readAlerts, waits } from '../api/alerts'
import { type Camera, cameras as readCameras, sight } from '../api/cameras'
import { type Case, cases as readCases, isOpen } from '../api/cases'
import { type GridShapes, gridShapes } from '../api/grids'
import { type Summary, summary as readSummary } from '../api/summary'
import { type Vehicle, vehicles as readVehicles } from '../api/vehicles'
import { live, LiveStream } from '../live'
import type { ServerEvent } from '../sse'
import { siteZone } from '../time'
import { Freshest } from './merge'
import { forgetNames } from './names'
import { placed, type Position } from './positions'

/** Alerts already dealt with that are kept at hand. */
const MOST_SETTLED = 300
const TRAIL_POINTS = 40

export const alerts = shallowReactive(new Map<string, Alert>())
export const cases = shallowReactive(new Map<string, Case>())
export const cameras = shallowReactive(new Map<string, Camera>())
/** Not reactive, for there may be thousands a second; see `onVehicles` and `vehiclesRevision`. */
export const vehicles = new Map<string, Vehicle>()
export const vehiclesRevision = ref(0)
export const trails = new Map<string, [number, number][]>()
export const summary = shallowRef<Summary | null>(null)
export const grids = shallowRef<GridShapes | null>(null)
/** Alerts that came by the stream, in this page's life, and when, in ms: they pulse on the map. */
export const arrivals = shallowReactive(new Map<string, number>())
/** The last few of them slide in: in a rush no eye follows more, and what moves costs every frame. */
export const newest = shallowRef<readonly string[]>([])
const MOST_SLIDING = 4
export const loaded = ref(false)
export const loadFailed = ref(false)

const freshAlerts = new Freshest(alerts)
const freshCases = new Freshest(cases)
const freshCameras = new Freshest(cameras)
const freshVehicles = new Freshest(vehicles)

export const undecided = computed(() =>
  [...alerts.values()].filter(waits),
)
/** How many wait at the hub beyond those that are held here. */
const undecidedBeyond = ref(0)
const openBeyond = ref(0)
export const undecidedCount = computed(() => undecided.value.length + undecidedBeyond.value)
export const openCount = computed(() => cases.size + openBeyond.value)
export const camerasOk = computed(
  () => [...cameras.values()].filter((item) => sight(item) === 'ok').length,
)
export const vehiclesOnline = computed(() => {
  void vehiclesRevision.value
  let online = 0
  for (const vehicle of vehicles.values()) if (vehicle.online) online++
  return online
})

type VehiclesListener = (changed: ReadonlySet<string>) => void
const vehicleListeners = new Set<VehiclesListener>()

export function onVehicles(listener: VehiclesListener): () => void {
  vehicleListeners.add(listener)
  return () => vehicleListeners.delete(listener)
}

const caseListeners = new Set<(item: Case) => void>()

export function onCase(listener: (item: Case) => void): () => void {
  caseListeners.add(listener)
  return () => caseListeners.delete(listener)
}

export function putAlert(item: Alert): void {
  const known = alerts.get(item.id)
  freshAlerts.put({ ...item, history: item.history ?? known?.history })
}

/** Open cases are held, and their changes told; settled ones are only told. */
export function putCase(item: Case): void {
  if (isOpen(item)) freshCases.put(item)
  else freshCases.remove(String(item.id))
  for (const listener of caseListeners) listener(item)
}

type EventListener = (kind: string, item: unknown) => void
const eventListeners = new Set<EventListener>()

/** Events that concern one page alone (orders, revisions): told, not held. */
export function onEvent(listener: EventListener): () => void {
  eventListeners.add(listener)
  return () => eventListeners.delete(listener)
}

let stream: LiveStream | null = null

/** Open the stream, then read every list: what happens in between is not missed. */
export function startCity(): void {
  stream?.stop()
  stream = new LiveStream({ events: take, resync: resyncSoon })
  stream.start()
  void readAll()
}

export function stopCity(): void {
  stream?.stop()
  stream = null
}

/** Gaps may come in rows; the lists are read again at most every five seconds. */
let resyncTimer: ReturnType<typeof setTimeout> | undefined
let lastResync = 0

function resyncSoon(): void {
  const wait = Math.max(0, lastResync + 5000 - Date.now())
  resyncTimer ??= setTimeout(() => {
    resyncTimer = undefined
    lastResync = Date.now()
    void readAll()
  }, wait)
}

/** Grows when every list has been read again. */
export const rereads = ref(0)

/** One list that cannot be read keeps no other from the page; what failed is tried again. */
async function readAll(): Promise<void> {
  forgetNames()
  const alertsRead = readAlertLists().then(() => {
    loaded.value = true
  })
  const parts = [
    alertsRead,
    readCameraList(),
    readGrids(),
    readOpenCases(),
    readMoving(),
    refreshSummary(),
  ]
  const failed = (await Promise.allSettled(parts)).some((part) => part.status === 'rejected')
  loadFailed.value = failed
  rereads.value++
  if (failed && stream && !live.unauthorized) resyncSoon()
}

async function readCameraList(): Promise<void> {
  const mark = freshCameras.mark()
  const list = await readCameras()
  for (const id of freshCameras.merge(list, mark)) freshCameras.remove(id)
}

async function readGrids(): Promise<void> {
  grids.value = await gridShapes()
}

async function readAlertLists(): Promise<void> {
  const mark = freshAlerts.mark()
  const [waiting, latest] = await Promise.all([
    readAlerts({ decision: 'none', duplicates: false, suppressed: false, limit: 500 }),
    readAlerts({ duplicates: false, limit: 200 }),
  ])
  const missing = freshAlerts.merge([...latest.items, ...waiting.items], mark)
  undecidedBeyond.value = waiting.total - waiting.items.length
  const unsure = missing.filter((id) => {
    const item = alerts.get(id)
    return item !== undefined && waits(item)
  })
  await Promise.all(unsure.slice(0, 50).map(rereadAlert))
  prune()
}

/** Read one anew, with its history; what was told or decided meanwhile stands. */
export async function rereadAlert(id: string): Promise<void> {
  const mark = freshAlerts.mark()
  const read = await alert(id)
  const told = freshAlerts.isNewer(id, mark) ? alerts.get(id) : undefined
  if (!told) return putAlert(read)
  const isLonger = (read.history?.length ?? 0) > (told.history?.length ?? 0)
  putAlert({ ...told, history: isLonger ? read.history : told.history })
}

async function readOpenCases(): Promise<void> {
  const mark = freshCases.mark()
  const page = await readCases({ open: true, limit: 500 })
  for (const id of freshCases.merge(page.items, mark)) freshCases.remove(id)
  openBeyond.value = page.total - page.items.length
}

async function readMoving(): Promise<void> {
  const mark = freshVehicles.mark()
  const list = await readVehicles()
  for (const id of freshVehicles.merge(list, mark)) freshVehicles.remove(id)
  tellVehicles(new Set(vehicles.keys()))
}

async function refreshSummary(): Promise<void> {
  const answer = await readSummary()
  siteZone.value = answer.site.time_zone
  summary.value = answer
}

let summaryTimer: ReturnType<typeof setTimeout> | undefined

function summarySoon(): void {
  summaryTimer ??= setTimeout(() => {
    summaryTimer = undefined
    refreshSummary().catch(() => {})
  }, 1500)
}

/** Reads the events of one piece of the stream; a damaged one is left out, the rest is kept. */
function take(events: ServerEvent[]): void {
  const moved = new Set<string>()
  for (const event of events) {
    const item = parsed(event.data)
    if (item === null) continue
    if (event.kind === 'positions') for (const row of item as Position[]) moveTo(row, moved)
    else if (event.kind === 'vehicle') moved.add(move(item as Vehicle))
    else if (event.kind === 'alert') arrive(item as Alert)
    else if (event.kind === 'case') putCase(item as Case)
    else if (event.kind === 'camera') freshCameras.put(item as Camera)
    else if (event.kind === 'name') forgetNames()
    else for (const listener of eventListeners) listener(event.kind, item)
    if (event.kind !== 'vehicle' && event.kind !== 'positions') summarySoon()
  }
  if (moved.size > 0) tellVehicles(moved)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function arrive(item: Alert): void {
  // One that was merged stays, settled: it may be before an operator, whose page moves on by itself.
  if (item.duplicate_of && !alerts.has(item.id)) return
  if (!alerts.has(item.id) && waits(item)) {
    arrivals.set(item.id, Date.now())
    newest.value = [...newest.value, item.id].slice(-MOST_SLIDING)
  }
  putAlert(item)
  if (alerts.size > MOST_SETTLED * 2) prune()
}

function prune(): void {
  const settled = [...alerts.values()].filter((item) => !waits(item))
  if (settled.length <= MOST_SETTLED) return
  settled.sort((a, b) => (a.at < b.at ? 1 : -1))
  for (const item of settled.slice(MOST_SETTLED)) freshAlerts.remove(item.id)
}

/** What a page has not read yet it reads soon: a position alone shows nothing. */
function moveTo(row: Position, moved: Set<string>): void {
  const vehicle = vehicles.get(row[0])
  if (vehicle) moved.add(move(placed(vehicle, row)))
}

function move(vehicle: Vehicle): string {
  freshVehicles.put(vehicle)
  if (vehicle.lon !== null && vehicle.lat !== null) {
    const trail = trails.get(vehicle.id) ?? []
    const last = trail.at(-1)
    if (last?.[0] !== vehicle.lon || last[1] !== vehicle.lat)
      trail.push([vehicle.lon, vehicle.lat])
    if (trail.length > TRAIL_POINTS) trail.shift()
    trails.set(vehicle.id, trail)
  }
  return vehicle.id
}

let revisionTimer: ReturnType<typeof setTimeout> | undefined

/** Listeners hear at once; tables, which are slower, at most once a second. */
function tellVehicles(changed: ReadonlySet<string>): void {
  for (const listener of vehicleListeners) listener(changed)
  revisionTimer ??= setTimeout(() => {
    revisionTimer = undefined
    vehiclesRevision.value++
  }, 900)
}

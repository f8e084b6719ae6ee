/** The map itself: takes items, shows them, says what was pointed at. Knows nothing of the page. */

import 'maplibre-gl/dist/maplibre-gl.css'

import type { Feature, GeoJSON, Point } from 'geojson'
import {
  type GeoJSONSource,
  type GeoJSONSourceDiff,
  type MapMouseEvent,
  Marker,
  setWorkerUrl,
} from 'maplibre-gl'
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url'

import type { GridShapes } from '../api/grids'
import type { BaseMap } from '../api/summary'
import type { Vehicle } from '../api/vehicles'
import { LAYERS, type Layer } from '../store/settings'
import { readPmtiles } from './base'
import { readColours } from './colours'
import {
  type Bounds,
  bounds,
  collection,
  gridLabels,
  gridPositions,
  trailLine,
  vehiclePoint,
} from './features'
import { type Shift, shifted, toGcj02, unmoved, unshift } from './datum'
import { icons, PIXEL_RATIO } from './icons'
import { PacedMap } from './paced-map'
import { layers, type SourceName, style, SWITCHED } from './style'

setWorkerUrl(workerUrl)
readPmtiles()

/** With more vehicles than this, trails cost more than they tell. */
const MOST_TRAILS = 400
const MOST_PULSES = 12
/** Of more than this, a city seen whole shows dots: signs are placed one by one on the processor. */
const MOST_SIGNS = { vehicles: 800, cameras: 600 }
const DOTS = { vehicles: ['vehicle-dots'], cameras: ['camera-dots'] }
const SIGNS = { vehicles: ['vehicles'], cameras: ['cameras', 'fov'] }
const SIGNS_FROM_ZOOM = 13
const FOV_FROM_ZOOM = 11

export type Kind = 'alert' | 'camera' | 'vehicle' | 'case'

export interface Pointed {
  kind: Kind
  id: string
}

export interface Place {
  lat: number
  lon: number
}

export interface View extends Place {
  zoom: number
}

const CLICKED: [layer: string, kind: Kind][] = [
  ['alerts', 'alert'],
  ['vehicles', 'vehicle'],
  ['vehicle-dots', 'vehicle'],
  ['cameras', 'camera'],
  ['camera-dots', 'camera'],
  ['cases', 'case'],
]

export class CityMap {
  private readonly map: PacedMap
  private readonly shift: Shift
  private readonly ready: Promise<void>
  private readonly waitingVehicles = new Map<string, Feature<Point> | null>()
  private trailed = false
  private readonly drawnVehicles = new Set<string>()
  private readonly pulses = new Map<string, Marker>()
  private readonly dotted = { vehicles: false, cameras: false }
  private readonly shadedGrids = new Set<string>()
  private chosenGrid: string | null = null
  private fleet: ReadonlyMap<string, Vehicle> = new Map()
  private trails: ReadonlyMap<string, [number, number][]> = new Map()
  private readonly waitingData = new Map<SourceName, GeoJSON>()
  private scheduled = false
  private sending = false
  private gone = false
  private city: Bounds | null = null
  private followed: string | null = null
  private ringed: string | null = null
  /** A spot was clicked, whatever lies there. */
  onSpot: (place: Place) => void = () => {}

  constructor(
    container: HTMLElement,
    view: View,
    private readonly onPoint: (target: Pointed | null) => void,
    private readonly onHover: (target: Pointed | null, at: { x: number; y: number }) => void,
    private readonly onDrag: () => void,
    private readonly base: BaseMap | null = null,
  ) {
    this.shift = base?.datum === 'gcj02' ? toGcj02 : unmoved
    const colours = readColours()
    this.map = new PacedMap({
      container,
      style: style(colours, base),
      center: this.shift(view.lon, view.lat),
      zoom: view.zoom,
      minZoom: 3,
      maxZoom: 19,
      attributionControl: base?.attribution ? { compact: true } : false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      fadeDuration: 120,
      localIdeographFontFamily: "'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif",
    })
    this.map.touchZoomRotate.disableRotation()
    this.map.keyboard.disableRotation()
    this.ready = new Promise((resolve) => {
      this.map.once('load', () => {
        this.drawIcons()
        resolve()
      })
    })
    this.map.on('click', (event) => void this.click(event))
    this.map.on('mousemove', (event) => this.hover(event))
    this.map.on('dragstart', () => this.onDrag())
  }

  get canvas(): HTMLCanvasElement {
    return this.map.getCanvas()
  }

  destroy(): void {
    this.gone = true
    this.map.remove()
  }

  /** Colours as the page has them now. */
  recolour(): void {
    void this.ready.then(() => {
      const colours = readColours()
      this.drawIcons()
      for (const layer of layers(colours, this.base)) {
        for (const [name, value] of Object.entries(layer.paint ?? {})) {
          this.map.setPaintProperty(layer.id, name as 'fill-color', value)
        }
      }
    })
  }

  private drawIcons(): void {
    for (const [name, icon] of icons(readColours())) {
      if (this.map.hasImage(name)) this.map.updateImage(name, icon)
      else this.map.addImage(name, icon, { pixelRatio: PIXEL_RATIO })
    }
  }

  /** Dots instead of signs while the whole city is in view, where there are too many signs. */
  private thin(what: 'vehicles' | 'cameras', count: number): void {
    const many = count > MOST_SIGNS[what]
    if (many === this.dotted[what]) return
    this.dotted[what] = many
    for (const id of DOTS[what]) this.map.setLayerZoomRange(id, 0, many ? SIGNS_FROM_ZOOM : 0)
    for (const id of SIGNS[what])
      this.map.setLayerZoomRange(id, many ? SIGNS_FROM_ZOOM : id === 'fov' ? FOV_FROM_ZOOM : 0, 24)
  }

  show(name: SourceName, data: GeoJSON): void {
    this.waitingData.set(name, data)
    this.schedule()
  }

  private source(name: SourceName): GeoJSONSource {
    return this.map.getSource(name) as GeoJSONSource
  }

  showGrids(shapes: GridShapes): void {
    this.city = bounds(gridPositions(shapes, 1)) ?? bounds(gridPositions(shapes))
    this.show('grids', shapes)
    this.show('grid-labels', gridLabels(shapes))
  }

  showLayers(shown: Record<Layer, boolean>): void {
    void this.ready.then(() => {
      for (const layer of LAYERS) {
        for (const id of SWITCHED[layer]) {
          this.map.setLayoutProperty(id, 'visibility', shown[layer] ? 'visible' : 'none')
        }
      }
    })
  }

  /** Shade grids by how many alerts wait in them. */
  shadeGrids(waiting: ReadonlyMap<string, number>): void {
    void this.ready.then(() => {
      for (const code of this.shadedGrids) {
        if (!waiting.has(code))
          this.map.setFeatureState({ source: 'grids', id: code }, { waiting: 0 })
      }
      this.shadedGrids.clear()
      for (const [code, count] of waiting) {
        this.shadedGrids.add(code)
        this.map.setFeatureState({ source: 'grids', id: code }, { waiting: count })
      }
    })
  }

  chooseGrid(code: string | null): void {
    void this.ready.then(() => {
      if (this.chosenGrid)
        this.map.setFeatureState({ source: 'grids', id: this.chosenGrid }, { chosen: false })
      if (code) this.map.setFeatureState({ source: 'grids', id: code }, { chosen: true })
      this.chosenGrid = code
    })
  }

  /** The whole of a moving fleet, or what changed of it. */
  moveVehicles(
    changed: Iterable<string>,
    fleet: ReadonlyMap<string, Vehicle>,
    trails: ReadonlyMap<string, [number, number][]>,
  ): void {
    for (const id of changed) {
      const vehicle = fleet.get(id)
      const drawn = vehicle ? vehiclePoint(vehicle) : null
      this.waitingVehicles.set(id, drawn && (shifted(drawn, this.shift) as Feature<Point>))
    }
    this.fleet = fleet
    this.trails = trails
    this.schedule()
    const ringed = this.ringed ? fleet.get(this.ringed) : undefined
    if (ringed?.lat != null && ringed.lon != null) this.ring({ lat: ringed.lat, lon: ringed.lon })
    if (this.followed) this.keepUp(fleet)
  }

  /** What changed is gathered and sent at most once a drawing. */
  private schedule(): void {
    if (this.scheduled || this.sending) return
    this.scheduled = true
    this.map.beforeDrawing(() => {
      this.scheduled = false
      return this.send()
    })
  }

  private async send(): Promise<void> {
    await this.ready
    if (this.gone) return
    this.sending = true
    try {
      await Promise.all([...this.sendData(), ...this.sendVehicles()])
    } finally {
      this.sending = false
    }
    if (this.waitingVehicles.size > 0 || this.waitingData.size > 0) this.schedule()
  }

  private sendData(): Promise<void>[] {
    const sent = [...this.waitingData].map(([name, data]) => {
      if (name === 'cameras' && 'features' in data) this.thin('cameras', data.features.length)
      return this.source(name).setData(shifted(data, this.shift))
    })
    this.waitingData.clear()
    return sent
  }

  private sendVehicles(): Promise<void>[] {
    const diff: GeoJSONSourceDiff = { add: [], remove: [] }
    for (const [id, feature] of this.waitingVehicles) {
      if (feature) diff.add?.push(feature)
      else if (this.drawnVehicles.has(id)) diff.remove?.push(id)
      if (feature) this.drawnVehicles.add(id)
      else this.drawnVehicles.delete(id)
    }
    this.waitingVehicles.clear()
    this.thin('vehicles', this.drawnVehicles.size)
    if (diff.add?.length === 0 && diff.remove?.length === 0) return []
    const lines =
      this.fleet.size > MOST_TRAILS ? [] : [...this.trails].filter(([, points]) => points.length > 1)
    const sent = [this.source('vehicles').updateData(diff)]
    // Cutting a source into tiles again costs the same for no lines as for many.
    if (lines.length > 0 || this.trailed) {
      const shapes = lines.map(([id, points]) =>
        trailLine(id, this.fleet.get(id)?.kind ?? '', points),
      )
      sent.push(this.source('trails').setData(shifted(collection(shapes), this.shift)))
      this.trailed = lines.length > 0
    }
    return sent
  }

  /** Keep a vehicle in the middle until told otherwise. */
  follow(id: string | null, fleet: ReadonlyMap<string, Vehicle>): void {
    this.followed = id
    this.keepUp(fleet)
  }

  private keepUp(fleet: ReadonlyMap<string, Vehicle>): void {
    const led = this.followed ? fleet.get(this.followed) : undefined
    if (led?.lon == null || led.lat == null) return
    const duration = this.map.isSlow ? 0 : calm(900)
    this.map.easeTo({ center: this.shift(led.lon, led.lat), duration, easing: (x) => x })
  }

  /** Rings that widen where something is new. */
  pulse(spots: readonly { id: string; lat: number; lon: number; level: number }[]): void {
    const wanted = new Map(spots.slice(0, MOST_PULSES).map((spot) => [spot.id, spot]))
    for (const [id, marker] of this.pulses) {
      if (wanted.has(id)) continue
      marker.remove()
      this.pulses.delete(id)
    }
    for (const [id, spot] of wanted) {
      if (this.pulses.has(id)) continue
      const element = document.createElement('div')
      element.className = `map-pulse level-${spot.level}`
      element.setAttribute('aria-hidden', 'true')
      const marker = new Marker({ element }).setLngLat(this.shift(spot.lon, spot.lat)).addTo(this.map)
      element.removeAttribute('role')
      element.removeAttribute('tabindex')
      this.pulses.set(id, marker)
    }
  }

  /** Mark a place (a vehicle's moves with it) and bring it into view, without a jump when it is there already. */
  mark(place: Place | null, zoom?: number, vehicle: string | null = null): void {
    this.ringed = vehicle
    this.ring(place)
    if (!place) return
    const centre = this.shift(place.lon, place.lat)
    const seen = this.map.getBounds().contains(centre)
    const target = Math.max(this.map.getZoom(), zoom ?? 0)
    if (!seen || target > this.map.getZoom() + 0.1) {
      this.map.easeTo({ center: centre, zoom: target, duration: calm(600) })
    }
  }

  private ring(place: Place | null): void {
    const features = place
      ? [
          {
            type: 'Feature' as const,
            geometry: { type: 'Point' as const, coordinates: [place.lon, place.lat] },
            properties: {},
          },
        ]
      : []
    this.show('here', { type: 'FeatureCollection', features })
  }

  fit(box: Bounds | null): void {
    if (!box) return
    this.map.resize() // what came on to the page with it may have taken some of its room
    this.map.fitBounds([this.shift(box.west, box.south), this.shift(box.east, box.north)], {
      padding: { top: 44, bottom: 44, left: 44, right: 64 }, // buttons stand at the right
      maxZoom: 16,
      duration: calm(500),
    })
  }

  home(): void {
    this.fit(this.city)
  }

  look(view: View): void {
    this.map.jumpTo({ center: this.shift(view.lon, view.lat), zoom: view.zoom })
  }

  zoom(by: number): void {
    this.map.easeTo({ zoom: this.map.getZoom() + by, duration: calm(200) })
  }

  private at(event: MapMouseEvent): Pointed | null {
    const reach = 5
    const box: [[number, number], [number, number]] = [
      [event.point.x - reach, event.point.y - reach],
      [event.point.x + reach, event.point.y + reach],
    ]
    for (const [layer, kind] of CLICKED) {
      if (!this.map.getLayer(layer)) continue
      const hit = this.map.queryRenderedFeatures(box, { layers: [layer] })[0]
      if (hit) return { kind, id: String(hit.properties.id) }
    }
    return null
  }

  private async click(event: MapMouseEvent): Promise<void> {
    const [lon, lat] = unshift(this.shift, event.lngLat.lng, event.lngLat.lat)
    this.onSpot({ lat, lon })
    const cluster = this.map.queryRenderedFeatures(event.point, { layers: ['alert-clusters'] })[0]
    if (cluster?.geometry.type === 'Point') {
      const zoom = await this.source('alerts').getClusterExpansionZoom(
        Number(cluster.properties.cluster_id),
      )
      const [x = 0, y = 0] = cluster.geometry.coordinates
      this.map.easeTo({ center: [x, y], zoom: zoom + 0.3, duration: calm(400) })
      return
    }
    this.onPoint(this.at(event))
  }

  private hover(event: MapMouseEvent): void {
    const target = this.at(event)
    this.map.getCanvas().style.cursor = target ? 'pointer' : ''
    this.onHover(target, event.point)
  }
}

function calm(ms: number): number {
  return matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : ms
}

/** Times in the site's zone, whatever the clock of this computer is set to. */

import { ref } from 'vue'

import { settings } from './store/settings'

export const siteZone = ref('Asia/Shanghai')

/** ms; moves every second. */
export const clockNow = ref(Date.now())
/** ms; moves every ten seconds, for texts like "3 min ago". */
export const calmNow = ref(Date.now())

/** While a page goes on paper: there "today" and "just now" say nothing. */
export const onPaper = ref(false)

setInterval(() => {
  clockNow.value = Date.now()
  if (clockNow.value - calmNow.value >= 10_000) calmNow.value = clockNow.value
}, 1000)

const formats = new Map<string, Intl.DateTimeFormat>()

function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const locale = settings.language === 'zh' ? 'zh-CN' : 'en-GB'
  const key = JSON.stringify([locale, siteZone.value, options])
  let made = formats.get(key)
  if (!made) {
    made = new Intl.DateTimeFormat(locale, {
      ...options,
      timeZone: siteZone.value,
      hourCycle: 'h23',
    })
    formats.set(key, made)
  }
  return made
}

const TIME = { hour: '2-digit', minute: '2-digit', second: '2-digit' } as const
const DAY = { month: '2-digit', day: '2-digit' } as const

/** 15:04:05 */
export function timeOfDay(at: string | number): string {
  return format(TIME).format(new Date(at))
}

/** 11月23日 星期一 · Mon 23 Nov */
export function dayOf(at: string | number): string {
  return format({ month: 'short', day: 'numeric', weekday: 'short' }).format(new Date(at))
}

/** The time alone when it is today at the site, else with the day; on paper all of it. */
export function moment(at: string | number): string {
  if (onPaper.value) return format({ year: 'numeric', ...DAY, ...TIME }).format(new Date(at))
  const sameDay = format(DAY).format(new Date(at)) === format(DAY).format(clockNow.value)
  return sameDay ? timeOfDay(at) : dayTime(at)
}

/** 11/23 15:04, for what may be of another day. */
export function dayTime(at: string | number): string {
  const day = settings.language === 'zh' ? DAY : ({ month: 'short', day: 'numeric' } as const)
  return format({ ...day, hour: '2-digit', minute: '2-digit' }).format(new Date(at))
}

/** With its day and year, to the minute: where it stands in a sentence. */
export function dated(at: string | number): string {
  const parts = { year: 'numeric', ...DAY, hour: '2-digit', minute: '2-digit' } as const
  return format(parts).format(new Date(at))
}

/** In full, for a tooltip: date, time, zone. */
export function inFull(at: string | number): string {
  return format({ year: 'numeric', ...DAY, ...TIME, timeZoneName: 'short' }).format(new Date(at))
}

export type SpanUnit = 's' | 'min' | 'h' | 'd'

/** Time gone by or left, by its largest useful unit: full ones alone count. */
export function span(ms: number): { count: number; unit: SpanUnit } {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return { count: seconds, unit: 's' }
  if (seconds < 3600) return { count: Math.floor(seconds / 60), unit: 'min' }
  if (seconds < 172_800) return { count: Math.floor(seconds / 3600), unit: 'h' }
  return { count: Math.floor(seconds / 86_400), unit: 'd' }
}

/** A length that was measured, half up: whole seconds and minutes, hours and days to a tenth. */
export function length(ms: number): { count: number; unit: SpanUnit } {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return { count: seconds, unit: 's' }
  const minutes = Math.round(ms / 60_000)
  if (minutes < 60) return { count: minutes, unit: 'min' }
  const hours = Math.round(ms / 360_000) / 10
  if (hours < 48) return { count: hours, unit: 'h' }
  return { count: Math.round(ms / 8_640_000) / 10, unit: 'd' }
}

/** The day at the site, as the hub is asked: 2026-11-23. */
export function localDay(at: string | number): string {
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone: siteZone.value,
    year: 'numeric',
    ...DAY,
  })
  return parts.format(new Date(at))
}

export function nextDay(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10)
}

/** The first moment of a day at the site, as the hub takes it. */
export function startOfDay(day: string): string {
  const before = new Date(Date.parse(`${day}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10)
  return new Date(Date.parse(endOfDay(before)) + 1000).toISOString()
}

/** The last second of a day at the site, as the hub takes it. */
export function endOfDay(day: string): string {
  const guess = Date.parse(`${day}T23:59:59Z`)
  const local = new Intl.DateTimeFormat('sv-SE', {
    timeZone: siteZone.value,
    dateStyle: 'short',
    timeStyle: 'medium',
  }).format(guess)
  const ahead = Date.parse(`${local.replace(' ', 'T')}Z`) - guess
  return new Date(guess - ahead).toISOString()
}

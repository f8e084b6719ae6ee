import { enPhone } from '../i18n/en-phone'
import { zhPhone } from '../i18n/zh-phone'
import { settings } from '../store/settings'
import { sayer } from '../street/say'
import { siteZone } from '../time'
import type { PhoneCase } from './api'

export const t = sayer({ zh: zhPhone, en: enPhone })

const locale = () => (settings.language === 'zh' ? 'zh-CN' : 'en-GB')

/** What a case is about, its matter in the reader's language. */
export function titleOf({ title, matter }: Pick<PhoneCase, 'title' | 'matter'>): string {
  const name = settings.language === 'en' && matter?.name_en
  return name && title.startsWith(matter.name_zh) ? name + title.slice(matter.name_zh.length) : title
}

/** Day and time of day at the site, to the minute. */
export function moment(at: string): string {
  return new Date(at).toLocaleString(locale(), {
    timeZone: siteZone.value,
    month: 'numeric',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  })
}

/** Time of day at the site. */
export function clock(at: string): string {
  return new Date(at).toLocaleTimeString(locale(), { timeZone: siteZone.value })
}

/** So much time, never more than there is. */
export function span(ms: number): string {
  const minutes = Math.floor(Math.abs(ms) / 60_000)
  const [n, unit] =
    minutes < 90
      ? [minutes, 'minute']
      : minutes < 60 * 48
        ? [Math.floor(minutes / 60), 'hour']
        : [Math.floor(minutes / 1440), 'day']
  return new Intl.NumberFormat(locale(), { style: 'unit', unit, unitDisplay: 'short' }).format(n)
}

/** What is left until a case is due, or how long it is late. */
export function deadline({ clock: counts }: Pick<PhoneCase, 'clock'>): { text: string; late: boolean } {
  if (!counts?.due_at) return { text: t('noClock'), late: false }
  const left = Date.parse(counts.due_at) - Date.now()
  const late = left < 0
  return { text: t(late ? 'overdue' : 'left', { n: span(left) }), late }
}

export function metres(m: number): string {
  return m < 1000 ? `${Math.round(m / 10) * 10} m` : `${(m / 1000).toFixed(1)} km`
}

export function distanceM(
  a: { lat: number; lon: number },
  b: { lat: number; lon: number },
): number {
  const rad = Math.PI / 180
  const x = (b.lon - a.lon) * rad * Math.cos(((a.lat + b.lat) / 2) * rad)
  return Math.hypot(x, (b.lat - a.lat) * rad) * 6_371_000
}

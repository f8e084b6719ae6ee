/** A device's clock in words. */

import type { Device } from '../api/devices'
import { LIMITS } from '../devices'
import { spanText, t } from '../i18n'

/** How far its clock is ahead (+) or behind, in words. */
export function clockText(device: Device): string {
  const off = device.clock_off_s
  if (off === null) return '–'
  if (Math.abs(off) < LIMITS.clock_s) return t('devicesPage.seconds', { n: off })
  return `${off > 0 ? '+' : '−'}${spanText(Math.abs(off) * 1000)}`
}

/** Room on a device in words. */

import { t } from '../i18n'

export function diskText(free_mb: number): string {
  if (free_mb < 1000) return t('devicesPage.mb', { n: Math.round(free_mb) })
  return t('devicesPage.gb', { n: (free_mb / 1000).toFixed(1) })
}

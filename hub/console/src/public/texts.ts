import { enPublic } from '../i18n/en-public'
import { zhPublic } from '../i18n/zh-public'
import { settings } from '../store/settings'
import { sayer } from '../street/say'

export const t = sayer({ zh: zhPublic, en: enPublic })

export function nameOf(matter: { name_zh: string; name_en: string } | null): string {
  if (!matter) return ''
  return (settings.language === 'zh' ? matter.name_zh : matter.name_en) || matter.name_zh
}

/** `4 work_hour` as people say it. */
export function limitOf(limit: string): string {
  const [n = '', unit = ''] = limit.split(' ')
  const key = `unit.${unit}` as keyof typeof zhPublic
  return key in zhPublic ? t(key, { n }) : limit
}

/** `verifying_result` where Chinese is not read; the hub's own word where it is. */
export function stateOf(step: { state: string; state_zh: string }): string {
  return settings.language === 'zh' ? step.state_zh : step.state.replaceAll('_', ' ')
}

/** A step of a penalty's procedure. */
export function penaltyStep(step: { step: string; step_zh: string }): string {
  return settings.language === 'zh' ? step.step_zh : step.step.replaceAll('_', ' ')
}

export function when(at: string, zone: string): string {
  const locale = settings.language === 'zh' ? 'zh-CN' : 'en-GB'
  return new Intl.DateTimeFormat(locale, {
    dateStyle: 'medium',
    timeStyle: 'short',
    timeZone: zone,
  }).format(new Date(at))
}

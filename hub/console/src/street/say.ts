/** Texts of the small pages: each carries its own two languages and nothing of the console's. */

import { settings } from '../store/settings'

export function sayer<Key extends string>(texts: Record<'zh' | 'en', Record<Key, string>>) {
  return (key: Key, values: Record<string, string | number> = {}): string =>
    texts[settings.language][key].replace(/\{(\w+)\}/g, (whole, name: string) =>
      name in values ? String(values[name]) : whole,
    )
}

export function turnLanguage(): void {
  settings.language = settings.language === 'zh' ? 'en' : 'zh'
}

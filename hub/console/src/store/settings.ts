/** What this operator prefers, kept in this browser. */

import { reactive, watch } from 'vue'

export type Language = 'zh' | 'en'
export type Theme = 'light' | 'dark'
export type Order = 'urgent' | 'newest'

const LAYERS = [
  'grids',
  'cameras',
  'vehicles',
  'trails',
  'alerts',
  'cases',
  'fences',
  'permits',
] as const
export type Layer = (typeof LAYERS)[number]
export { LAYERS }

function stored<Value extends string>(
  key: string,
  allowed: readonly Value[],
  fallback: Value,
): Value {
  const value = localStorage.getItem(`tianyan.${key}`)
  return allowed.includes(value as Value) ? (value as Value) : fallback
}

function startTheme(): Theme {
  return document.documentElement.dataset.theme === 'dark' ? 'dark' : 'light'
}

export const settings = reactive({
  language: stored<Language>('language', ['zh', 'en'], 'zh'),
  theme: startTheme(),
  order: stored<Order>('order', ['urgent', 'newest'], 'urgent'),
  shortcuts: stored('shortcuts', ['on', 'off'], 'on') === 'on',
  guide: stored('guide', ['on', 'off'], 'on') === 'on',
  layers: Object.fromEntries(
    LAYERS.map((layer) => [layer, stored(`layer.${layer}`, ['on', 'off'], 'on') === 'on']),
  ) as Record<Layer, boolean>,
})

function keep(key: string, value: string | boolean): void {
  localStorage.setItem(
    `tianyan.${key}`,
    typeof value === 'boolean' ? (value ? 'on' : 'off') : value,
  )
}

watch(
  () => settings.theme,
  (theme) => {
    document.documentElement.dataset.theme = theme
    keep('theme', theme)
  },
)
watch(
  () => settings.language,
  (language) => {
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en'
    keep('language', language)
  },
  { immediate: true },
)
for (const key of ['order', 'shortcuts', 'guide'] as const) {
  watch(
    () => settings[key],
    (value) => keep(key, value),
  )
}
for (const layer of LAYERS) {
  watch(
    () => settings.layers[layer],
    (value) => keep(`layer.${layer}`, value),
  )
}

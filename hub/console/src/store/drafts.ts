/** Words typed but not sent yet: kept through dropped lines, lost sessions and reloads of this tab. */

import { reactive, watch } from 'vue'

const KEY = 'tianyan.drafts'

function stored(): Record<string, string> {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? '{}') as Record<string, string>
  } catch {
    return {}
  }
}

export const drafts = reactive<Record<string, string>>(stored())

watch(drafts, () => {
  const written = Object.entries(drafts).filter(([, text]) => text !== '')
  sessionStorage.setItem(KEY, JSON.stringify(Object.fromEntries(written)))
})

export function forget(key: string): void {
  delete drafts[key]
}

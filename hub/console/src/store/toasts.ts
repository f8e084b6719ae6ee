/** Short words on what has just been done; they leave by themselves. */

import { shallowReactive } from 'vue'

export interface Toast {
  id: number
  text: string
  tone: 'good' | 'bad'
  link?: { to: string; text: string }
}

export const toasts = shallowReactive<Toast[]>([])
let next = 0

export function toast(text: string, tone: Toast['tone'] = 'good', link?: Toast['link']): void {
  const id = next++
  toasts.push({ id, text, tone, link })
  setTimeout(
    () => {
      const at = toasts.findIndex((item) => item.id === id)
      if (at >= 0) toasts.splice(at, 1)
    },
    tone === 'good' ? 5000 : 9000,
  )
}

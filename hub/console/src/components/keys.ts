/** Single-key shortcuts: off while typing, and off altogether when the operator says so. */

import { onActivated, onBeforeUnmount, onDeactivated, onMounted, ref } from 'vue'

import { settings } from '../store/settings'

export const keysOpen = ref(false)

export function typing(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  )
}

/** Keys by their `event.key`, letters in lower case; active while the component is on the page. */
export function useKeys(actions: Record<string, () => void>): void {
  function press(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
    if (!settings.shortcuts || typing(event.target) || document.querySelector('dialog:modal'))
      return
    if (
      event.key === 'Enter' &&
      event.target instanceof HTMLElement &&
      /^(A|BUTTON)$/.test(event.target.tagName)
    )
      return
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key]
    if (!action) return
    event.preventDefault()
    action()
  }
  const listen = () => addEventListener('keydown', press)
  const stop = () => removeEventListener('keydown', press)
  onMounted(listen)
  onActivated(listen)
  onDeactivated(stop)
  onBeforeUnmount(stop)
}

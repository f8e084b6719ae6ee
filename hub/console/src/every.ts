/** What nobody tells a page it reads now and then, while somebody looks. */

import { onScopeDispose } from 'vue'

export function useEvery(ms: number, read: () => unknown): void {
  const timer = setInterval(() => void (document.hidden || read()), ms)
  onScopeDispose(() => clearInterval(timer))
}

/** What a page shows, as its address says: a link to the same page and going back are followed. */

import { watch } from 'vue'
import { type LocationQueryRaw, useRoute, useRouter } from 'vue-router'

interface Address {
  /** A field of the address; empty where it has none. */
  asked: (name: string) => string
  /** Say in the address what is shown; empty fields are left out. */
  write: (fields: Record<string, string>) => void
}

/** `follow`: the address says something else now, by somebody else than this page. */
export function useAddress(follow: () => void): Address {
  const route = useRoute()
  const router = useRouter()
  const page = route.name
  let written = ''

  function asked(name: string): string {
    const value = route.query[name]
    return typeof value === 'string' ? value : ''
  }

  watch(
    () => route.query,
    (query) => {
      if (route.name === page && JSON.stringify(query) !== written) follow()
    },
  )

  function write(fields: Record<string, string>): void {
    const query: LocationQueryRaw = Object.fromEntries(
      Object.entries(fields).filter(([, value]) => value !== ''),
    )
    written = JSON.stringify(query)
    void router.replace({ query })
  }

  return { asked, write }
}

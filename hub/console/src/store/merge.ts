/** What is read from the hub never overwrites an event that arrived while it was being read. */

export class Freshest<Item extends { id: string | number }> {
  private readonly touched = new Map<string, number>()
  private clock = 0

  constructor(readonly items: Map<string, Item>) {}

  /** Note the moment before a list or an item is asked for. */
  mark(): number {
    return this.clock
  }

  /** An item as an event (or an answer to one's own act) says it is now. */
  put(item: Item): void {
    const id = String(item.id)
    this.touched.set(id, ++this.clock)
    this.items.set(id, item)
  }

  /** Whether it was told of after `mark`: an answer asked for before that is old. */
  isNewer(id: string, mark: number): boolean {
    return (this.touched.get(id) ?? 0) > mark
  }

  /** A list asked for at `mark`; answers the ids held that it does not have. */
  merge(list: readonly Item[], mark: number): string[] {
    const named = new Set<string>()
    for (const item of list) {
      const id = String(item.id)
      named.add(id)
      if (!this.isNewer(id, mark)) this.items.set(id, item)
    }
    return [...this.items.keys()].filter(
      (id) => !named.has(id) && !this.isNewer(id, mark),
    )
  }

  remove(id: string): void {
    this.items.delete(id)
    this.touched.delete(id)
  }
}

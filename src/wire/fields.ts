/** Header and trailer fields: an ordered list whose names are compared without case. */

/** One field as it stands on the wire: the name as sent, the value without the white space around it. */
export type Field = readonly [name: string, value: string]

/**
 * The fields of one section, in wire order and with the names as sent. Never changes.
 *
 * @see RFC 9110 §5
 */
export class Fields implements Iterable<Field> {
  /** No fields. */
  static readonly empty: Fields = new Fields([])

  readonly #fields: readonly Field[]

  /** @param fields kept, not copied: the caller gives the array away; nothing in it is checked */
  constructor(fields: readonly Field[]) {
    this.#fields = fields
  }

  /** How many fields (lines) there are. */
  get size(): number {
    return this.#fields.length
  }

  /**
   * The value of a field, any case; several lines of it are joined by `, ` in their order (RFC 9110 §5.3).
   *
   * `Set-Cookie` is the one field that must not be joined: ask for {@link all} of it.
   */
  get(name: string): string | undefined {
    const wanted = name.toLowerCase()
    let joined: string | undefined
    for (const field of this.#fields) {
      if (!isNamed(field[0], wanted)) continue
      joined = joined === undefined ? field[1] : `${joined}, ${field[1]}`
    }
    return joined
  }

  /** The values of a field, any case, one for each line. */
  all(name: string): readonly string[] {
    const wanted = name.toLowerCase()
    const values: string[] = []
    for (const [name, value] of this.#fields) if (isNamed(name, wanted)) values.push(value)
    return values
  }

  /** Whether a field is there, any case; also when its value is empty. */
  has(name: string): boolean {
    const wanted = name.toLowerCase()
    return this.#fields.some(([name]) => isNamed(name, wanted))
  }

  /** Every field in wire order. */
  entries(): IterableIterator<Field> {
    return this.#fields[Symbol.iterator]()
  }

  [Symbol.iterator](): IterableIterator<Field> {
    return this.#fields[Symbol.iterator]()
  }
}

/** Compares the lengths first: most fields of a head are told apart by it alone. */
function isNamed(name: string, wantedLowerCase: string): boolean {
  return (
    name.length === wantedLowerCase.length &&
    (name === wantedLowerCase || name.toLowerCase() === wantedLowerCase)
  )
}

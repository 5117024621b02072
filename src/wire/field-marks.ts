/** Where the fields of one section after another stand, noted while it is read. */

/** Three places in a text for each field: where its name begins, its colon, and where its line ends. */
export type FieldMarks = readonly number[]

/** How many marks a field has. */
export const MARKS_PER_FIELD = 3

/**
 * Notes the marks of a section, and gives them away when it is whole.
 *
 * Thousands of heads on one connection differ in their words and seldom in the lengths of these. Those that follow each
 * other and are alike in this share one list.
 */
export class FieldMarker {
  /** What is past `#count` is of an earlier section. */
  readonly #marks: number[] = []
  #count = 0
  #last: FieldMarks = []

  /** How many fields have begun. */
  get begun(): number {
    return Math.ceil(this.#count / MARKS_PER_FIELD)
  }

  /** Notes the next mark. */
  note(place: number): void {
    this.#marks[this.#count] = place
    this.#count++
  }

  /** The marks of the section, which is whole; begins anew. */
  give(): FieldMarks {
    if (!this.#areLast()) this.#last = this.#marks.slice(0, this.#count)
    this.#count = 0
    return this.#last
  }

  #areLast(): boolean {
    if (this.#last.length !== this.#count) return false
    for (let at = 0; at < this.#count; at++) if (this.#last[at] !== this.#marks[at]) return false
    return true
  }
}

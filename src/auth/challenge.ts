/** Challenges as targets send them: RFC 9110 §11.6.1, and Passport's own form. */

/** One way of proof, as a target offered it. */
export interface Challenge {
  /** The `auth-scheme` token, lower case: `basic`, `ntlm`, `passport1.4`. */
  readonly scheme: string
  /** The `token68`, as received; absent when there is none. */
  readonly token68?: string
  /** The parameters by lower-case name, values without their quotes and escapes; empty when there are none. */
  readonly parameters: ReadonlyMap<string, string>
  /** Passport1.4 only: everything after the scheme and one space, as received (A174). */
  readonly text?: string
}

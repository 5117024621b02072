/** Names of the contract, as a command line writes them. */

/** `no-surcharge` for `noSurcharge`. */
export function dashed(name: string): string {
  return name.replaceAll(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`)
}

/** `transient-error` for `TRANSIENT_ERROR`. */
export function stateWord(state: string): string {
  return state.toLowerCase().replaceAll('_', '-')
}

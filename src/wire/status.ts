/** The statuses and classes of statuses that decide how a response is read (RFC 9110 §15). */

/** The server changes to another protocol after this head (§15.2.2). */
export const switchingProtocols = 101
/** A response without a body (§15.3.5). */
export const noContent = 204
/** A response without a body, about one that the client has (§15.4.5). */
export const notModified = 304

/** 1xx (§15.2). */
export function isInformational(status: number): boolean {
  return status >= 100 && status < 200
}

/** 2xx (§15.3). */
export function isSuccessful(status: number): boolean {
  return status >= 200 && status < 300
}

/** Whether the final response is still to come: 1xx other than 101, after which nothing of HTTP comes. */
export function isInterim(status: number): boolean {
  return isInformational(status) && status !== switchingProtocols
}

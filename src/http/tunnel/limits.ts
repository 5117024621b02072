/** How long a proxy may take (N98), in steady milliseconds. */

/** Until there is a connection to it: resolver, TCP, TLS to the proxy, and the greeting of SOCKS. */
export const PROXY_CONNECT_MS = 30_000

/** Until it has answered: it connects to the server meanwhile. */
export const PROXY_ANSWER_MS = 60_000

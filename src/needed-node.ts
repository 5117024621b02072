/**
 * Refuses a Node that is too old. The doors import this before anything else, so that whoever has one reads a sentence and
 * not that some built-in module is missing.
 */

/** The first version of Node that has what Lull is made of. */
const NEEDED_NODE = 24

const { node } = process.versions
if (Number(node.split('.')[0]) < NEEDED_NODE) {
  throw new Error(`Cannot use Lull: it needs Node ${NEEDED_NODE} or newer, this is ${node}`)
}

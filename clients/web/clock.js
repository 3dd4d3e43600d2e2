// What time it is for pings, repeats and deadlines. Nothing else here may ask Date for a duration.

/** Return milliseconds that only grow: setting the machine's clock neither stops nor hurries them. */
export function now() {
  return performance.now();
}

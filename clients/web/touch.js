// How people point: what is made for fingers goes by this.

/** Whether they have a screen to touch, and keys on it that have no Shift and Enter together. */
export function isTouched() {
  return matchMedia("(pointer: coarse)").matches;
}

// Changes of a list of nodes: only what differs is touched, so selections, focus and places stay.

/**
 * Make the parent's children those of `rows`: {key, build(), update(node)}. A node lives as long as its key is
 * among the rows; it is moved only where the order of those that stay has changed.
 */
export function patch(parent, rows) {
  const keys = new Set(rows.map(({ key }) => key));
  const present = new Map();
  for (const node of [...parent.children]) {
    if (keys.has(node.dataset.key)) present.set(node.dataset.key, node);
    else node.remove();
  }
  let place = parent.firstElementChild;
  for (const { key, build, update } of rows) {
    const node = present.get(key) ?? keyed(build(), key);
    update?.(node);
    if (node === place) place = place.nextElementSibling;
    else parent.insertBefore(node, place);
  }
}

function keyed(node, key) {
  node.dataset.key = key;
  return node;
}

/** Have a class or not; written again it would be a change to whoever observes the node. */
export function setClass(node, name, isWanted) {
  if (node.classList.contains(name) !== isWanted) node.classList.toggle(name);
}

/** Set a text, unless it is there: writing it again would end a selection in it. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// Nodes of our own making.

/** Return an element; children are nodes or texts, never markup. */
export function el(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children.filter((child) => child !== ""));
  return node;
}

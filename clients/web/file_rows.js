// Files that messages bring, as nodes: pictures with their place kept free, all else as a line with name and size.
//
// Where a file is, the conversation's `files` says: its address asks the server each time whether one may have it.

import { bare } from "./names.js";
import { el } from "./nodes.js";
import { gettext, locale } from "./texts.js";

const MAX_SIDE = 320; // CSS pixels of a picture in the log
const UNITS = ["byte", "kilobyte", "megabyte"];

/** Have a message's files in front of its text, or none; they never change while it stands. */
export function showFiles(node, attachments, addressOf, box) {
  const before = node.querySelector(".files");
  if (attachments.length === 0) return before?.remove();
  if (!before) box.before(el("div", { className: "files" }, ...attachments.map((file) => fileEl(file, addressOf(file.id)))));
}

/** Return a size as people write it. */
export function sizeText(bytes) {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const options = { style: "unit", unit: UNITS[power], unitDisplay: power ? "short" : "long", maximumFractionDigits: power > 1 ? 1 : 0 };
  return (bytes / 1024 ** power).toLocaleString(locale(), options);
}

function fileEl({ name, size, width, height }, address) {
  const title = `${bare(name)} (${sizeText(size)})`;
  const link = el("a", { className: width ? "picture" : "file", title });
  if (address) Object.assign(link, { href: address, target: "_blank", rel: "noopener" });
  if (!width || !address) {
    link.append(el("bdi", { className: "name" }, bare(name)), el("small", {}, sizeText(size)));
    return link;
  }
  const scale = Math.min(1, MAX_SIDE / Math.max(width, height));
  const [shownWidth, shownHeight] = [width, height].map((side) => Math.max(1, Math.round(side * scale)));
  link.ariaLabel = gettext("Picture {name}", { name: bare(name) });
  const picture = el("img", { alt: "", loading: "lazy", width: shownWidth, src: `${address}thumbnail/` });
  picture.style.aspectRatio = `${shownWidth} / ${shownHeight}`; // whatever comes, if anything does
  link.append(picture);
  return link;
}

// What people wrote as markdown, as nodes: marked reads it, DOMPurify lets only the elements below through.
//
// The last stage of a text's way: the log, its searches and its quotes have the text as it was written. All that
// is not of the subset is shown as it was written too, markup and line breaks included.

import { html } from "./markup.js";
import purify from "./vendor/purify.js";
import { Marked, Tokenizer } from "./vendor/marked.js";

const MAX_LENGTH = 8_000; // UTF-16 units: no text of a log is longer
const MAX_DEPTH = 6; // of quotes and lists in each other, and of links and emphasis: each level is a call
const MAX_TRIES = 300; // of one text: each may look through all that follows
const MAX_KEPT = 1_000; // texts: two rooms with all their messages
const ADDRESS = /^(?:https?:\/\/|mailto:)/i;
const LET_THROUGH = {
  ALLOWED_TAGS: ["p", "strong", "em", "code", "pre", "blockquote", "ul", "ol", "li", "a"],
  ALLOWED_ATTR: ["href", "title", "start"],
  ALLOW_ARIA_ATTR: false,
  ALLOW_DATA_ATTR: false,
  ALLOWED_URI_REGEXP: ADDRESS,
  ADD_URI_SAFE_ATTR: ["start"],
  RETURN_DOM_FRAGMENT: true,
};
const kept = new Map(); // text → its nodes, to be copied; those made last at the end

/** Return a text's nodes. They are made once for each text, as long as it is among the last ones. */
export function markdown(text) {
  const nodes = kept.get(text) ?? rendered(text);
  kept.set(text, nodes);
  if (kept.size > MAX_KEPT) kept.delete(kept.keys().next().value);
  return nodes.cloneNode(true);
}

function rendered(text) {
  if (text.length > MAX_LENGTH) return document.createTextNode(text);
  let nodes;
  try {
    subset.begin();
    nodes = purify.sanitize(marked.parse(text), LET_THROUGH);
  } catch {
    return document.createTextNode(text); // one text that a parser can't read must not hold up a room
  }
  for (const link of nodes.querySelectorAll("a")) Object.assign(link, { target: "_blank", rel: "noopener noreferrer nofollow" });
  return nodes;
}

/** Knows the subset: a method that returns nothing leaves the text to the others, at last to be a text. */
class Subset extends Tokenizer {
  #depth = 0;
  #tries = 0;

  /** The next text is another one. */
  begin() {
    this.#depth = this.#tries = 0;
  }

  /** Quotes end with the last line that begins with `>`: the answer below it belongs to its author. */
  blockquote(source) {
    const lines = source.match(/^(?: {0,3}>[^\n]*(?:\n|$))+/)?.[0];
    return lines && this.#within(() => super.blockquote(lines));
  }

  list(source) {
    const isEmpty = !/^ {0,3}(?:[-*+]|\d{1,9}[.)])[ \t]+\S/.test(source); // a lone sign says something else
    return isEmpty ? undefined : this.#within(() => super.list(source));
  }

  emStrong(source, ...around) {
    return /^[*_]/.test(source) ? this.#within(() => super.emStrong(source, ...around)) : undefined;
  }

  link(source) {
    return /^!?\[/.test(source) ? this.#within(() => super.link(source)) : undefined;
  }

  #within(read) {
    if (this.#depth >= MAX_DEPTH || this.#tries >= MAX_TRIES) return undefined;
    this.#depth += 1;
    this.#tries += 1;
    try {
      return read();
    } finally {
      this.#depth -= 1;
    }
  }

  code() {} // indented; fences stay
  heading() {}
  lheading() {}
  hr() {}
  table() {}
  def() {}
  html() {}
  tag() {}
  br() {} // all line breaks stay
  del() {}
}

const asText = (text) => html`${text}`;

const renderer = {
  space: ({ raw }) => raw.replace(/[^\n]/g, "").slice(1), // the first one ended a line
  text({ tokens, text }) {
    return tokens ? this.parser.parseInline(tokens) : asText(text);
  },
  paragraph({ tokens }) {
    return `<p>${this.parser.parseInline(tokens)}</p>`;
  },
  blockquote({ tokens }) {
    return `<blockquote>${this.parser.parse(tokens)}</blockquote>`;
  },
  list({ ordered, start, items }) {
    const rows = items.map(({ tokens }) => `<li>${this.parser.parse(tokens)}</li>`).join("");
    return ordered ? `<ol start="${start}">${rows}</ol>` : `<ul>${rows}</ul>`;
  },
  code: ({ text }) => `<pre><code>${asText(text)}</code></pre>`,
  codespan: ({ text }) => `<code>${asText(text)}</code>`,
  link({ href, raw, tokens }) {
    const isOpenable = ADDRESS.test(href) && URL.canParse(href);
    return isOpenable ? html`<a href="${href}" title="${href}">` + `${this.parser.parseInline(tokens)}</a>` : asText(raw);
  },
  image: ({ raw }) => asText(raw),
  checkbox: ({ raw }) => asText(raw),
};

const subset = new Subset();
const marked = new Marked({ renderer });
marked.setOptions({ tokenizer: subset });

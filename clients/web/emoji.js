// Emoji written as `:name:`. All of them are many: they are loaded when somebody first wants one.

import { locale } from "./texts.js";

const CODE_OR_NAME = /(`+)[^]*?\1|(?<![\p{L}\p{N}_]):([a-z0-9_+-]+):(?![\p{L}\p{N}_])/gu;
const PATIENCE_MS = 2_000; // a text is rather sent as it was written than held up for longer

let loaded = null; // EmojiSet
let loading = null; // the promise of it

/** Return a promise of the EmojiSet; after a failure the next call tries again. */
export function loadEmoji() {
  loading ??= read().catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
}

/** Whether a text has names that can't be read before the set is loaded. */
export function lacksEmoji(text) {
  return loaded === null && [...text.matchAll(CODE_OR_NAME)].some(([, , name]) => name);
}

/** Wait for the set, but not for long. */
export async function awaitEmoji() {
  await Promise.race([loadEmoji().catch(() => {}), new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
}

/** Return a text with emoji in place of the names that are known; code stays as it is. */
export function withEmoji(text) {
  return text.replace(CODE_OR_NAME, (whole, ticks, name) => loaded?.named(name) ?? whole);
}

/** All at once; the data are imported here, as Django's hashed names reach only through few imports in a row. */
async function read() {
  const isGerman = locale()?.split("-")[0].toLowerCase() === "de";
  const german = isGerman ? import("./vendor/emoji_de.js") : { default: null };
  const [{ EmojiSet }, data, translated] = await Promise.all([import("./emoji_set.js"), import("./vendor/emoji.js"), german]);
  return (loaded = new EmojiSet(data.default, translated.default));
}

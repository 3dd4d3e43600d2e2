// The emoji of the page by their names: to react with, and to write as `:name:`.

export const EMOJI = new Map([
  ["thumbsup", "👍"],
  ["thumbsdown", "👎"],
  ["heart", "❤️"],
  ["joy", "😂"],
  ["tada", "🎉"],
  ["open_mouth", "😮"],
  ["cry", "😢"],
  ["pray", "🙏"],
  ["clap", "👏"],
  ["fire", "🔥"],
  ["check", "✅"],
  ["eyes", "👀"],
]);
const CODE_OR_NAME = /(`+)[^]*?\1|(?<![\p{L}\p{N}_]):([a-z_]+):(?![\p{L}\p{N}_])/gu;

/** Return a text with emoji in place of the names that are known; code stays as it is. */
export function withEmoji(text) {
  return text.replace(CODE_OR_NAME, (whole, ticks, name) => EMOJI.get(name) ?? whole);
}

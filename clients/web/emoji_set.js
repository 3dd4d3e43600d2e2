// All emoji with their names: found by a name, or by words of the page's language and of English.

const OWN_NAMES = { "✅": ["check"] }; // besides those of the data
const [IS_NAME, BEGINS_NAME, HAS_WORDS, IS_TOLD_BY] = [0, 1, 2, 3]; // how well a query meets an emoji

export class EmojiSet {
  all; // in the order of Unicode: {emoji, group, names, label, …}
  #named = new Map();
  #known;

  /** `rows` and `translated` are the data of vendor/, in the same order; without the second: English alone. */
  constructor(rows, translated) {
    this.all = rows.map(([emoji, group, names, label, more], place) => {
      const [local, moreLocal] = translated?.[place] ?? [label, ""];
      return one(emoji, group, [...names.split(" "), ...(OWN_NAMES[emoji] ?? [])], local, [label, local], `${more} ${moreLocal}`);
    });
    this.#known = new Map(this.all.map((one) => [one.emoji, one]));
    for (const { emoji, names } of this.all) for (const name of names) this.#named.set(name, emoji);
  }

  /** Return the emoji of a short name, or undefined. */
  named(name) {
    return this.#named.get(name);
  }

  /** Return those of `emoji` that are in the set. */
  known(emoji) {
    return emoji.map((one) => this.#known.get(one)).filter(Boolean);
  }

  /** Return what a query finds, the best first. */
  find(query) {
    return this.#ranked(query, IS_TOLD_BY);
  }

  /** Return whose short names or words of whose names begin so, the best first. */
  complete(beginning) {
    return this.#ranked(beginning, HAS_WORDS);
  }

  #ranked(query, worst) {
    const text = folded(query).trim();
    const words = text.split(" ");
    const found = this.all.map((one) => [rank(one, text, words), one]).filter(([rank]) => rank <= worst);
    return found.sort(([one], [other]) => one - other).map(([, one]) => one);
  }
}

function one(emoji, group, names, label, labels, more) {
  const phrases = [...names, ...labels].map(folded);
  return { emoji, group, names, label, phrases, words: phrases.flatMap((phrase) => phrase.split(" ")), more: folded(more).split(" ") };
}

function rank({ phrases, words, more }, text, wanted) {
  if (phrases.includes(text)) return IS_NAME;
  if (phrases.some((phrase) => phrase.startsWith(text))) return BEGINS_NAME;
  const isIn = (list) => (word) => list.some((other) => other.startsWith(word));
  if (wanted.every(isIn(words))) return HAS_WORDS;
  return wanted.every((word) => isIn(words)(word) || isIn(more)(word)) ? IS_TOLD_BY : Infinity;
}

/** Return a text without cases, accents and signs between words. */
function folded(text) {
  return text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "").replace(/[\s_:,()]+/g, " ");
}

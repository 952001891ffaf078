/** The ten-digit challenge without its page: what was drawn, how often it was tried, and how long that took. */

export const DIGITS = 10;
const LISTED = 3; // skipped digits that are named

/**
 * What was read in a drawing, in the words of the answer.
 *
 * @typedef {object} Reading
 * @property {string} text - such as "7", "10", "4 or 9?" or why nothing is read
 * @property {?number} percent - how sure it is; null where it is not
 */

/**
 * A digit that is done with. Its marks and its reading are of the last drawing of it; a digit may be skipped undrawn.
 *
 * @typedef {object} Round
 * @property {number} digit
 * @property {boolean} isRead - as the digit that was asked for
 * @property {number} tries - the drawings that it took
 * @property {object[]} marks
 * @property {?Reading} reading
 */

/** One game: 0 to 9 in order, each of them drawn until it is read or skipped. */
export class Game {
  /** @type {Round[]} */
  rounds = [];
  #failed = []; // earlier drawings of the digit that is asked for, each with its marks and its reading

  /** The digit that is asked for. */
  get digit() {
    return this.rounds.length;
  }

  get isOver() {
    return this.rounds.length === DIGITS;
  }

  /** How many digits were read. */
  get readCount() {
    return this.rounds.filter((round) => round.isRead).length;
  }

  /** How many digits in a row were read at the first try, up to now. */
  get streak() {
    const last = this.rounds.findLastIndex((round) => !isFirstTry(round));
    return this.rounds.length - 1 - last;
  }

  get longestStreak() {
    let [longest, streak] = [0, 0];
    for (const round of this.rounds) {
      streak = isFirstTry(round) ? streak + 1 : 0;
      longest = Math.max(longest, streak);
    }
    return longest;
  }

  /** The round of the digit that was skipped, took the most tries or was read with the least certainty, in this order. */
  get hardest() {
    const percent = (round) => round.reading?.percent ?? 0;
    const order = (a, b) => a.isRead - b.isRead || b.tries - a.tries || percent(a) - percent(b);
    return [...this.rounds].sort(order)[0] ?? null;
  }

  /** A drawing of the digit was not read as it, and another one follows. */
  fail(marks, reading) {
    this.#failed.push({ marks, reading });
  }

  accept(marks, reading) {
    this.#finish(true, { marks, reading });
  }

  /** Skip what is left. */
  end(marks, reading) {
    this.skip(marks, reading);
    while (!this.isOver) this.skip([], null);
  }

  /** Go on to the next digit, with the drawing on the pad if there is one, or else the one before it. */
  skip(marks, reading) {
    if (marks.length) this.#finish(false, { marks, reading });
    else this.#finish(false, this.#failed.pop() ?? null);
  }

  #finish(isRead, drawing) {
    const tries = this.#failed.length + (drawing ? 1 : 0);
    this.rounds.push({ digit: this.digit, isRead, tries, marks: drawing?.marks ?? [], reading: drawing?.reading ?? null });
    this.#failed = [];
  }
}

function isFirstTry({ isRead, tries }) {
  return isRead && tries === 1;
}

/** A clock that runs only while it is the person's turn. */
export class Clock {
  #before = 0; // ms until it last stood still
  #since = null; // when it began to run
  hasBegun = false;

  run() {
    this.hasBegun = true;
    this.#since ??= performance.now();
  }

  stop() {
    this.#before = this.milliseconds;
    this.#since = null;
  }

  get milliseconds() {
    return this.#before + (this.#since === null ? 0 : performance.now() - this.#since);
  }

  /** The time as people write it, such as "1:05". */
  get text() {
    const seconds = Math.floor(this.milliseconds / 1000);
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  }
}

/** A reading in words, such as "7, 99.2 % sure". */
export function inWords({ text, percent }) {
  return percent === null ? text : `${text}, ${percent} % sure`;
}

/** A round in words, such as "4: read as 4, 98.1 % sure, at try 2". */
export function roundInWords({ digit, isRead, tries, reading }) {
  if (!tries) return `${digit}: skipped, not drawn`;
  const read = reading ? `read as ${inWords(reading)}` : "not read";
  return `${digit}: ${isRead ? "" : "skipped, "}${read}${tries > 1 ? `, at try ${tries}` : ""}`;
}

/** How long it took to have digits read; nothing where none was. */
export function timeInWords({ readCount }, time) {
  return readCount ? `read in ${time}` : "read";
}

/** The hardest digit and why it was, such as "4, 2 tries", or all that were skipped. */
export function hardestInWords({ rounds, hardest: { digit, isRead, tries, reading } }) {
  const skipped = rounds.filter((round) => !round.isRead).map((round) => round.digit);
  if (skipped.length > LISTED) return `${skipped.length} digits, skipped`;
  if (!isRead) return `${new Intl.ListFormat("en").format(skipped.map(String))}, skipped`;
  return `${digit}, ${tries > 1 ? `${tries} tries` : `${reading.percent} % sure`}`;
}

/** The tiles of the map: what the server sent of them, and which one is nearest to a place. Uses no DOM. */

const WRONG = 1; // bits of a tile's flags
const UNSURE = 2;
const CELLS = 64; // of the grid in which the nearest tile is searched, along each side
const LARGEST = 65535; // a coordinate of the right and the lower edge

/** Which tiles are shown: all, those that are read wrong, or those that the network is not sure of. */
export const SHOWN = { all: 0, wrong: WRONG, unsure: UNSURE };

/** All tiles, numbered in the order of their sheets; places are in fractions of the map's side. */
export class Tiles {
  #cells = new Map(); // the number of a grid cell -> the numbers of the tiles in it

  /** @param {string} records base64 of columns: index, x and y in two bytes each, digit and answer, flags. */
  constructor(records) {
    const { buffer } = Uint8Array.from(atob(records), (character) => character.charCodeAt(0));
    const count = buffer.byteLength / 8;
    /** How many there are. */
    this.count = count;
    /** The index of each in the gallery. */
    this.index = new Uint16Array(buffer, 0, count);
    const [x, y] = [1, 2].map((column) => new Uint16Array(buffer, 2 * column * count, count));
    const digits = new Uint8Array(buffer, 6 * count, count);
    this.x = Float32Array.from(x, (place) => place / LARGEST);
    this.y = Float32Array.from(y, (place) => place / LARGEST);
    /** The label of each, or its answer where it has none. */
    this.digit = digits.map((both) => both >> 4);
    /** The digit that each is read as. */
    this.answer = digits.map((both) => both & 15);
    this.flags = new Uint8Array(buffer, 7 * count, count);
    /** The numbers of those that are read wrong or not surely, in the order of their sheet. */
    this.hard = [...this.flags.keys()].filter((number) => this.flags[number]);
    /** The typical distance between neighbours. */
    this.spacing = this.#fill();
  }

  /** Whether a tile is among those that are shown. */
  isShown(number, shown) {
    return !shown || (this.flags[number] & shown) !== 0;
  }

  isWrong(number) {
    return (this.flags[number] & WRONG) !== 0;
  }

  isUnsure(number) {
    return (this.flags[number] & UNSURE) !== 0;
  }

  /** The number of the tile with an index in the gallery; -1 if there is none. */
  numberOf(index) {
    return this.index.indexOf(index);
  }

  /** The number of the nearest shown tile within a distance of a place; -1 if there is none. */
  nearest(x, y, within, shown = 0) {
    let [best, least] = [-1, within * within];
    const visit = (number) => {
      if (!this.isShown(number, shown)) return;
      const squared = (this.x[number] - x) ** 2 + (this.y[number] - y) ** 2;
      if (squared <= least) [best, least] = [number, squared];
    };
    if (shown) for (const number of this.hard) visit(number);
    else for (const cell of this.#cellsAround(x, y, within)) for (const number of cell) visit(number);
    return best;
  }

  *#cellsAround(x, y, within) {
    const [left, right, top, bottom] = [x - within, x + within, y - within, y + within].map(cellOf);
    for (let row = top; row <= bottom; row++) {
      for (let column = left; column <= right; column++) yield this.#cells.get(row * CELLS + column) ?? [];
    }
  }

  /** Put all tiles into the grid; returns the side of a tile's share of the cells that have tiles. */
  #fill() {
    for (let number = 0; number < this.count; number++) {
      const cell = cellOf(this.y[number]) * CELLS + cellOf(this.x[number]);
      if (!this.#cells.has(cell)) this.#cells.set(cell, []);
      this.#cells.get(cell).push(number);
    }
    return Math.sqrt(this.#cells.size / this.count) / CELLS;
  }
}

function cellOf(place) {
  return Math.min(CELLS - 1, Math.max(0, Math.floor(place * CELLS)));
}

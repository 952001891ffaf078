/** A drawing: what was done on the pad, step by step, and the strokes that are sent of it. Knows no DOM. */

import { load } from "./pictures.js";

/** Widths of the pens and the eraser, as fractions of the pad's side. */
export const WIDTHS = { fine: 12 / 280, medium: 20 / 280, broad: 28 / 280, eraser: 40 / 280 };
const NEAR = 1 / 200; // of the pad's side, between points of a stroke; nobody would see closer points
const STORE = "drawing"; // key in the tab's session storage

/**
 * Marks made on the pad, one after the other: strokes {points, tool}, pictures {picture, isInk} and {} where the pad was
 * cleared. Points are [x, y] in fractions of the pad's side, so that a drawing can be painted in any size.
 */
export class Drawing {
  #marks = [];
  #count = 0; // the number of marks that are not undone

  add(mark) {
    this.#marks = [...this.#marks.slice(0, this.#count), mark];
    this.#count += 1;
  }

  undo() {
    if (this.canUndo) this.#count -= 1;
  }

  redo() {
    if (this.canRedo) this.#count += 1;
  }

  get canUndo() {
    return this.#count > 0;
  }

  get canRedo() {
    return this.#count < this.#marks.length;
  }

  /** The marks that can be seen: none from before the last picture or clearing. */
  get visible() {
    const marks = this.#marks.slice(0, this.#count);
    const first = Math.max(0, marks.findLastIndex((mark) => !mark.points));
    return marks.slice(first).filter((mark) => mark.points || mark.picture);
  }

  get isEmpty() {
    return this.visible.every((mark) => mark.tool === "eraser");
  }

  /** Keep the drawing while the tab is open. One that is too large to be kept can still be drawn on. */
  save() {
    try {
      sessionStorage.setItem(STORE, JSON.stringify([this.#marks, this.#count]));
    } catch {
      sessionStorage.removeItem(STORE);
    }
  }

  /** Bring back the kept drawing; marks that were made meanwhile come after it. */
  /** Bring back the kept drawing; marks that were made meanwhile come after it. */
  async restore() {
    const [marks, count] = JSON.parse(sessionStorage.getItem(STORE) ?? "[[], 0]");
    await Promise.all(marks.filter((mark) => mark.picture).map(load));
    const since = this.#marks.slice(0, this.#count); // nobody waits for this before drawing
    this.#marks = since.length ? [...marks.slice(0, count), ...since] : marks;
    this.#count = count + since.length;
  }

  /** Forget what was kept, such as a drawing in the form of an older version. */
  static forget() {
    sessionStorage.removeItem(STORE);
  }
}

/** Add a point to a line, in place of the last one where that is too close to the one before to be seen. */
export function extendLine(line, point) {
  if (line.length > 1 && distance(line.at(-2), line.at(-1)) < NEAR) line.pop();
  line.push(point);
}

/** Strokes as the server reads them: JSON, with coordinates rounded to a tenth of a pixel. */
export function strokesOf(marks) {
  const strokes = marks.map(({ points, tool }) => ({
    points: points.map((point) => point.map(rounded)),
    width: WIDTHS[tool],
  }));
  return JSON.stringify(strokes);
}

function rounded(coordinate) {
  return Math.round(coordinate * 1e4) / 1e4;
}

/** The largest distance of points from the first of them. */
export function reach(points) {
  return points.reduce((most, point) => Math.max(most, distance(points[0], point)), 0);
}

function distance([x, y], [otherX, otherY]) {
  return Math.hypot(otherX - x, otherY - y);
}

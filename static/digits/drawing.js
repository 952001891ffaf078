/** A drawing: its marks with undo and redo, kept in the tab if it has a key, and its strokes as JSON. Uses no DOM. */

/** Widths of the pens and the eraser, in units of the pad. */
export const WIDTHS = { fine: 12 / 280, medium: 20 / 280, broad: 28 / 280, eraser: 40 / 280 };
const NEAR = 1 / 200; // units; nobody would see points of a stroke that are closer together
const FAR = 3; // units from the middle square, to which points are clamped; the server accepts no more

/**
 * Marks made on the pad, in order: strokes {points, tool, across}, pictures {picture, isInk, frame, across} and {} where
 * the pad was cleared. Points are [x, y] in units: the middle of the pad is a square from [0, 0] to [1, 1] that is as
 * high as the pad, and a wide pad goes on to both sides of it. So a drawing can be painted in any size. A frame is the
 * [left, top, width, height] of a picture, and `across` is how wide the pad was.
 */
export class Drawing {
  #marks = [];
  #count = 0; // the number of marks that are not undone
  #store;

  /** @param {?string} store - key in the session storage of the tab; without one, the drawing is not kept */
  constructor(store = null) {
    this.#store = store;
  }

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

  /**
   * The [width, height] in units that a pad shows that is `ratio` times as wide as high: enough for all that can be seen
   * of the drawing, perhaps made on a wider pad.
   */
  viewOf(ratio) {
    const width = Math.max(ratio, ...this.visible.map(neededWidth));
    return [width, width / ratio];
  }

  /** Keep the drawing while the tab is open. One that is too large to be kept can still be drawn on. */
  save() {
    if (!this.#store) return;
    try {
      sessionStorage.setItem(this.#store, JSON.stringify([this.#marks, this.#count]));
    } catch {
      this.forget();
    }
  }

  /** Bring back the kept drawing, its pictures prepared by `load`; marks that were made meanwhile come after it. */
  async restore(load) {
    const [marks, count] = JSON.parse(sessionStorage.getItem(this.#store) ?? "[[], 0]");
    await Promise.all(marks.filter((mark) => mark.picture).map(load));
    const since = this.#marks.slice(0, this.#count); // nobody waits for this before drawing
    this.#marks = since.length ? [...marks.slice(0, count), ...since] : marks;
    this.#count = count + since.length;
  }

  /** Forget what was kept, such as a drawing in the form of an older version. */
  forget() {
    sessionStorage.removeItem(this.#store);
  }
}

/** The width in units of a pad that shows all of a mark, except what was beside the pad already when it was made. */
function neededWidth({ points, tool, frame, across = 1 }) {
  const edges = points?.map(([x]) => Math.abs(x - 0.5) + WIDTHS[tool] / 2) ?? [frame[2] / 2];
  return Math.min(across, 2 * edges.reduce((most, edge) => Math.max(most, edge)));
}

/** The [left, top, width, height] of a view, which has the middle square in its middle. */
export function frameOf([width, height]) {
  return [(1 - width) / 2, (1 - height) / 2, width, height];
}

/** Keep a point within FAR of the middle square. */
export function clampToReach(point) {
  return point.map((coordinate) => clamp(coordinate, -FAR, 1 + FAR));
}

/** Keep a point in a view. */
export function clampToView([x, y], view) {
  const [left, top, width, height] = frameOf(view);
  return [clamp(x, left, left + width), clamp(y, top, top + height)];
}

function clamp(number, least, most) {
  return Math.min(most, Math.max(least, number));
}

/** Add a point to a line, in place of the last one where that is too close to the one before to be seen. */
export function extendLine(line, point) {
  if (line.length > 1 && distance(line.at(-2), line.at(-1)) < NEAR) line.pop();
  line.push(point);
}

/** Marks that are all strokes, as the JSON that the server reads. */
export function strokesOf(marks) {
  const strokes = marks.map(({ points, tool }) => ({
    points: points.map((point) => point.map(rounded)),
    width: WIDTHS[tool],
  }));
  return JSON.stringify(strokes);
}

/** Round to 1/10000 of a unit, far less than a pixel. */
export function rounded(coordinate) {
  return Math.round(coordinate * 1e4) / 1e4;
}

/** The largest distance of any point from the first one. */
export function reach(points) {
  return points.reduce((most, point) => Math.max(most, distance(points[0], point)), 0);
}

/** The distance of two points. */
export function distance([x, y], [otherX, otherY]) {
  return Math.hypot(otherX - x, otherY - y);
}

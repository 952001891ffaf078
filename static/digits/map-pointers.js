/** What fingers, a mouse and its wheel do on the map. It looks up nothing outside its canvas, and fires on it:
 *
 * - "pan", with detail {right, down}; "zoom", with detail {factor, left, top}: in CSS pixels from the canvas's corner
 * - "tap" and "point", with detail {left, top, type}: tapped, or pointed at by a mouse; "unpoint": no longer
 */

const STILL = 6; // CSS pixels that a finger may move in a tap
const WHEEL = 0.0018; // of the zoom's logarithm, for a CSS pixel of the wheel
const PINCH = 0.01; // the same for two fingers on a touchpad, which come as a wheel with Ctrl
const LINE = 16; // CSS pixels of a line, which some wheels count in

/** Listen to pointers on a canvas. */
export class MapPointers {
  #canvas;
  #pointers = new Map(); // id -> [left, top]
  #start = null; // where the first of them came down; null once it is no tap any more

  constructor(canvas) {
    this.#canvas = canvas;
    canvas.addEventListener("pointerdown", (event) => this.#touch(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => this.#lift(event));
    canvas.addEventListener("pointercancel", (event) => this.#forget(event));
    canvas.addEventListener("pointerleave", () => this.#fire("unpoint"));
    canvas.addEventListener("wheel", (event) => this.#roll(event), { passive: false });
  }

  #touch(event) {
    if (event.button !== 0 || this.#pointers.size === 2) return;
    this.#start = this.#pointers.size ? null : this.#place(event);
    this.#pointers.set(event.pointerId, this.#place(event));
    this.#canvas.setPointerCapture(event.pointerId);
  }

  #move(event) {
    const [left, top] = this.#place(event);
    const before = this.#pointers.get(event.pointerId);
    if (!before) {
      if (event.pointerType === "mouse") this.#fire("point", { left, top, type: "mouse" });
      return;
    }
    if (this.#start && distance(this.#start, [left, top]) < STILL) return;
    this.#start = null;
    const [formerMiddle, formerSpread] = this.#grip();
    this.#pointers.set(event.pointerId, [left, top]);
    const [middle, spread] = this.#grip();
    this.#fire("pan", { right: middle[0] - formerMiddle[0], down: middle[1] - formerMiddle[1] });
    if (formerSpread) this.#fire("zoom", { factor: spread / formerSpread, left: middle[0], top: middle[1] });
  }

  #lift(event) {
    const isTap = this.#start && this.#pointers.has(event.pointerId);
    const [left, top] = this.#place(event);
    this.#forget(event);
    if (isTap) this.#fire("tap", { left, top, type: event.pointerType });
  }

  #forget(event) {
    this.#pointers.delete(event.pointerId);
    this.#start = null;
  }

  #roll(event) {
    event.preventDefault(); // the page would scroll
    const [left, top] = this.#place(event);
    const pixels = event.deltaY * (event.deltaMode ? LINE : 1);
    this.#fire("zoom", { factor: Math.exp(-pixels * (event.ctrlKey ? PINCH : WHEEL)), left, top });
  }

  /** The middle of the pointers, and how far they are apart: 0 for one of them. */
  #grip() {
    const [first, second] = this.#pointers.values();
    if (!second) return [first, 0];
    return [[(first[0] + second[0]) / 2, (first[1] + second[1]) / 2], Math.max(1, distance(first, second))];
  }

  #place(event) {
    const box = this.#canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  #fire(name, detail) {
    this.#canvas.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

function distance([x, y], [otherX, otherY]) {
  return Math.hypot(otherX - x, otherY - y);
}

/**
 * The drawing pad, a widget in its form: a pointer, the keys and picture files become strokes or a picture in the form's
 * fields. It looks up nothing outside its form, and fires there:
 *
 * - "drawn", when the fields hold a drawing to send, also while the pen moves
 * - "superseded", before that and when the pad is emptied: answers to earlier drawings are out of date
 * - "changed", when a mark was made, undone or taken away; "emptied", when none is left
 * - "pen", with detail.isDown, when the keyboard's pen is set down or lifted
 */

import { Drawing, WIDTHS, extendLine, reach, strokesOf } from "./drawing.js";
import { paint, paintCursor, pictureOf } from "./painting.js";
import { dataUrl, load, reduced } from "./pictures.js";

const KEY_STEP = 1 / 40; // of the pad's side, that an arrow key moves the pen by
const LIVE_INTERVAL = 80; // ms between two states of a drawing that are sent while the pen moves
const READABLE = 0.15; // of the pad's side; a first stroke that reaches less far is not yet worth an answer
const FAR = 3; // times the pad's side; points are clamped to this distance, and the server accepts no more
const MAX_POINTS = 5000; // of a drawing that is sent as strokes; a digit has hundreds, a picture is smaller
const PALM_INTERVAL = 1000; // ms after a pen was seen, in which a touch is the hand that holds it

const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const TOOL_KEYS = { 1: "fine", 2: "medium", 3: "broad", e: "eraser" };

export class DrawingPad {
  #form;
  #canvas;
  #strokes;
  #file;
  #live;
  #drawing = new Drawing();
  #stroke = null; // under the pen
  #pointer = null; // the one pointer that draws
  #penSeen = -Infinity; // ms
  #cursor = null; // where the keys' pen is, once they are used
  #version = 0; // of the drawing that is to be sent
  #timer = null;

  constructor(form) {
    this.#form = form;
    this.#canvas = form.querySelector("canvas");
    this.#strokes = form.querySelector("[name=strokes]");
    this.#file = form.querySelector("[name=file]");
    this.#live = form.querySelector("[name=live]");

    this.#canvas.addEventListener("pointerdown", (event) => this.#touch(event));
    this.#canvas.addEventListener("pointermove", (event) => this.#move(event));
    this.#canvas.addEventListener("pointerup", (event) => this.#lift(event));
    this.#canvas.addEventListener("pointercancel", (event) => this.#cancel(event));
    // Or Chrome takes a quick stroke for a fling, and the next tap, on a button, for one that stops it.
    this.#canvas.addEventListener("touchmove", (event) => event.preventDefault(), { passive: false });
    this.#canvas.addEventListener("keydown", (event) => this.#steer(event));
    this.#canvas.addEventListener("blur", () => this.#leave());
    form.addEventListener("keydown", (event) => this.#choose(event));
    for (const action of ["undo", "redo", "clear"]) this.#button(action).addEventListener("click", () => this[action]());
    new ResizeObserver(() => this.#redraw()).observe(this.#canvas);
    window.addEventListener("resize", () => this.#redraw()); // a new device pixel ratio
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#redraw());
    form.hidden = false;
  }

  /** Show the drawing that was kept, and the tile that the page was asked for. */
  async begin() {
    await this.#drawing.restore().catch(() => Drawing.forget());
    const { tile } = this.#canvas.dataset;
    if (tile) this.#drawing.add(await load({ picture: tile, isInk: true }));
    if (this.#drawing.canUndo || this.#drawing.canRedo) this.#changed();
  }

  undo() {
    this.#drawing.undo();
    this.#changed();
  }

  redo() {
    this.#drawing.redo();
    this.#changed();
  }

  clear() {
    if (!this.#drawing.isEmpty || this.#stroke) this.#drawing.add({});
    this.#changed();
  }

  /** Put a picture file on the pad; one that the browser cannot decode is sent, and the server says what would be right. */
  async take(file) {
    try {
      this.#drawing.add(await load({ picture: await dataUrl(await reduced(file)), isInk: false }));
      this.#changed();
    } catch {
      this.#send("", file, false);
    }
  }

  #button(action) {
    return this.#form.querySelector(`[data-action=${action}]`);
  }

  get #tool() {
    return this.#form.elements.tool.value;
  }

  // The pointer

  #touch(event) {
    if (event.pointerType === "pen") this.#penSeen = event.timeStamp;
    const isPalm = event.pointerType === "touch" && event.timeStamp - this.#penSeen < PALM_INTERVAL;
    if (!event.isPrimary || event.button !== 0 || isPalm) return;
    if (this.#pointer !== null && event.pointerType !== "pen") return; // a pen replaces the palm that came before it
    this.#pointer = event.pointerId;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#cursor = null;
    this.#draw(this.#point(event));
  }

  #move(event) {
    if (event.pointerType === "pen") this.#penSeen = event.timeStamp;
    if (event.pointerId !== this.#pointer) return;
    const between = event.getCoalescedEvents?.() ?? []; // what the browser held back since the last frame
    this.#extend((between.length ? between : [event]).map((each) => this.#point(each)));
  }

  #lift(event) {
    if (event.pointerId === this.#pointer) this.#keep();
  }

  /** The browser takes a touch back, as of a palm; what a mouse or a pen drew until then was meant. */
  #cancel(event) {
    if (event.pointerId !== this.#pointer) return;
    if (event.pointerType === "touch") this.#drop();
    else this.#keep();
  }

  /** From CSS pixels to fractions of the pad's side; nothing else converts them. */
  #point(event) {
    const box = this.#canvas.getBoundingClientRect();
    const point = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    return point.map((share) => Math.min(1 + FAR, Math.max(-FAR, share)));
  }

  // The keys

  #steer(event) {
    const direction = DIRECTIONS[event.key];
    if (event.key === " ") {
      this.#cursor ??= [0.5, 0.5];
      if (this.#stroke) this.#keep();
      else this.#draw(this.#cursor);
      this.#fire("pen", { isDown: this.#stroke !== null });
    } else if (direction) {
      const [x, y] = this.#cursor ?? [0.5, 0.5];
      const moved = [x + direction[0] * KEY_STEP, y + direction[1] * KEY_STEP];
      this.#cursor = moved.map((share) => Math.min(1, Math.max(0, share)));
      if (this.#stroke) this.#extend([this.#cursor]);
      else this.#redraw();
    } else return;
    event.preventDefault(); // the page would scroll
  }

  #leave() {
    this.#cursor = null;
    if (this.#stroke && this.#pointer === null) this.#keep();
    else this.#redraw();
  }

  /** Letters choose tools only beside the pad: elsewhere they may be commands to assistive technology. */
  #choose(event) {
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (key in TOOL_KEYS) this.#form.elements.tool.value = TOOL_KEYS[key];
    else if (key === "delete") this.clear();
    else return;
    event.preventDefault();
  }

  // The drawing

  #draw(point) {
    this.#stroke = { points: [point], tool: this.#tool };
    this.#redraw();
  }

  #extend(points) {
    for (const point of points) extendLine(this.#stroke.points, point);
    this.#redraw();
    this.#timer ??= setTimeout(() => this.#sendLive(), LIVE_INTERVAL);
  }

  #keep() {
    this.#drawing.add(this.#stroke);
    this.#changed();
  }

  /** Forget the stroke under the pen. */
  #drop() {
    this.#stroke = this.#pointer = null;
    this.#changed();
  }

  #changed() {
    this.#stroke = this.#pointer = null; // a stroke that is undone or cleared under the pen is over
    this.#redraw();
    this.#drawing.save();
    const { canUndo, canRedo, isEmpty } = this.#drawing;
    const disabled = { undo: !canUndo, redo: !canRedo, clear: isEmpty, explain: isEmpty };
    for (const [action, isDisabled] of Object.entries(disabled)) {
      const button = this.#button(action);
      if (isDisabled && button === document.activeElement) this.#canvas.focus(); // or the focus would be nowhere
      button.disabled = isDisabled;
    }
    this.#fire("changed");
    if (isEmpty) this.#forget();
    else this.#sendDrawing(false);
  }

  #redraw() {
    const side = Math.round(this.#canvas.clientWidth * devicePixelRatio);
    if (this.#canvas.width !== side) this.#canvas.width = this.#canvas.height = side;
    const context = this.#canvas.getContext("2d");
    const colour = getComputedStyle(this.#canvas).color;
    context.clearRect(0, 0, side, side);
    paint(context, this.#marks, side, colour);
    if (this.#cursor) paintCursor(context, this.#cursor, WIDTHS[this.#tool], side, colour);
  }

  get #marks() {
    return this.#stroke ? [...this.#drawing.visible, this.#stroke] : this.#drawing.visible;
  }

  // What is sent

  #sendLive() {
    this.#timer = null;
    if (!this.#stroke || (this.#drawing.isEmpty && reach(this.#stroke.points) < READABLE)) return;
    this.#sendDrawing(true);
  }

  async #sendDrawing(isLive) {
    const version = ++this.#version;
    const marks = this.#marks;
    // The server inks strokes itself: they still know of the loops that a thick pen fills.
    const isInked = marks.every((mark) => mark.points && mark.tool !== "eraser");
    if (isInked && marks.flatMap((mark) => mark.points).length <= MAX_POINTS) {
      return this.#send(strokesOf(marks), null, isLive);
    }
    const picture = await pictureOf(marks);
    if (version === this.#version) this.#send("", picture, isLive);
  }

  #send(strokes, picture, isLive) {
    const files = new DataTransfer();
    if (picture) files.items.add(new File([picture], picture.name ?? "drawing", { type: picture.type }));
    this.#strokes.value = strokes;
    this.#file.files = files.files;
    this.#live.disabled = !isLive;
    if (!isLive) this.#fire("superseded");
    this.#fire("drawn");
  }

  #forget() {
    this.#version += 1;
    this.#strokes.value = this.#file.value = "";
    this.#fire("superseded");
    this.#fire("emptied");
  }

  #fire(name, detail) {
    this.#form.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

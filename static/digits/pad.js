/**
 * The drawing pad, a widget in its form: it turns a pointer, keys and picture files into strokes or a picture in the
 * form's fields. A photo can be zoomed and moved, and what is seen of it is sent. The form may have fewer tools and
 * buttons than the page `/draw/`. The pad looks up nothing outside its form, and fires these events on it:
 *
 * - "begun": a stroke was begun
 * - "drawn": the fields hold a drawing to send, finished or, with the field "live" enabled, still under the pen
 * - "superseded": answers to earlier drawings are out of date; comes before the "drawn" of a finished drawing
 * - "changed": a mark was made, undone, redone or cleared; "emptied": no ink is left; "cleared": by Clear or its key
 * - "unreadable", with detail.file: a file was given that the browser cannot decode as a picture
 * - "pen", with detail.isDown: the keyboard's pen was set down or lifted
 */

import { Drawing, WIDTHS, clampToReach, clampToView } from "./drawing.js";
import { distance, extendLine, reach, rounded, strokesOf } from "./drawing.js";
import { isPhoto, paintPad, pictureOf, sentFrame } from "./painting.js";
import { dataUrl, load, reduced } from "./pictures.js";
import { Tools } from "./tools.js";
import { UNZOOMED, movedBy, seenFrame, zoomedAt } from "./zoom.js";

const KEY_STEP = 1 / 40; // of an arrow key, in units
const LIVE_INTERVAL = 80; // ms between two drawings sent while the pen moves
const NETWORK_INTERVAL = 50; // the same while the network is watched, so that it moves
const READABLE = 0.15; // reach of a first stroke, in units, from which it is sent while drawn
const MAX_POINTS = 5000; // a drawing with more is sent as a picture, which is smaller; a digit has hundreds
const PALM_INTERVAL = 1000; // ms after a pen event during which a touch counts as the hand that holds the pen
const ZOOM_STEP = 1.5; // times larger, by a button or a key
const WHEEL = 1 / 300; // of the logarithm of the scale, for each pixel that a wheel turns
const SETTLED = 200; // ms without zooming, after which what is seen is read
const NARROW = 1.2; // width of a pad, in units, that has room for a number only if its digits are small
const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const ZOOM_KEYS = { "+": ZOOM_STEP, "=": ZOOM_STEP, "-": 1 / ZOOM_STEP };

export class DrawingPad {
  #form;
  #canvas;
  #fields;
  #tools;
  #drawing;
  #store;
  #stroke = null; // the stroke under the pen
  #pointer = null; // the one pointer that draws or moves the photo
  #touches = new Map(); // the last event of each finger on the pad
  #penSeen = -Infinity; // ms
  #cursor = null; // the place of the keyboard's pen, once the keys are used
  #version = 0; // of the latest drawing to send
  #timer = null;
  #settling = null; // the timer of a zoom

  /**
   * @param {HTMLFormElement} form
   * @param {?string} store - key in the session storage of the tab; without one, the drawing is not kept
   */
  constructor(form, store = null) {
    this.#form = form;
    this.#drawing = new Drawing((this.#store = store));
    this.#canvas = form.querySelector("canvas");
    this.#fields = form.elements;
    this.#tools = new Tools(form, this.#ownView[0] < NARROW);

    this.#canvas.addEventListener("pointerdown", (event) => this.#touch(event));
    this.#canvas.addEventListener("pointermove", (event) => this.#move(event));
    this.#canvas.addEventListener("pointerup", (event) => this.#lift(event));
    this.#canvas.addEventListener("pointercancel", (event) => this.#cancel(event));
    // Otherwise Chrome takes a quick stroke for a fling, and the next tap, on a button, for its end.
    this.#canvas.addEventListener("touchmove", (event) => event.preventDefault(), { passive: false });
    this.#canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.#canvas.addEventListener("keydown", (event) => this.#steer(event));
    this.#canvas.addEventListener("blur", () => this.#leave());
    form.addEventListener("keydown", (event) => this.#choose(event));
    for (const action of ["undo", "redo", "clear"]) {
      this.#button(action)?.addEventListener("click", () => this[action]());
    }
    this.#button("zoom-in")?.addEventListener("click", () => this.#zoom(ZOOM_STEP));
    this.#button("zoom-out")?.addEventListener("click", () => this.#zoom(1 / ZOOM_STEP));
    new ResizeObserver(() => this.redraw()).observe(this.#canvas);
    window.addEventListener("resize", () => this.redraw()); // a new device pixel ratio
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
  }

  /** Show the drawing that was kept, and the tile that the page was asked for. */
  async begin() {
    await this.#drawing.restore((mark) => load(mark)).catch(() => this.#drawing.forget());
    const { tile } = this.#canvas.dataset;
    if (tile) this.#drawing.add(await load({ picture: tile, isInk: true }));
    if (this.#drawing.canUndo || this.#drawing.canRedo) this.#changed();
    else this.#tools.takePen();
  }

  /** Send the drawing once more, if there is one, as where the fields ask for more than before. */
  send() {
    if (!this.#drawing.isEmpty) this.#sendDrawing(false);
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
    this.#fire("cleared");
  }

  /** Begin another drawing on an empty pad, with nothing to undo. */
  renew() {
    this.#drawing = new Drawing(this.#store);
    this.#changed();
  }

  /** Put a picture file on the pad. One that the browser cannot decode leaves the drawing as it is. */
  async take(file) {
    try {
      this.#drawing.add(await load({ picture: await dataUrl(await reduced(file)), isInk: false }, this.#ownView));
      this.#changed();
    } catch {
      this.#fire("unreadable", { file });
    }
  }

  #button(action) {
    return this.#form.querySelector(`[data-action=${action}]`);
  }

  // The pointer

  #touch(event) {
    if (event.pointerType === "touch") this.#touches.set(event.pointerId, event);
    if (this.#photo && this.#touches.size === 2) {
      if (this.#stroke) this.#drop(); // the first of two fingers drew nothing
      this.#pointer = null;
      return;
    }
    if (event.pointerType === "pen") this.#penSeen = event.timeStamp;
    const isPalm = event.pointerType === "touch" && event.timeStamp - this.#penSeen < PALM_INTERVAL;
    if (!event.isPrimary || event.button !== 0 || isPalm) return;
    if (this.#pointer !== null && event.pointerType !== "pen") return; // a pen replaces the palm that came before it
    this.#pointer = event.pointerId;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#cursor = null;
    if (this.#tools.current === "move") this.#touches.set(event.pointerId, event);
    else this.#draw(this.#point(event));
  }

  #move(event) {
    if (event.pointerType === "pen") this.#penSeen = event.timeStamp;
    if (this.#touches.has(event.pointerId) && !this.#stroke) return this.#drag(event);
    if (event.pointerId !== this.#pointer || !this.#stroke) return;
    const between = event.getCoalescedEvents?.() ?? []; // what the browser held back since the last frame
    this.#extend((between.length ? between : [event]).map((each) => this.#point(each)));
  }

  #lift(event) {
    this.#touches.delete(event.pointerId);
    if (event.pointerId !== this.#pointer) return;
    if (this.#stroke) this.#keep();
    else this.#pointer = null;
  }

  /** Drop the stroke of a cancelled touch, which may be a palm; keep the stroke of a cancelled mouse or pen. */
  #cancel(event) {
    this.#touches.delete(event.pointerId);
    if (event.pointerId !== this.#pointer) return;
    if (!this.#stroke) this.#pointer = null;
    else if (event.pointerType === "touch") this.#drop();
    else this.#keep();
  }

  /** Convert CSS pixels to units; only this method does so. */
  #point(event) {
    const box = this.#canvas.getBoundingClientRect();
    const [left, top, width] = this.#seen;
    const unit = box.width / width;
    return clampToReach([left + (event.clientX - box.left) / unit, top + (event.clientY - box.top) / unit]);
  }

  // The zoom of a photo

  get #photo() {
    const marks = this.#drawing.visible;
    return isPhoto(marks) ? marks[0] : null;
  }

  #wheel(event) {
    if (!this.#photo) return; // the page scrolls
    event.preventDefault();
    this.#zoom(Math.exp(-event.deltaY * WHEEL), this.#point(event));
  }

  /** Move the photo by one pointer; with two fingers, zoom it by their distance, too. */
  #drag(event) {
    const before = [...this.#touches.values()].map((each) => this.#point(each));
    const fingers = [...this.#touches.keys()];
    const moved = fingers.indexOf(event.pointerId);
    const after = this.#point(event);
    this.#touches.set(event.pointerId, event);
    if (!this.#photo || (!this.#photo.zoom && fingers.length < 2)) return;
    const by = before[moved].map((place, axis) => (place - after[axis]) / fingers.length);
    this.#photo.zoom = movedBy(this.#photo.zoom ?? UNZOOMED, by, this.#view);
    const other = before[1 - moved];
    if (fingers.length === 2) this.#zoom(distance(after, other) / (distance(before[moved], other) || 1), other);
    else this.#show();
  }

  /** Zoom the photo by so many times, around a point in units or the middle of what is seen. */
  #zoom(factor, point = null) {
    const photo = this.#photo;
    if (!photo) return;
    const [left, top, width, height] = this.#seen;
    photo.zoom = zoomedAt(photo.zoom ?? UNZOOMED, factor, point ?? [left + width / 2, top + height / 2], this.#view);
    this.#show();
  }

  /** Paint what is seen now, and have it read when it stays. */
  #show() {
    this.redraw();
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#changed(), SETTLED);
  }

  /** The [left, top, width, height] of what is seen. */
  get #seen() {
    return seenFrame(this.#view, this.#photo?.zoom ?? UNZOOMED);
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
      this.#cursor = clampToView([x + direction[0] * KEY_STEP, y + direction[1] * KEY_STEP], this.#view);
      if (this.#stroke) this.#extend([this.#cursor]);
      else this.redraw();
    } else return;
    event.preventDefault(); // the page would scroll
  }

  #leave() {
    this.#cursor = null;
    if (this.#stroke && this.#pointer === null) this.#keep();
    else this.redraw();
  }

  /** Letters choose tools only beside the pad: elsewhere they may be commands to assistive technology. */
  #choose(event) {
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (key in ZOOM_KEYS && this.#photo) this.#zoom(ZOOM_KEYS[key]);
    else if (Tools.of(key) && (key !== "m" || this.#photo)) this.#tools.take(Tools.of(key));
    else if (key === "delete") this.clear();
    else return;
    event.preventDefault();
  }

  // The drawing

  #draw(point) {
    if (this.#tools.current === "eraser" && this.#drawing.isEmpty) return;
    this.#stroke = { points: [point], tool: this.#tools.current, across: this.#view[0] };
    this.#fire("begun");
    this.redraw();
    this.#enable();
  }

  #extend(points) {
    for (const point of points) extendLine(this.#stroke.points, point);
    this.redraw();
    const isWatched = this.#form.elements.network?.disabled === false;
    this.#timer ??= setTimeout(() => this.#sendLive(), isWatched ? NETWORK_INTERVAL : LIVE_INTERVAL);
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
    clearTimeout(this.#settling);
    this.#form.classList.toggle("has-photo", this.#photo !== null);
    if (this.#drawing.isEmpty || (!this.#photo && this.#tools.current === "move")) this.#tools.takePen();
    this.redraw();
    this.#drawing.save();
    this.#enable();
    this.#fire("changed");
    if (this.#drawing.isEmpty) this.#forget();
    else this.#sendDrawing(false);
  }

  /** Enable the buttons that have something to do, also for the stroke under the pen. */
  #enable() {
    const { canUndo, canRedo } = this.#drawing;
    const isEmpty = this.#drawing.isEmpty && !this.#stroke;
    const disabled = { undo: !canUndo, redo: !canRedo, clear: isEmpty, explain: isEmpty, place: isEmpty };
    for (const [action, isDisabled] of Object.entries(disabled)) {
      const button = this.#button(action);
      if (!button) continue; // what is done with a drawing differs from page to page
      if (isDisabled && button === document.activeElement) this.#canvas.focus(); // or nothing would have the focus
      button.disabled = isDisabled;
    }
  }

  /** Paint the drawing, and lay out the boxes of its answer. */
  redraw() {
    paintPad(this.#canvas, this.marks, this.#seen, this.#cursor, WIDTHS[this.#tools.current]);
    const viewBox = this.#seen.map((length) => rounded(100 * length)).join(" ");
    this.#form.querySelector(".boxes").setAttribute("viewBox", viewBox);
  }

  /** The [width, height] in units that the pad shows unless a photo is zoomed. */
  get #view() {
    return this.#drawing.viewOf(this.#ownView[0]);
  }

  /** The same for an empty pad, which is as high as a unit. */
  get #ownView() {
    const { clientWidth, clientHeight } = this.#canvas;
    return [clientHeight ? clientWidth / clientHeight : 1, 1];
  }

  /** The marks that can be seen, as `paint` takes them. */
  get marks() {
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
    const { marks } = this;
    // Strokes are better than a picture: the server still sees the loops that a thick pen fills.
    const isInked = marks.every((mark) => mark.points && mark.tool !== "eraser");
    if (isInked && marks.flatMap((mark) => mark.points).length <= MAX_POINTS) {
      return this.#send(strokesOf(marks), null, isLive);
    }
    const frame = sentFrame(marks, this.#view, this.#seen);
    const picture = await pictureOf(marks, this.#view, this.#seen);
    if (version === this.#version) this.#send("", picture, isLive, frame);
  }

  /** Fill the fields and fire "drawn"; `frame` is where on the pad the picture lies, if it is on it. */
  #send(strokes, picture, isLive, frame = null) {
    const files = new DataTransfer();
    if (picture) files.items.add(new File([picture], picture.name ?? "drawing", { type: picture.type }));
    this.#fields.strokes.value = strokes;
    this.#fields.file.files = files.files;
    this.#fields.pad.value = JSON.stringify(this.#view.map(rounded));
    this.#fields.frame.value = frame ? JSON.stringify(frame.map(rounded)) : "";
    this.#fields.live.disabled = !isLive;
    if (!isLive) this.#fire("superseded");
    this.#fire("drawn");
  }

  #forget() {
    this.#version += 1;
    this.#fields.strokes.value = this.#fields.file.value = "";
    this.#fire("superseded");
    this.#fire("emptied");
  }

  #fire(name, detail) {
    this.#form.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/**
 * The drawing pad: turns what a pointer, the keys and picture files bring into strokes, or a picture, in the form's
 * fields and fires "drawn" on the form, while the pen moves and when it is lifted. Whoever listens, here htmx, sends it.
 */

const WIDTHS = { fine: 12 / 280, medium: 20 / 280, broad: 28 / 280, eraser: 40 / 280 }; // of the pad's side
const KEY_STEP = 1 / 40; // of the pad's side, that an arrow key moves the pen by
const DRAWING_SIDE = 280; // pixels of the picture that is sent of a drawing, whatever the screen
const PHOTO_SIDE = 1000; // pixels along the longer side of a photo that was too large to be sent as it is
const LARGE = { bytes: 500_000, side: 2000 };
const SAMPLES = 32; // along each side of a picture, to tell whether it is dark
const LIVE_INTERVAL = 80; // ms between two states of a drawing that are sent while the pen moves
const READABLE = 0.15; // of the pad's side; a first stroke that reaches less far is not yet worth an answer
const FAR = 3; // times the pad's side; what is further off the pad than this is kept as this far, as the server asks
const NEAR = 1 / 200; // of the pad's side, between points of a stroke; closer ones nobody would see
const MAX_POINTS = 5000; // of a drawing that is sent as strokes; a digit has hundreds, a picture is smaller
const PALM_INTERVAL = 1000; // ms after a pen was seen, in which a touch is the hand that holds it
const STORE = "drawing";

const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const TOOL_KEYS = { 1: "fine", 2: "medium", 3: "broad", e: "eraser" };

/**
 * What was done to the pad, one mark after the other: strokes {points, tool}, pictures {picture, isInk} and {} where it
 * was cleared. Points are [x, y] in shares of the pad's side, so that any size can be drawn from them.
 */
class Drawing {
  #marks = [];
  #count = 0; // of the marks that are not undone

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

  /** What there is to see: nothing before the last picture or clearing. */
  get visible() {
    const marks = this.#marks.slice(0, this.#count);
    const first = Math.max(0, marks.findLastIndex((mark) => !mark.points));
    return marks.slice(first).filter((mark) => mark.points || mark.picture);
  }

  get isEmpty() {
    return this.visible.every((mark) => mark.tool === "eraser");
  }

  /** For as long as the tab is open. What is too large to be kept can still be drawn on. */
  save() {
    try {
      sessionStorage.setItem(STORE, JSON.stringify([this.#marks, this.#count]));
    } catch {
      sessionStorage.removeItem(STORE);
    }
  }

  async restore() {
    const [marks, count] = JSON.parse(sessionStorage.getItem(STORE) ?? "[[], 0]");
    await Promise.all(marks.filter((mark) => mark.picture).map(load));
    const since = this.#marks.slice(0, this.#count); // nobody waits for this before drawing
    this.#marks = since.length ? [...marks.slice(0, count), ...since] : marks;
    this.#count = count + since.length;
  }
}

class DrawingPad {
  #form;
  #canvas;
  #strokes;
  #file;
  #live;
  #prediction = document.querySelector("#prediction");
  #explanation = document.querySelector("#explanation");
  #nothingDrawn = document.querySelector("#nothing-drawn");
  #announcement = document.querySelector("#announcement");
  #drawing = new Drawing();
  #stroke = null; // under the pen
  #pointer = null; // the one pointer that draws
  #penSeen = -Infinity; // ms
  #cursor = null; // where the keys' pen is, once they are used
  #version = 0; // of what is to be sent
  #timer = null;
  #isWithdrawing = false;

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
    document.addEventListener("keydown", (event) => this.#shortcut(event));
    for (const action of ["undo", "redo", "clear"]) this.#button(action).addEventListener("click", () => this.#do(action));

    document.addEventListener("paste", (event) => this.#take(event, event.clipboardData.files));
    document.addEventListener("drop", (event) => this.#take(event, event.dataTransfer.files));
    document.addEventListener("dragover", (event) => this.#hover(event));
    document.addEventListener("dragleave", (event) => this.#hover(event));
    const upload = document.querySelector(".upload");
    upload.addEventListener("change", (event) => {
      this.#take(event, event.target.files);
      upload.reset();
    });
    upload.classList.add("reads-at-once");

    this.#explanation.addEventListener("htmx:afterSwap", () => this.#explanation.scrollIntoView({ block: "nearest" }));
    form.addEventListener("htmx:beforeRequest", (event) => this.#isWithdrawing && event.preventDefault());
    new ResizeObserver(() => this.#redraw()).observe(this.#canvas);
    window.addEventListener("resize", () => this.#redraw()); // a new device pixel ratio
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#redraw());
    form.hidden = false;
    this.#begin();
  }

  /** What was drawn before, or the tile that the page was asked for. */
  async #begin() {
    if (document.readyState !== "complete") {
      await new Promise((resolve) => addEventListener("load", resolve, { once: true })); // until htmx listens
    }
    await this.#drawing.restore().catch(() => sessionStorage.removeItem(STORE)); // as an older version of this kept it
    const { tile } = this.#canvas.dataset;
    if (tile) {
      this.#drawing.add(await load({ picture: tile, isInk: true }));
      history.replaceState(history.state, "", location.pathname); // or reloading would bring the tile back
    }
    if (this.#drawing.canUndo || this.#drawing.canRedo) this.#changed();
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
    if (event.pointerType === "touch") this.#changed();
    else this.#keep();
  }

  /** From CSS pixels to shares of the pad's side: the only place. */
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
      this.#announcement.textContent = this.#stroke ? "Pen down." : "Pen up.";
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

  /** Letters alone only beside the pad: elsewhere they may be commands to assistive technology. */
  #shortcut(event) {
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) {
      if (key === "y" || (key === "z" && event.shiftKey)) this.#do("redo");
      else if (key === "z") this.#do("undo");
      else return;
    } else if (!event.altKey && this.#form.contains(document.activeElement)) {
      if (key in TOOL_KEYS) this.#form.elements.tool.value = TOOL_KEYS[key];
      else if (key === "delete") this.#do("clear");
      else return;
    } else return;
    event.preventDefault();
  }

  // Pictures

  #hover(event) {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault(); // or the browser would open the file in place of the page
    const leavesThePage = event.type === "dragleave" && event.relatedTarget === null;
    this.#form.classList.toggle("awaits-picture", !leavesThePage);
  }

  async #take(event, [file]) {
    this.#form.classList.remove("awaits-picture");
    if (!file) return;
    event.preventDefault();
    try {
      this.#drawing.add(await load({ picture: await dataUrl(await reduced(file)), isInk: false }));
      this.#changed();
    } catch {
      this.#send("", file, false); // no picture that the browser knows: the server says what would be right
    }
  }

  // The drawing

  #draw(point) {
    this.#stroke = { points: [point], tool: this.#tool };
    this.#redraw();
  }

  #extend(points) {
    const line = this.#stroke.points;
    for (const point of points) {
      if (line.length > 1 && distance(line.at(-2), line.at(-1)) < NEAR) line.pop(); // it only showed where the pen was
      line.push(point);
    }
    this.#redraw();
    this.#timer ??= setTimeout(() => this.#sendLive(), LIVE_INTERVAL);
  }

  #keep() {
    this.#drawing.add(this.#stroke);
    this.#changed();
  }

  #do(action) {
    if (action === "clear") {
      if (!this.#drawing.isEmpty || this.#stroke) this.#drawing.add({});
    } else this.#drawing[action]();
    this.#changed();
  }

  #changed() {
    this.#stroke = this.#pointer = null; // undone or cleared under the pen, the stroke is over
    this.#redraw();
    this.#drawing.save();
    const { canUndo, canRedo, isEmpty } = this.#drawing;
    const disabled = { undo: !canUndo, redo: !canRedo, clear: isEmpty, explain: isEmpty };
    for (const [action, isDisabled] of Object.entries(disabled)) {
      const button = this.#button(action);
      if (isDisabled && button === document.activeElement) this.#canvas.focus(); // or the focus would be nowhere
      button.disabled = isDisabled;
    }
    this.#explanation.replaceChildren(); // it was of another drawing
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
    if (!isLive) this.#withdraw();
    this.#form.dispatchEvent(new Event("drawn"));
  }

  #forget() {
    this.#version += 1;
    this.#strokes.value = this.#file.value = "";
    this.#withdraw();
    this.#prediction.replaceChildren(this.#nothingDrawn.content.cloneNode(true));
  }

  /** Requests on their way, and the one that waits behind them, are of a drawing that is no more. */
  #withdraw() {
    this.#isWithdrawing = true;
    // htmx looks for an element in the detail before the target.
    this.#prediction.dispatchEvent(new CustomEvent("htmx:abort", { bubbles: true, detail: {} }));
    this.#isWithdrawing = false;
  }
}

/** By picture: how it is painted. */
const painters = new Map();

/** Get a mark's picture ready to be painted; fails where it is none. */
async function load(mark) {
  const image = new Image();
  image.src = mark.picture;
  await image.decode();
  painters.set(mark.picture, mark.isInk ? inkOf(image) : photoOf(image));
  return mark;
}

/** A picture that is itself what was drawn, white on black: in the pen's colour, and see-through where there is none. */
function inkOf(image) {
  const [stencil, context] = canvasOf(image.width, image.height);
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, image.width, image.height);
  for (let i = 0; i < pixels.data.length; i += 4) pixels.data[i + 3] = pixels.data[i];
  context.putImageData(pixels, 0, 0);
  return {
    frame: [0, 0, 1, 1],
    side: DRAWING_SIDE,
    paint(target, colour) {
      context.globalCompositeOperation = "source-in";
      context.fillStyle = colour;
      context.fillRect(0, 0, stencil.width, stencil.height);
      target.drawImage(stencil, 0, 0, 1, 1);
    },
  };
}

/** A picture to draw on, as large as fits on the pad, and the colour that shows on it. */
function photoOf(image) {
  const side = Math.max(image.naturalWidth, image.naturalHeight);
  const [width, height] = [image.naturalWidth / side, image.naturalHeight / side];
  const frame = [(1 - width) / 2, (1 - height) / 2, width, height];
  return {
    frame,
    side,
    colour: brightness(image) < 110 ? "white" : "black",
    paint: (target) => target.drawImage(image, ...frame),
  };
}

/** The mean of a picture on white paper, of samples: drawn on one pixel, Firefox shows the middle of it. */
function brightness(image) {
  const [, context] = canvasOf(SAMPLES, SAMPLES);
  context.fillStyle = "white";
  context.fillRect(0, 0, SAMPLES, SAMPLES);
  context.drawImage(image, 0, 0, SAMPLES, SAMPLES);
  const { data } = context.getImageData(0, 0, SAMPLES, SAMPLES);
  let sum = 0;
  for (let i = 0; i < data.length; i += 4) sum += data[i] + data[i + 1] + data[i + 2];
  return sum / (3 * SAMPLES * SAMPLES);
}

/** Paint marks on a pad of so many pixels: lines as curves from middle to middle of the points, bent towards them. */
function paint(context, marks, side, colour) {
  const photo = painters.get(marks[0]?.picture);
  context.save();
  context.scale(side, side);
  context.imageSmoothingQuality = "high";
  context.lineCap = context.lineJoin = "round";
  context.strokeStyle = photo?.colour ?? colour;
  if (photo) {
    context.beginPath();
    context.rect(...photo.frame);
    context.clip();
    photo.paint(context, colour);
  }
  for (const { points, tool } of marks.filter((mark) => mark.points)) {
    context.globalCompositeOperation = tool === "eraser" ? "destination-out" : "source-over";
    context.lineWidth = WIDTHS[tool];
    context.beginPath();
    context.moveTo(...points[0]);
    for (let i = 1; i < points.length - 1; i++) {
      const [[x, y], [nextX, nextY]] = [points[i], points[i + 1]];
      context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
    }
    const [x, y] = points.at(-1);
    context.lineTo(x + 1e-5, y); // a line of no length would leave no dot
    context.stroke();
  }
  context.restore();
}

function paintCursor(context, [x, y], width, side, colour) {
  context.strokeStyle = colour;
  context.lineWidth = 2 * devicePixelRatio;
  context.beginPath();
  context.arc(x * side, y * side, (width * side) / 2 + 4 * devicePixelRatio, 0, 2 * Math.PI);
  context.stroke();
}

function strokesOf(marks) {
  const strokes = marks.map(({ points, tool }) => ({
    points: points.map((point) => point.map(rounded)),
    width: WIDTHS[tool],
  }));
  return JSON.stringify(strokes);
}

/** A share of the pad's side, to a tenth of a pixel. */
function rounded(share) {
  return Math.round(share * 1e4) / 1e4;
}

/** What is sent of other marks: a photo that nothing was drawn on as it is, anything else as black on white. */
function pictureOf(marks) {
  const photo = painters.get(marks[0]?.picture);
  if (marks.length === 1 && photo?.colour) return blobOf(marks[0].picture);
  const { frame, side } = photo ?? { frame: [0, 0, 1, 1], side: DRAWING_SIDE };
  const [left, top, width, height] = frame.map((share) => Math.round(share * side));
  const [canvas, context] = canvasOf(width, height);
  context.translate(-left, -top);
  paint(context, marks, side, "black");
  context.globalCompositeOperation = "destination-over";
  context.fillStyle = "white";
  context.fillRect(left, top, width, height);
  return new Promise((resolve) => canvas.toBlob(resolve));
}

/** A picture file as it is, or as JPEG with fewer pixels where it is large or of a type that the server doesn't read. */
async function reduced(file) {
  const bitmap = await createImageBitmap(file);
  const longer = Math.max(bitmap.width, bitmap.height);
  if (["image/png", "image/jpeg"].includes(file.type) && file.size <= LARGE.bytes && longer <= LARGE.side) return file;
  const scale = Math.min(1, PHOTO_SIDE / longer);
  const [canvas, context] = canvasOf(Math.round(bitmap.width * scale), Math.round(bitmap.height * scale));
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.9));
}

function dataUrl(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result));
    reader.addEventListener("error", () => reject(reader.error));
    reader.readAsDataURL(blob);
  });
}

function blobOf(url) {
  const [, type, base64] = url.match(/^data:([^;]*);base64,(.*)$/s);
  return new Blob([Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))], { type });
}

function canvasOf(width, height) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [Math.max(1, width), Math.max(1, height)];
  return [canvas, canvas.getContext("2d")];
}

/** How far points are from the first of them. */
function reach(points) {
  return points.reduce((most, point) => Math.max(most, distance(points[0], point)), 0);
}

function distance([x, y], [otherX, otherY]) {
  return Math.hypot(otherX - x, otherY - y);
}

for (const form of document.querySelectorAll(".drawing-pad")) new DrawingPad(form);

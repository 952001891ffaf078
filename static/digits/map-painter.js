/** Paints the map: dots from afar, the tiles' pictures from near, the digits on their islands, marks and a drawing. */

import { SHOWN } from "./map-tiles.js";

const NEAR = 12; // CSS pixels between neighbours from which their pictures are shown
const NAMED = 5; // zoom up to which the digits stand on their islands
const LEGIBLE = 56; // CSS pixels of a picture that has room for words
const LEAST_HARD = 24; // CSS pixels of a picture of a mistake among faint dots
const AROUND = 0.25; // of the canvas's width and height, by which the kept pictures reach beyond it on each side
const MOST_STRETCHED = 1.4; // times the size at which they were painted
const SHARPEST = 2; // device pixels to a CSS pixel; more would only cost time

/** Paints one canvas. */
export class Painter {
  #canvas;
  #context;
  #tiles;
  #sheets;
  #names;
  #sizes;
  #image = null; // pixels of the dots
  #colours = null;
  #kept = null; // {canvas, x, y, side, picture}: the pictures around a place, the map's side and theirs, to be moved and stretched

  /** names: [{digit, x, y}]; sizes: pixels of a tile in the sheets, small and large. */
  constructor(canvas, tiles, sheets, names, sizes) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d", { alpha: false });
    this.#tiles = tiles;
    this.#sheets = sheets;
    this.#names = names;
    this.#sizes = sizes;
    sheets.addEventListener("loaded", () => (this.#kept = null));
  }

  /** Paint with these colours, as CSS writes them: digits (ten), paper, ink, faint, accent, wrong and unsure. */
  colour(colours) {
    this.#colours = colours;
    this.#sheets.colour(colours.digits);
    this.#kept = null;
  }

  /** Give the canvas as many pixels as it covers of the screen; returns its size in CSS pixels. */
  fit() {
    const { clientWidth, clientHeight } = this.#canvas;
    const sharpness = this.#sharpness;
    [this.#canvas.width, this.#canvas.height] = [clientWidth, clientHeight].map((side) => Math.round(side * sharpness));
    this.#image = this.#kept = null;
    return [clientWidth, clientHeight];
  }

  get #sharpness() {
    return Math.min(devicePixelRatio, SHARPEST);
  }

  /** CSS pixels of the side of a tile's picture; 0 where tiles are dots. */
  sideOf(view) {
    const between = this.#tiles.spacing * view.side;
    if (between < NEAR) return 0;
    return 1.2 * (between < 36 ? between : 36 * (between / 36) ** 0.7); // from very near, they part
  }

  /** The side of the pictures that are shown, which mistakes have among dots, too. */
  sideShown(view, shown) {
    const side = this.sideOf(view);
    return shown === SHOWN.all ? side : Math.max(side, LEAST_HARD);
  }

  /** Forget pictures that are stretched, so that the next painting is sharp; returns whether there were any. */
  sharpen(view) {
    const isStretched = this.#kept !== null && this.sideOf(view) > 0 && stretch(this.#kept, view) !== 1;
    if (isStretched) this.#kept = null;
    return isStretched;
  }

  /** Paint a view; `scene` has `shown`, `focus` (a tile or -1), and `own`, the drawing and where it is, or null. */
  paint(view, { shown, focus, own }) {
    if (!this.#canvas.width || !this.#canvas.height) return; // it is hidden
    const context = this.#context;
    const sharpness = this.#sharpness;
    const side = this.sideOf(view);
    const isNear = side > 0 && shown === SHOWN.all;
    context.setTransform(1, 0, 0, 1, 0, 0);
    if (isNear) {
      context.fillStyle = this.#colours.paper;
      context.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
    } else this.#paintDots(view, shown, sharpness);
    context.setTransform(sharpness, 0, 0, sharpness, 0, 0);
    const seen = isNear ? this.#paintPictures(view, side) : side;
    if (shown === SHOWN.all) this.#paintMarks(view, seen);
    else this.#paintHard(view, shown, this.sideShown(view, shown));
    if (view.zoom < NAMED) this.#paintNames(view);
    if (own) this.#paintOwn(view, own);
    if (focus >= 0) this.#paintFocus(view, focus, isNear ? seen : this.sideShown(view, shown));
  }

  // From afar

  /** Write the dots into the pixels directly: ten thousand of them take a few milliseconds, as paths ten times as long. */
  #paintDots(view, shown, sharpness) {
    const { width, height } = this.#canvas;
    this.#image ??= this.#context.createImageData(width, height);
    const pixels = new Uint32Array(this.#image.data.buffer);
    pixels.fill(pixel(channels(this.#colours.paper)));
    const stamp = stampOf(this.#radius(view) * sharpness);
    const { paper, faint, digits } = this.#colours;
    const inks = digits.map((colour) => inksOf(stamp, shown === SHOWN.all ? colour : faint, paper));
    const blank = pixels[0];
    const offsets = stamp.rows.map((row, i) => row * width + stamp.columns[i]);
    const [left, top] = view.toCanvas(0, 0).map((place) => place * sharpness);
    const side = view.side * sharpness;
    const { reach } = stamp;
    const { x, y, digit, count } = this.#tiles;
    for (let number = 0; number < count; number++) {
      const column = Math.round(left + x[number] * side);
      const row = Math.round(top + y[number] * side);
      if (column < reach || row < reach || column >= width - reach || row >= height - reach) continue;
      const ink = inks[digit[number]];
      const middle = row * width + column;
      for (let i = 0; i < offsets.length; i++) {
        const at = middle + offsets[i];
        if (i < stamp.whole || pixels[at] === blank) pixels[at] = ink[i]; // an edge lies on paper alone
      }
    }
    this.#context.putImageData(this.#image, 0, 0);
  }

  #radius(view) {
    return Math.min(4.5, Math.max(1.2, 0.44 * this.#tiles.spacing * view.side));
  }

  #paintNames(view) {
    const context = this.#context;
    const size = Math.min(48, Math.max(24, view.side / 18));
    context.save();
    context.globalAlpha = Math.min(1, NAMED - view.zoom);
    context.font = `750 ${size}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.lineWidth = size / 5;
    context.strokeStyle = this.#colours.paper;
    context.fillStyle = this.#colours.ink;
    for (const { digit, x, y } of this.#names) {
      const place = view.toCanvas(x, y);
      context.strokeText(digit, ...place);
      context.fillText(digit, ...place);
    }
    context.restore();
  }

  // From near

  /**
   * Paint the pictures as a whole that was painted once, moved and stretched: hundreds would take too long for a frame.
   * Returns the side that each has so.
   */
  #paintPictures(view, side) {
    if (!this.#kept || !covers(this.#kept, view)) this.#keepPictures(view, side);
    const context = this.#context;
    const { canvas, x, y, picture } = this.#kept;
    const stretched = stretch(this.#kept, view);
    const [left, top] = view.toCanvas(x, y).map((place) => place * this.#sharpness);
    const [width, height] = [canvas.width, canvas.height].map((length) => length * stretched);
    context.save();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(canvas, Math.round(left - width / 2), Math.round(top - height / 2), width, height);
    context.restore();
    return picture * stretched;
  }

  #keepPictures(view, side) {
    const canvas = document.createElement("canvas");
    const sharpness = this.#sharpness;
    [canvas.width, canvas.height] = [view.width, view.height].map((length) => (1 + 2 * AROUND) * length * sharpness);
    const context = canvas.getContext("2d", { alpha: false });
    context.fillStyle = this.#colours.paper;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.scale(sharpness, sharpness);
    context.translate((canvas.width / sharpness - view.width) / 2, (canvas.height / sharpness - view.height) / 2);
    this.#stampPictures(context, view, side, AROUND * Math.max(view.width, view.height));
    this.#kept = { canvas, x: view.x, y: view.y, side: view.side, picture: side };
  }

  /** Paint the pictures of the tiles that are seen, and of those so many CSS pixels around. */
  #stampPictures(context, view, side, around) {
    const size = this.#sizeFor(side);
    const [left, top, right, bottom] = view.bounds(around + side / 2);
    const { x, y, digit, count } = this.#tiles;
    for (let number = 0; number < count; number++) {
      if (x[number] < left || x[number] > right || y[number] < top || y[number] > bottom) continue;
      const [middle, centre] = view.toCanvas(x[number], y[number]);
      const picture = this.#sheets.find(number, size, this.#sizes);
      if (picture) context.drawImage(...picture, middle - side / 2, centre - side / 2, side, side);
      else {
        context.fillStyle = this.#colours.digits[digit[number]];
        context.fillRect(middle - 2, centre - 2, 4, 4);
      }
    }
  }

  #sizeFor(side) {
    const [small, large] = this.#sizes;
    return side * this.#sharpness > 1.5 * small ? large : small;
  }

  /** Ring what is read wrong, and with dashes what is not sure. */
  #paintMarks(view, side) {
    const reach = side ? side / 2 : this.#radius(view) + 2.5;
    for (const number of this.#tiles.hard) {
      const place = view.toCanvas(this.#tiles.x[number], this.#tiles.y[number]);
      if (isOutside(view, place, reach)) continue;
      this.#frame(number, place, reach);
      if (side >= LEGIBLE) this.#say(number, place, reach);
    }
  }

  /** Among faint dots, the pictures of those tiles that are shown. */
  #paintHard(view, shown, side) {
    const context = this.#context;
    this.#tiles.hard.forEach((number, i) => {
      const place = view.toCanvas(this.#tiles.x[number], this.#tiles.y[number]);
      if (!this.#tiles.isShown(number, shown) || isOutside(view, place, side)) return;
      const corner = place.map((coordinate) => coordinate - side / 2);
      context.fillStyle = this.#colours.paper;
      context.fillRect(...corner, side, side);
      const picture = this.#sheets.findHard(i, this.#sizes[1]);
      if (picture) context.drawImage(...picture, ...corner, side, side);
      this.#frame(number, place, side / 2);
      if (side >= LEGIBLE) this.#say(number, place, side / 2);
    });
  }

  #frame(number, [x, y], reach) {
    const context = this.#context;
    const isWrong = this.#tiles.isWrong(number);
    context.strokeStyle = isWrong ? this.#colours.wrong : this.#colours.unsure;
    context.lineWidth = 1.75;
    context.setLineDash(isWrong ? [] : [3, 2.5]);
    context.beginPath();
    if (reach < 9) context.arc(x, y, reach, 0, 2 * Math.PI);
    else context.roundRect(x - reach, y - reach, 2 * reach, 2 * reach, reach / 4);
    context.stroke();
    context.setLineDash([]);
  }

  #say(number, [x, y], reach) {
    const context = this.#context;
    const isWrong = this.#tiles.isWrong(number);
    const words = isWrong ? `read as ${this.#tiles.answer[number]}` : "not sure";
    context.font = "600 12px system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "top";
    context.lineWidth = 4;
    context.strokeStyle = this.#colours.paper;
    context.strokeText(words, x, y + reach + 4);
    context.fillStyle = isWrong ? this.#colours.wrong : this.#colours.unsure;
    context.fillText(words, x, y + reach + 4);
  }

  #paintFocus(view, number, side) {
    const context = this.#context;
    const [x, y] = view.toCanvas(this.#tiles.x[number], this.#tiles.y[number]);
    const reach = side ? side / 2 + 3 : this.#radius(view) + 5;
    context.strokeStyle = this.#colours.accent;
    context.lineWidth = 3;
    context.beginPath();
    if (side) context.roundRect(x - reach, y - reach, 2 * reach, 2 * reach, 6);
    else context.arc(x, y, reach, 0, 2 * Math.PI);
    context.stroke();
  }

  // A drawing

  /** own: {image, x, y, height, alike}; `height` is how far it has still to fall, from 1 to 0. */
  #paintOwn(view, { image, x, y, height, alike }) {
    const context = this.#context;
    const [middle, ground] = view.toCanvas(x, y);
    const reach = 20 + 40 * height;
    const centre = ground - height * view.height * 0.45;
    context.save();
    context.strokeStyle = context.fillStyle = this.#colours.accent;
    context.lineWidth = 2;
    context.globalAlpha = 0.75 * (1 - height);
    context.beginPath();
    for (const number of alike) {
      context.moveTo(middle, ground);
      context.lineTo(...view.toCanvas(this.#tiles.x[number], this.#tiles.y[number]));
    }
    context.stroke();
    context.globalAlpha = 1;
    context.beginPath();
    context.arc(middle, centre, reach, 0, 2 * Math.PI);
    context.lineWidth = 6;
    context.stroke();
    context.clip();
    context.drawImage(image, middle - reach, centre - reach, 2 * reach, 2 * reach);
    context.restore();
  }
}

/** How many times as large what was kept is seen now. */
function stretch({ side }, view) {
  return view.side / side;
}

/** Whether what was kept covers all that is seen, and is not stretched too far. */
function covers(kept, view) {
  const stretched = stretch(kept, view);
  if (stretched > MOST_STRETCHED) return false;
  const [left, top] = view.toCanvas(kept.x, kept.y);
  const reach = (0.5 + AROUND) * stretched - 0.5; // beyond what is seen, in parts of it
  const isNear = (place, length) => Math.abs(place - length / 2) <= reach * length - 1;
  return isNear(left, view.width) && isNear(top, view.height);
}

function isOutside(view, [x, y], reach) {
  return x < -reach || y < -reach || x > view.width + reach || y > view.height + reach;
}

/** The pixels of a dot with a radius in pixels: rows and columns from its middle, and shares that it covers, whole first. */
function stampOf(radius) {
  const reach = Math.ceil(radius);
  const cells = [];
  for (let row = -reach; row <= reach; row++) {
    for (let column = -reach; column <= reach; column++) {
      const share = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(row, column)));
      if (share > 0.05) cells.push({ row, column, share });
    }
  }
  cells.sort((one, other) => other.share - one.share);
  const [rows, columns, shares] = ["row", "column", "share"].map((part) => cells.map((cell) => cell[part]));
  return { reach, rows, columns, shares, whole: shares.filter((share) => share === 1).length };
}

/** The pixels of a dot in a colour on paper. */
function inksOf({ shares }, colour, paper) {
  const [ink, ground] = [channels(colour), channels(paper)];
  return Uint32Array.from(shares, (share) => pixel(ink.map((channel, i) => share * channel + (1 - share) * ground[i])));
}

/** Red, green and blue of a colour as CSS computes it: rgb(1, 2, 3), or color(srgb 0.1 0.2 0.3) for a mixed one. */
function channels(colour) {
  const numbers = colour.match(/[\d.]+/g).slice(0, 3).map(Number);
  return colour.startsWith("color(") ? numbers.map((number) => 255 * number) : numbers;
}

function pixel([red, green, blue]) {
  return ((255 << 24) | (Math.round(blue) << 16) | (Math.round(green) << 8) | Math.round(red)) >>> 0;
}

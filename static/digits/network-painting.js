/** The picture of the network: where each unit lies on a canvas, its map, and the lines along which the signal flows. */

import { NO_DIGIT } from "./network-layers.js";

const WIDE = 640; // CSS pixels from which the layers stand beside each other, and not below each other
const FLAT = 0.25; // height of the layers, of the canvas's width, where they stand beside each other
const TALLEST = 460;
const LABEL = 22; // height of a layer's name
const MARGIN = 8;
const GAP = 0.1; // between two maps, of a map's side
const CONTRAST = 0.6; // exponent that makes weak activations visible
const SHADES = 5; // of lines, by their strength
const DOT = 3.5; // CSS pixels of a signal on its way
const FOR = "#1478ff"; // as in pngs.overlay
const AGAINST = "#ff8200";

/**
 * Where each unit lies, for a canvas of that width in CSS pixels.
 * @returns {{isWide: boolean, height: number, blocks: {left: number, top: number, width: number, height: number,
 *   label: number[], cells: number[][]}[]}} cells are [left, top, side]; a layer's name stands at `label`
 */
export function layoutOf(layers, width) {
  return width >= WIDE ? beside(layers, width) : below(layers, width);
}

function beside(layers, width) {
  const high = Math.min(TALLEST, Math.floor(width * FLAT));
  const sizes = layers.map((layer) => {
    if (layer.unit === "picture") return { rows: 1, pitch: high * 0.42 };
    if (layer.unit === "output") return { rows: layer.units, pitch: high / layer.units };
    const rows = { 32: 8, 64: 11, 128: 16 }[layer.units] ?? Math.ceil(Math.sqrt(2 * layer.units));
    return { rows, pitch: high / rows };
  });
  const widths = layers.map(({ unit, units }, place) => {
    const { rows, pitch } = sizes[place];
    return unit === "output" ? 2.4 * pitch : Math.ceil(units / rows) * pitch;
  });
  const gap = (width - 2 * MARGIN - widths.reduce((sum, each) => sum + each)) / (layers.length - 1);
  let left = MARGIN;
  const blocks = layers.map((layer, place) => {
    const { rows, pitch } = sizes[place];
    const blockHeight = rows * pitch;
    const top = MARGIN + LABEL + (high - blockHeight) / 2;
    const columns = Math.ceil(layer.units / rows);
    const block = blockOf(layer.units, columns, pitch, left, top);
    const label = [left + widths[place] / 2, top - 9];
    left += widths[place] + gap;
    return { ...block, width: widths[place], height: blockHeight, label };
  });
  return { isWide: true, height: high + LABEL + 2 * MARGIN, blocks };
}

function below(layers, width) {
  const inner = width - 2 * MARGIN;
  let top = MARGIN;
  const blocks = layers.map((layer) => {
    const columns = layer.units > 64 ? 32 : layer.units > 32 ? 16 : Math.min(layer.units, 11);
    const pitch = layer.unit === "picture" ? inner / 4 : inner / columns;
    const wide = columns * pitch;
    const left = (width - wide) / 2;
    const block = blockOf(layer.units, columns, pitch, left, top + LABEL);
    const height = Math.ceil(layer.units / columns) * pitch + (layer.unit === "output" ? 16 : 0);
    const label = [width / 2, top + LABEL - 9];
    top += LABEL + height + 26;
    return { ...block, width: wide, height, label };
  });
  return { isWide: false, height: top - 26 + MARGIN, blocks };
}

function blockOf(units, columns, pitch, left, top) {
  const side = pitch * (1 - GAP);
  const cells = Array.from({ length: units }, (_, unit) => {
    const [column, row] = [unit % columns, Math.floor(unit / columns)];
    return [left + column * pitch, top + row * pitch, side];
  });
  return { left, top, cells, pitch, columns };
}

/** The unit at a place on the canvas, as [layer, unit], or null. */
export function unitAt({ blocks }, x, y) {
  for (const [place, { left, top, width, height, pitch, columns, cells }] of blocks.entries()) {
    if (x < left || y < top || x >= left + width || y >= top + height) continue;
    const isList = columns === 1 && cells.length > 1; // the outputs beside their bars
    const column = isList ? 0 : Math.floor((x - left) / pitch);
    const unit = Math.min(Math.floor((y - top) / pitch), Math.ceil(cells.length / columns) - 1) * columns + column;
    if (column < columns && unit < cells.length) return [place, unit];
  }
  return null;
}

/** The colours of a theme, of which `ramp` leads from dark to lit as the pixels of a canvas. */
export function coloursOf(element) {
  const style = getComputedStyle(element);
  const names = ["card", "accent", "ink", "quiet", "line"];
  const [card, accent, ink, quiet, line] = names.map((name) => style.getPropertyValue(`--${name}`).trim());
  const context = newCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const channels = (colour) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const stops = [mixed(channels(card), channels(line), 0.45), channels(accent), mixed(channels(accent), channels(ink), 0.8)];
  const ramp = new Uint8ClampedArray(4 * 256);
  for (let value = 0; value < 256; value += 1) {
    const place = 2 * (value / 255) ** CONTRAST;
    const [from, to, share] = place < 1.4 ? [stops[0], stops[1], place / 1.4] : [stops[1], stops[2], (place - 1.4) / 0.6];
    ramp.set([...mixed(from, to, share).slice(0, 3), 255], 4 * value);
  }
  return { accent, ink, quiet, line, card, ramp, pixels: new Uint32Array(ramp.buffer), font: style.fontFamily };
}

function mixed(from, to, share) {
  return from.map((channel, i) => channel + (to[i] - channel) * share);
}

function newCanvas(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height });
}

/** Put the maps of a layer, or one of them, into a picture of one below the other, a pixel for each activation. */
export function stripOf(bytes, side, colours, strip = newCanvas(side, bytes.length / side)) {
  const image = new ImageData(side, bytes.length / side);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < bytes.length; i += 1) pixels[i] = colours.pixels[bytes[i]];
  strip.getContext("2d").putImageData(image, 0, 0);
  return strip;
}

/** Fill a small canvas with a map. */
export function paintMap(canvas, bytes, side, colours) {
  [canvas.width, canvas.height] = [side, side];
  stripOf(bytes, side, colours, canvas);
}

/**
 * Fill a small canvas with numbers in rows of `columns`: blue adds, orange takes away, and what is as large as `full`
 * has the full colour.
 */
export function paintSigned(canvas, numbers, columns, colours, full = Math.max(...numbers.map(Math.abs))) {
  [canvas.width, canvas.height] = [columns, Math.ceil(numbers.length / columns)];
  const context = canvas.getContext("2d");
  context.fillStyle = colours.card;
  context.fillRect(0, 0, canvas.width, canvas.height);
  numbers.forEach((number, i) => {
    context.globalAlpha = Math.min(1, Math.abs(number) / (full || 1));
    context.fillStyle = number > 0 ? FOR : AGAINST;
    context.fillRect(i % columns, Math.floor(i / columns), 1, 1);
  });
}

/**
 * Paint all of the network.
 * @param {object} scene layers, layout, colours, strips (one for each layer), frame of each layer, lines (of each layer,
 *   [source, unit, strength 0-1, sign]), flows (how far the signal is to each layer, 0-1, or null), and chosen
 */
export function paintNetwork(context, scene, width) {
  const { layers, layout, colours } = scene;
  context.clearRect(0, 0, width, layout.height);
  scene.lines.forEach((lines, place) => {
    if (place) paintLines(context, scene, place, lines);
  });
  context.imageSmoothingEnabled = false;
  layers.forEach((layer, place) => {
    const { cells, label } = layout.blocks[place];
    context.font = `12px ${colours.font}`;
    context.textAlign = "center";
    if (!layout.isWide) { // lines end behind it
      const half = context.measureText(layer.name).width / 2 + 6;
      context.fillStyle = colours.card;
      context.fillRect(label[0] - half, label[1] - 12, 2 * half, 16);
    }
    context.fillStyle = scene.chosen?.[0] === place ? colours.ink : colours.quiet;
    context.fillText(layer.name, ...label);
    if (layer.unit === "output") paintOutputs(context, scene, place);
    else cells.forEach(([x, y, side], unit) => paintCell(context, scene.strips[place], layer.side, unit, x, y, side));
  });
  if (scene.chosen) paintChoice(context, scene);
}

function paintCell(context, strip, pixels, unit, x, y, side) {
  const left = Math.round(x);
  const top = Math.round(y);
  const size = Math.max(2, Math.round(side));
  context.drawImage(strip, 0, unit * pixels, pixels, pixels, left, top, size, size);
}

function paintOutputs(context, { layout, colours, strips, frames }, place) {
  const { cells, pitch } = layout.blocks[place];
  const [bytes, strip] = [frames[place].maps[place], strips[place]];
  const best = frames[place].isEmpty ? -1 : bytes.indexOf(Math.max(...bytes));
  cells.forEach(([x, y, side], unit) => {
    const size = (unit === best ? 1.25 : 1) * (layout.isWide ? Math.min(18, side * 0.7) : 13) * (unit === NO_DIGIT ? 0.75 : 1);
    context.fillStyle = unit === best ? colours.ink : colours.quiet;
    context.font = `${unit === best ? 700 : 400} ${size}px ${colours.font}`;
    context.textAlign = layout.isWide ? "left" : "center";
    const place = layout.isWide ? [x + side + 7, y + side / 2 + size * 0.36] : [x + side / 2, y + pitch + 12];
    context.fillText(unit === NO_DIGIT ? "none" : unit, ...place);
    paintCell(context, strip, 1, unit, x, y, side);
  });
}

/** From the edge of one layer to the edge of the next, as a curve. */
function curve({ layout }, place, source, unit) {
  const [from, to] = [layout.blocks[place - 1], layout.blocks[place]];
  const [a, b] = [from.cells[source], to.cells[unit]];
  if (layout.isWide) {
    const [x0, y0, x1, y1] = [from.left + from.width - 1, a[1] + a[2] / 2, to.left - 2, b[1] + b[2] / 2];
    const middle = (x0 + x1) / 2;
    return [x0, y0, middle, y0, middle, y1, x1, y1];
  }
  const [x0, y0, x1, y1] = [a[0] + a[2] / 2, from.top + from.height, b[0] + b[2] / 2, to.top - 3];
  const middle = (y0 + y1) / 2;
  return [x0, y0, x0, middle, x1, middle, x1, y1];
}

function paintLines(context, scene, place, lines) {
  const { layers, colours, flows } = scene;
  const flow = flows[place];
  context.lineWidth = layers[place].unit === "output" ? 1.75 : 1;
  // Lines that look alike are one path: a stroke for each would take most of the time.
  const paths = new Map();
  for (const [source, unit, strength, sign] of lines) {
    const [x0, y0, ...rest] = curve(scene, place, source, unit);
    const level = Math.round(strength * SHADES) / SHADES;
    const key = `${sign} ${level}`;
    if (!paths.has(key)) paths.set(key, { sign, level, lines: new Path2D(), dots: new Path2D() });
    const path = paths.get(key);
    path.lines.moveTo(x0, y0);
    path.lines.bezierCurveTo(...rest);
    if (flow === null || strength < 0.3) continue;
    const [x, y] = pointOn([x0, y0, ...rest], flow);
    path.dots.rect(x - DOT / 2, y - DOT / 2, DOT, DOT);
  }
  for (const { sign, level, lines: curves, dots } of paths.values()) {
    context.globalAlpha = Math.min(1, level * (flow === null ? 0.45 : 0.85));
    context.strokeStyle = context.fillStyle = { [-1]: AGAINST, 0: colours.accent, 1: FOR }[sign];
    context.stroke(curves);
    context.globalAlpha = 1;
    context.fill(dots);
  }
}

function pointOn([x0, y0, x1, y1, x2, y2, x3, y3], t) {
  const shares = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t ** 2 * (1 - t), t ** 3];
  const along = (...places) => places.reduce((sum, each, i) => sum + each * shares[i], 0);
  return [along(x0, x1, x2, x3), along(y0, y1, y2, y3)];
}

/** A ring around the chosen unit and thinner ones around what it looks at, with lines between. */
function paintChoice(context, scene) {
  const { layout, colours, chosen, links } = scene;
  const [place, unit] = chosen;
  for (const { source, adds, high, low } of links) {
    const sign = Math.sign(adds ?? high + low);
    context.strokeStyle = sign < 0 ? AGAINST : FOR;
    context.lineWidth = 2;
    const [x0, y0, ...rest] = curve(scene, place, source, unit);
    context.beginPath();
    context.moveTo(x0, y0);
    context.bezierCurveTo(...rest);
    context.stroke();
    ring(context, layout.blocks[place - 1].cells[source], 1);
  }
  context.strokeStyle = colours.ink;
  context.lineWidth = 2.5;
  ring(context, layout.blocks[place].cells[unit], 2);
}

function ring(context, [x, y, side], distance) {
  const [left, top, width] = [x, y, side].map(Math.round);
  context.strokeRect(left - distance, top - distance, width + 2 * distance, width + 2 * distance);
}

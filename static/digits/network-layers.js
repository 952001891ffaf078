/**
 * The layers of the network as the server tells them: once what each unit looks at, and of each drawing what each unit
 * computes. A unit is a filter, whose output is a map, or a neuron or an output, whose map has one pixel.
 */

const FULL = 255; // the byte of a layer's largest activation

/** The byte of a layer's largest weight. */
export const FULL_WEIGHT = 127;
const LISTED = 6; // links of a unit that are shown

/** The output beside those of the ten digits. */
export const NO_DIGIT = 10;

/**
 * @typedef {object} Layer
 * @property {string} name
 * @property {string} unit what one of its units is called
 * @property {number} units
 * @property {number} side pixels of a unit's map
 * @property {number} links of each unit to units of the layer before
 * @property {number} reach pixels of the side of what a link sees of a map
 * @property {number} scale the largest weight
 * @property {Uint8Array} sources units * links: places in the layer before
 * @property {Int8Array} weights units * links * reach²
 */

/**
 * The layers from the data of the panel's element.
 * @param {{layers: string, weights: string}} data
 * @returns {Layer[]}
 */
export function layersOf({ layers, weights }) {
  const bytes = bytesOf(weights);
  let start = 0;
  return JSON.parse(layers).map((layer) => {
    const links = layer.units * layer.links;
    const sources = bytes.subarray(start, start + links);
    const kernels = new Int8Array(bytes.buffer, start + links, links * layer.reach ** 2);
    start += links + kernels.length;
    return { ...layer, sources, weights: kernels };
  });
}

/**
 * What the units compute for a drawing: for each layer its bytes, map by map, and the activation that 255 stands for.
 * Without a drawing, nothing is lit.
 * @param {{values?: string, scales?: string, outputs?: string}} data of the element with the activations
 * @param {Layer[]} layers
 */
export function frameOf({ values, scales, outputs }, layers) {
  const last = layers.length - 1;
  const lengths = layers.map(({ units, side }) => units * side ** 2);
  if (!values) {
    return { isEmpty: true, maps: lengths.map((length) => new Uint8Array(length)), scales: lengths.map(() => 0) };
  }
  const bytes = bytesOf(values);
  let start = 0;
  const maps = lengths.slice(0, last).map((length) => bytes.subarray(start, (start += length)));
  const probabilities = JSON.parse(outputs);
  maps.push(Uint8Array.from(probabilities, (probability) => Math.round(FULL * probability)));
  return { isEmpty: false, maps, scales: [...JSON.parse(scales), 1], outputs: probabilities };
}

/** The bytes of a unit's map in a frame. */
export function mapOf(layers, frame, place, unit) {
  const size = layers[place].side ** 2;
  return frame.maps[place].subarray(unit * size, (unit + 1) * size);
}

/** The largest byte of each unit's map in a layer; looked up again and again, so it is kept with the frame. */
export function brightnessOf(layers, frame, place) {
  frame.brightness ??= [];
  return (frame.brightness[place] ??= brightest(frame.maps[place], layers[place].side ** 2));
}

function brightest(bytes, size) {
  const found = new Uint8Array(bytes.length / size);
  for (let i = 0; i < bytes.length; i += 1) {
    const unit = Math.floor(i / size);
    if (bytes[i] > found[unit]) found[unit] = bytes[i];
  }
  return found;
}

/**
 * What a unit looks at: units of the layer before, their weights, and what each adds to the unit, or null where that
 * differs from pixel to pixel or nothing is drawn. Those that add or, elsewhere, weigh most come first.
 */
export function linksOf(layers, frame, place, unit, most = LISTED) {
  const { links, reach, scale, sources, weights } = layers[place];
  if (!links) return [];
  const seesAll = reach === layers[place - 1].side;
  const found = Array.from({ length: links }, (_, link) => {
    const at = unit * links + link;
    const kernel = weights.subarray(at * reach ** 2, (at + 1) * reach ** 2);
    const source = sources[at];
    const map = seesAll ? mapOf(layers, frame, place - 1, source) : [];
    let sum = 0;
    for (let pixel = 0; pixel < map.length; pixel += 1) sum += map[pixel] * kernel[pixel];
    const adds = seesAll && !frame.isEmpty ? (sum / FULL / FULL_WEIGHT) * scale * frame.scales[place - 1] : null;
    const [low, high] = [Math.min(...kernel), Math.max(...kernel)].map((weight) => (weight * scale) / FULL_WEIGHT);
    return { source, kernel, adds, low, high };
  });
  if (found[0].adds !== null) found.sort((one, other) => Math.abs(other.adds) - Math.abs(one.adds));
  else if (reach === 1) found.sort((one, other) => Math.abs(other.high) - Math.abs(one.high));
  return found.slice(0, most);
}

// In words

/** A number with its sign, a true minus, and two digits. */
export function signed(number) {
  const rounded = Math.abs(number).toFixed(2);
  return `${number < 0 && Number(rounded) ? "−" : "+"}${rounded}`;
}

export function outputName(unit) {
  return unit === NO_DIGIT ? "no digit" : String(unit);
}

/** What a unit is called beside others: "filter 3". */
export function shortName({ unit }, index) {
  return unit === "picture" ? "the picture" : `${unit} ${index + 1}`;
}

export function nameOf(layer, index) {
  if (layer.unit === "picture") return "Input: the picture";
  if (layer.unit === "output") return `Output: ${outputName(index)}`;
  return `${layer.name}, ${layer.unit} ${index + 1} of ${layer.units}`;
}

/** What a unit is there for, in plain words. */
export function roleOf(layers, place, index) {
  const { unit, reach } = layers[place];
  if (unit === "picture") return "What is drawn, as the first filters see it.";
  if (unit === "output") return index === NO_DIGIT ? "How much it looks like anything but a digit." : "How much speaks for this digit.";
  if (unit === "neuron") return "It weighs all filters of the layer before at once: a feature of the whole digit.";
  if (layers[place - 1].unit === "picture") return `It looks for one pattern of ${reach}×${reach} pixels, such as an edge, everywhere in the picture.`;
  return `It looks for one pattern in what the filters before found, in ${reach}×${reach} places at a time.`;
}

/** What a unit computes, in a sentence. */
export function stateOf(layers, frame, place, index) {
  const layer = layers[place];
  if (layer.unit === "picture") return `${layer.side}×${layer.side} pixels, as the network gets them.`;
  if (frame.isEmpty) return "At rest: draw something to see it work.";
  if (layer.unit === "output") return `${Math.floor(1000 * frame.outputs[index]) / 10} % likely.`;
  const largest = (brightnessOf(layers, frame, place)[index] / FULL) * frame.scales[place];
  if (layer.unit === "neuron") {
    return `${largest ? `Lit: ${largest.toFixed(2)}.` : "Dark."} ${leaningsOf(layers, place, index)}`;
  }
  if (!largest) return "Dark: it does not find what it looks for.";
  return `${layer.side}×${layer.side} pixels, ${largest.toFixed(2)} where it is brightest.`;
}

/** Which output a neuron speaks for and against most. */
function leaningsOf(layers, place, neuron) {
  const outputs = layers[place + 1];
  const weights = Array.from({ length: outputs.units }, (_, output) => {
    const at = outputs.sources.subarray(output * outputs.links, (output + 1) * outputs.links).indexOf(neuron);
    return (outputs.weights[output * outputs.links + at] * outputs.scale) / FULL_WEIGHT;
  });
  const [most, least] = [Math.max(...weights), Math.min(...weights)];
  const said = (weight) => `${outputName(weights.indexOf(weight))} (weight ${signed(weight)})`;
  return `It speaks most for ${said(most)} and against ${said(least)}.`;
}

/** What one link of a unit is, in words. */
export function linkWords(layers, place, link) {
  const name = shortName(layers[place - 1], link.source);
  if (link.adds !== null) {
    const weight = layers[place].reach === 1 ? `, weight ${signed(link.high)}` : "";
    return `${name}${weight}: adds ${signed(link.adds)}`;
  }
  if (layers[place].reach === 1) return `${name}, weight ${signed(link.high)}`;
  return `${name}, weights ${signed(link.low)} to ${signed(link.high)}`;
}

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

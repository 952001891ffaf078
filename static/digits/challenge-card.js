/** The card at the end of the ten-digit challenge: its picture, and the same in words. */

import { DIGITS, hardestInWords, roundInWords, timeInWords } from "./challenge-game.js";
import { paint } from "./painting.js";
import { canvasOf } from "./pictures.js";

const SIDE = 1080; // pixels
const MARGIN = 64;
const COLUMNS = 5;
const GAP = 22;
const CELL = (SIDE - 2 * MARGIN - (COLUMNS - 1) * GAP) / COLUMNS;
const GRID_TOP = 352;
const ROW = CELL + 118;
const FONT = "system-ui, sans-serif";
const ICON = new Path2D("M8 9c3-1 8-1 12-1-3 4-5 8-6 13m-3-7h7"); // of icon.svg, 28 wide

/**
 * Paint the card of a game.
 *
 * @param {Game} game
 * @param {string} time - such as "0:42"
 * @param {string} address - where the challenge is
 * @param {(name: string) => string} colourOf - the colour of a name in style.css, such as "paper"
 * @returns {HTMLCanvasElement}
 */
export function cardOf(game, time, address, colourOf) {
  const [canvas, context] = canvasOf(SIDE, SIDE);
  const write = (text, x, y, size, colour, { weight = 400, align = "left", width = SIDE } = {}) => {
    context.font = `${weight} ${size}px ${FONT}`;
    context.textAlign = align;
    context.fillStyle = colourOf(colour);
    context.fillText(text, x, y, width);
  };
  context.fillStyle = colourOf("paper");
  context.fillRect(0, 0, SIDE, SIDE);
  paintIcon(context, colourOf);
  write("Digit Recognizer", MARGIN + 68, 102, 34, "ink", { weight: 650 });
  write("Ten-digit challenge", SIDE - MARGIN, 102, 34, "quiet", { align: "right" });
  const score = `${game.readCount} of ${DIGITS}`;
  write(score, MARGIN, 272, 132, "ink", { weight: 700 });
  const beside = MARGIN + context.measureText(score).width + 40;
  write(timeInWords(game, time), beside, 214, 44, "ink", { weight: 600, width: SIDE - MARGIN - beside });
  const streak = `Longest streak: ${game.longestStreak}`;
  write(streak, beside, 268, 34, "quiet", { width: SIDE - MARGIN - beside });
  for (const round of game.rounds) {
    const left = MARGIN + (round.digit % COLUMNS) * (CELL + GAP);
    const top = GRID_TOP + Math.floor(round.digit / COLUMNS) * ROW;
    paintRound(context, round, left, top, colourOf, write);
  }
  const foot = SIDE - MARGIN;
  write(`Hardest: ${hardestInWords(game)}`, MARGIN, foot, 32, "ink", { weight: 600, width: 400 });
  write(address, SIDE - MARGIN, foot, 32, "quiet", { align: "right", width: 520 });
  return canvas;
}

function paintIcon(context, colourOf) {
  context.save();
  context.translate(MARGIN, MARGIN);
  context.scale(2, 2);
  context.fillStyle = colourOf("accent");
  context.beginPath();
  context.roundRect(0, 0, 28, 28, 7);
  context.fill();
  context.strokeStyle = colourOf("on-accent");
  context.lineWidth = 2.6;
  context.lineCap = context.lineJoin = "round";
  context.stroke(ICON);
  context.restore();
}

/** A drawing in its frame, and below it the digit that was read, with how sure, or at which try. */
function paintRound(context, round, left, top, colourOf, write) {
  const { isRead, tries, marks } = round;
  context.save();
  context.beginPath();
  context.roundRect(left, top, CELL, CELL, 24);
  context.fillStyle = colourOf("card");
  context.fill();
  context.lineWidth = isRead ? 3 : 5;
  context.strokeStyle = colourOf(isRead ? "line" : "unsure");
  if (!isRead) context.setLineDash([14, 10]);
  context.stroke();
  context.clip();
  context.translate(left, top);
  paintInOwnLayer(context, marks, colourOf("ink"));
  context.restore();
  const middle = { align: "center", width: CELL };
  const [x, y] = [left + CELL / 2, top + CELL];
  write(readAs(round), x, y + 44, 36, isRead ? "right" : "unsure", { ...middle, weight: 700 });
  const below = isRead ? `${round.reading.percent} %` : "skipped";
  write(tries > 1 ? `${below} · try ${tries}` : below, x, y + 80, 27, "quiet", middle);
}

/** Erasing, which marks may do, must not reach through to the card. */
function paintInOwnLayer(context, marks, colour) {
  const [layer, inLayer] = canvasOf(Math.ceil(CELL), Math.ceil(CELL));
  paint(inLayer, marks, CELL, colour);
  context.drawImage(layer, 0, 0);
}

function readAs({ digit, isRead, tries, reading }) {
  if (isRead) return `${reading.text} ✓`;
  if (!tries) return `${digit}`;
  return reading && reading.text.length < 8 ? reading.text : "?";
}

/** All that the card of a game shows, in words. */
export function cardInWords(game, time, address) {
  return [
    `Ten-digit challenge: ${game.readCount} of ${DIGITS} ${timeInWords(game, time)}.`,
    `Longest streak: ${game.longestStreak}. Hardest: ${hardestInWords(game)}.`,
    ...game.rounds.map((round) => `${roundInWords(round)}.`),
    `Digit Recognizer, ${address}`,
  ];
}

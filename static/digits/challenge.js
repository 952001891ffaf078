/**
 * The page of the ten-digit challenge: asks for one digit after the other, and judges what is read of them.
 *
 * A right and sure reading counts after a moment, in which more strokes may follow. Another one counts after a pause, or
 * when "Done" says that the drawing is done. Until then nothing is said about it, and more strokes take it back.
 */

import { Clock, DIGITS, Game, inWords, roundInWords } from "./challenge-game.js";
import { hideResult, showResult } from "./challenge-result.js";
import { DrawingPad } from "./pad.js";
import { obeyKeys, readOneAtATime, withdraw } from "./pad-page.js";
import { pathOf } from "./painting.js";

const MOMENT = 700; // ms after which a right reading counts
const PAUSE = 1500; // ms after which another one does
const TICK = 250; // ms
const STORE = "challenge"; // key in the session storage of the tab, for how far the game is
const BEGUN = "begun"; // a game under way, of which nothing else is kept; a finished one is kept with its drawings

const find = (selector) => document.querySelector(selector);
const play = find(".challenge");
const form = find(".drawing-pad");
const canvas = form.querySelector("canvas");
const prediction = find("#prediction");
const announcement = find("#announcement");
const [done, skip, clear, end] = ["done", "skip", "clear", "end"].map((action) => find(`[data-action=${action}]`));
const slots = [...document.querySelectorAll(".slots li")];
const pad = new DrawingPad(form);

let game;
let clock;
let reading = null; // of the drawing as it is
let failed = null; // the drawing and its reading, since that was judged as wrong
let isPenDown = false;
let isDone = false; // the person says that the drawing is done
let timer = null; // until the reading counts

// Events of the pad

form.addEventListener("begun", () => {
  isPenDown = true;
  takeBack();
  isDone = false;
  done.disabled = false;
  tell(`${task()}.`); // in place of what was said of the digit before
  clock.run();
  end.hidden = false;
  sessionStorage.setItem(STORE, BEGUN);
});
form.addEventListener("changed", () => {
  isPenDown = false;
  reading = null;
  takeBack();
});
form.addEventListener("drawn", () => {
  if (isPenDown) return;
  form.classList.remove("is-unanswered");
  done.disabled = false;
  clock.stop(); // until it is read
});
form.addEventListener("emptied", () => {
  withdraw(prediction);
  showNoAnswer();
  if (failed) game.fail(...failed); // the drawing that is gone was a try
  beginDrawing();
  if (clock.hasBegun) clock.run();
});
form.addEventListener("cleared", () => announce(`Cleared. ${task()}.`));
form.addEventListener("pen", ({ detail }) => announce(detail.isDown ? "Pen down." : "Pen up."));
form.addEventListener("unanswered", () => {
  reading = null;
  takeBack();
  showNoAnswer(...find("#unanswered").content.cloneNode(true).children);
  form.classList.add("is-unanswered");
  tell("Your digits are kept, and the clock stands still.");
});
readOneAtATime(form, prediction);
obeyKeys(pad);

// Whoever draws with the keys moves the pen to the next stroke in steps, each of which is a reason to wait.
canvas.addEventListener("keydown", (event) => {
  if (event.key === "Enter") done.click();
  else if (timer !== null) judgeLater();
});

// Reading and judging

prediction.addEventListener("htmx:afterSwap", () => {
  if (isPenDown || !pad.marks.length) return; // the drawing goes on, or is gone
  const [verdict, sureness] = ["strong", ".answered span"].map((part) => prediction.querySelector(`.verdict ${part}`));
  reading = { text: verdict.textContent, percent: sureness ? parseFloat(sureness.textContent) : null };
  play.classList.toggle("is-right", isRight());
  if (isDone) return judge();
  judgeLater();
  if (!isRight()) clock.run(); // it is the person's turn again
});

function isRight() {
  return reading.percent !== null && reading.text === String(game.digit);
}

function judgeLater() {
  clearTimeout(timer);
  timer = setTimeout(judge, isRight() ? MOMENT : PAUSE);
}

function judge() {
  clearTimeout(timer);
  timer = null;
  if (isRight()) {
    game.accept(pad.marks, reading);
    goOn();
    return;
  }
  failed = [pad.marks, reading];
  play.classList.add("is-wrong");
  clear.textContent = "Try again";
  clear.classList.add("primary");
  const advice = `Not ${named()} yet: go on, try again or skip it.`;
  tell(advice);
  announce(`${inWords(reading)}. ${advice}`);
  disable(done);
  clock.run();
}

/** Forget what was read and said of the drawing. */
function takeBack() {
  clearTimeout(timer);
  timer = null;
  play.classList.remove("is-right", "is-wrong");
  clear.textContent = "Clear";
  clear.classList.remove("primary");
}

done.addEventListener("click", () => {
  isDone = true;
  if (reading) judge();
  else if (form.matches(".is-unanswered")) form.dispatchEvent(new Event("drawn"));
});
skip.addEventListener("click", () => {
  game.skip(pad.marks, reading);
  goOn();
});

end.addEventListener("click", () => {
  game.end(pad.marks, reading);
  finish();
});

// From digit to digit

function begin() {
  [game, clock] = [new Game(), new Clock()];
  failed = null;
  slots.forEach(emptySlot);
  end.hidden = true;
  pad.renew();
  ask();
}

function goOn() {
  const round = game.rounds.at(-1);
  fillSlot(slots[round.digit], round);
  failed = null;
  pad.renew();
  if (game.isOver) finish();
  else ask(round);
}

function ask(last = null) {
  find("#task").replaceChildren(`Draw ${article()} `, Object.assign(document.createElement("em"), { textContent: game.digit }));
  slots[game.digit].setAttribute("aria-current", "step");
  find("#digit").textContent = `${game.digit + 1} of ${DIGITS}`;
  find("#streak").textContent = game.streak;
  showTime();
  tell(last ? `${roundInWords(last)}.` : "The clock starts with your first stroke. A pause or Done ends a digit.");
  if (last) announce(`${roundInWords(last)}. ${task()}.`);
}

function finish() {
  clock.stop();
  keep({ rounds: game.rounds, time: clock.text });
  play.hidden = true;
  showResult(game, clock.text);
}

/** The card outlives a reload. */
function keep(finished) {
  try {
    sessionStorage.setItem(STORE, JSON.stringify(finished));
  } catch {
    sessionStorage.removeItem(STORE); // it is full: then the card lasts until the page is left
  }
}

function showAgain({ rounds, time }) {
  game.rounds = rounds;
  play.hidden = true;
  showResult(game, time, false);
}

find("[data-action=again]").addEventListener("click", () => {
  hideResult();
  sessionStorage.removeItem(STORE);
  play.hidden = false;
  begin();
  canvas.focus();
  announce(`${task()}.`);
});

function beginDrawing() {
  failed = null;
  isDone = false;
  form.classList.remove("is-unanswered");
  disable(done);
  tell(`${task()}.`);
}

// What the page shows

function emptySlot(slot) {
  slot.className = "";
  slot.removeAttribute("aria-current");
  slot.querySelector("path").setAttribute("d", "");
  slot.querySelector(".outcome").textContent = "";
}

function fillSlot(slot, round) {
  slot.className = round.isRead ? "read" : "skipped";
  slot.removeAttribute("aria-current");
  slot.querySelector("path").setAttribute("d", pathOf(round.marks, 100));
  slot.querySelector(".outcome").textContent = roundInWords(round).slice(1);
}

function showNoAnswer(...words) {
  prediction.replaceChildren(...words);
  find("#boxes").replaceChildren(); // each answer brings new ones
}

function showTime() {
  find("#time").textContent = clock.text;
}

/** A disabled button would lose the focus. */
function disable(button) {
  if (button === document.activeElement) canvas.focus();
  button.disabled = true;
}

function tell(text) {
  find("#hint").textContent = text;
}

function announce(text) {
  announcement.textContent = text;
}

function task() {
  return `Draw ${named()}`;
}

function named() {
  return `${article()} ${game.digit}`;
}

function article() {
  return game.digit === 8 ? "an" : "a";
}

setInterval(showTime, TICK);
begin();
const kept = sessionStorage.getItem(STORE);
if (kept && kept !== BEGUN) showAgain(JSON.parse(kept));
else if (kept) {
  sessionStorage.removeItem(STORE);
  const again = "The game begins again, because the page was left: what you had drawn is not kept.";
  tell(again);
  announce(`${again} ${task()}.`);
}

// The page of the phone: its buttons, its keypad, its levels, and what is shown when a call has ended.

import { Call, CallError, openMicrophone } from "./call.js";
import { Words, seconds } from "./words.js";

const page = document.getElementById("phone");
const part = (name) => page.querySelector(`[data-part="${name}"]`);
const csrf = document.querySelector('meta[name="csrf"]').content;
const REPORT_TRIES = 40; // at half a second: the record of a call is written within a few seconds
let call = null;
let began = 0;
let clock = 0;

const words = new Words(part("words"), part("latency"), (on) => {
  part("secret").hidden = !on;
});

function show(state, text) {
  page.dataset.state = state;
  part("status").textContent = text;
  part("call").hidden = state !== "idle";
  part("end").hidden = state === "idle";
  for (const button of page.querySelectorAll("[data-key], [data-part='mute']")) button.disabled = state !== "talking";
}

async function granted() {
  const response = await fetch(page.dataset.calls, { method: "POST", headers: { "X-CSRF-Token": csrf } });
  const text = await response.text();
  if (!response.ok) throw new CallError(text.trim() || `The console answers ${response.status}.`);
  return JSON.parse(text);
}

async function begin() {
  show("calling", "Calling …");
  words.clear();
  part("after").hidden = true;
  part("error").hidden = true;
  part("secret").hidden = true;
  try {
    const microphone = await openMicrophone();
    const grant = await granted();
    call = new Call({
      note: take,
      levels: (own, bot) => {
        part("own").value = own;
        part("bot").value = bot;
      },
      dialled: (digits) => words.take({ note: "dialled", fields: { act: `the bot dials ${digits}`, who: "key" } }),
      transferred: (to) => words.take({ note: "to", fields: { act: `here a phone is connected with ${to}`, who: "call" } }),
      ended: (error) => ended(error, grant.call),
    });
    await call.start(microphone, grant);
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    failed(error.message);
  }
}

function take(message) {
  if (message.note === "call_started") {
    began = performance.now();
    clock = setInterval(tick, 500);
    show("talking", "In a call");
  }
  words.take(message);
}

function tick() {
  const whole = Math.floor((performance.now() - began) / 1000);
  part("clock").textContent = `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

function failed(text) {
  clearInterval(clock);
  part("error").textContent = text;
  part("error").hidden = false;
  show("idle", "Ready");
}

function ended(error, id) {
  clearInterval(clock);
  call = null;
  part("own").value = part("bot").value = 0;
  part("secret").hidden = true;
  setMuted(false);
  if (error) return failed(error);
  show("idle", "The call has ended");
  const end = words.end;
  part("why").textContent = end ? `${end.sentence}, after ${part("clock").textContent || seconds(0)}.` : "";
  part("after").hidden = false;
  findReport(id);
}

// The record is written behind the call: wait until its page is there, and show the part that explains the call.
async function findReport(id) {
  const link = part("report");
  link.hidden = true;
  part("explanation").replaceChildren();
  if (!page.dataset.record) return;
  part("waits").hidden = false;
  const address = page.dataset.record.replace("CALL", encodeURIComponent(id));
  for (let tries = 0; tries < REPORT_TRIES && !call; tries++) {
    const response = await fetch(address);
    if (response.ok) {
      const { path, findings } = await response.json();
      link.href = path;
      link.hidden = false;
      part("explanation").replaceChildren(
        ...findings.map((line) => Object.assign(document.createElement("li"), { textContent: line })),
      );
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  part("waits").hidden = true;
}

function setMuted(muted) {
  const button = part("mute");
  button.setAttribute("aria-pressed", muted);
  button.textContent = muted ? "Unmute" : "Mute";
  call?.mute(muted);
}

part("call").addEventListener("click", begin);
part("end").addEventListener("click", () => call?.hangUp());
part("mute").addEventListener("click", () => setMuted(part("mute").getAttribute("aria-pressed") !== "true"));
for (const button of page.querySelectorAll("[data-key]")) {
  button.addEventListener("click", () => call?.press(button.dataset.key));
}
document.addEventListener("keydown", ({ key, target, ctrlKey, metaKey, altKey }) => {
  if (ctrlKey || metaKey || altKey || target.closest("input, select, textarea")) return;
  if (/^[0-9*#]$/.test(key)) call?.press(key);
});
addEventListener("beforeunload", () => call?.hangUp());
show("idle", "Ready");

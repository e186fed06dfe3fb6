// The audio worklet of the loudspeaker: plays 16-bit samples in order, and reports marks when what came before them was played.

import { Resampler } from "./resampler.js";

const REPORT_S = 0.05; // between two levels
const FADE_S = 0.002; // of what is discarded, so that it ends without a click

class Loudspeaker extends AudioWorkletProcessor {
  constructor(options) {
    super();
    this.resampler = new Resampler(options.processorOptions.rate, sampleRate);
    this.waiting = []; // pieces at the device's rate
    this.taken = 0; // frames of the first piece that were played
    this.queued = 0; // frames that came, since the call's start
    this.played = 0; // frames that were played of them
    this.marks = []; // each with the number of frames before it
    this.peak = 0;
    this.sinceReport = 0;
    this.port.onmessage = ({ data }) => this.#take(data);
  }

  #take(message) {
    if (message.audio) return this.#queue(this.resampler.convert(floats(message.audio)));
    if (message.mark) this.marks.push({ name: message.mark, at: this.queued });
    if (message.clear) this.#clear();
  }

  #queue(frames) {
    if (!frames.length) return;
    this.waiting.push(frames);
    this.queued += frames.length;
  }

  #clear() {
    const last = new Float32Array(Math.min(Math.round(FADE_S * sampleRate), this.queued - this.played));
    this.#fill(last);
    const faded = last.map((value, index) => value * (1 - (index + 1) / last.length));
    this.waiting = faded.length ? [faded] : [];
    this.taken = 0;
    this.played -= faded.length; // it is still to be played
    this.queued = this.played + faded.length;
    this.marks = [];
    this.resampler.reset();
    this.port.postMessage({ cleared: this.queued });
  }

  // Fill a block with what waits, and with silence behind it.
  #fill(block) {
    let filled = 0;
    while (filled < block.length && this.waiting.length) {
      const first = this.waiting[0];
      const part = first.subarray(this.taken, this.taken + block.length - filled);
      block.set(part, filled);
      filled += part.length;
      this.taken += part.length;
      if (this.taken === first.length) {
        this.waiting.shift();
        this.taken = 0;
      }
    }
    block.fill(0, filled);
    this.played += filled;
  }

  process(_, outputs) {
    const block = outputs[0][0];
    this.#fill(block);
    while (this.marks.length && this.marks[0].at <= this.played) {
      this.port.postMessage({ played: this.marks.shift().name, frames: this.played });
    }
    for (const value of block) this.peak = Math.max(this.peak, Math.abs(value));
    this.sinceReport += block.length;
    if (this.sinceReport >= REPORT_S * sampleRate) {
      this.port.postMessage({ level: this.peak, waits: this.played < this.queued });
      this.peak = this.sinceReport = 0;
    }
    return true;
  }
}

function floats(buffer) {
  const samples = new DataView(buffer);
  return Float32Array.from({ length: buffer.byteLength >> 1 }, (_, index) => samples.getInt16(2 * index, true) / 32768);
}

registerProcessor("loudspeaker", Loudspeaker);

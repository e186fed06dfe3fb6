// The audio worklet of the microphone: 16-bit samples in pieces of 20 ms, at the rate of the call; silence while muted.

import { Resampler } from "./resampler.js";

const PIECE_S = 0.02;

class Microphone extends AudioWorkletProcessor {
  constructor(options) {
    super();
    const rate = options.processorOptions.rate;
    this.resampler = new Resampler(sampleRate, rate);
    this.piece = new Float32Array(Math.round(PIECE_S * rate));
    this.filled = 0;
    this.muted = false;
    this.port.onmessage = ({ data }) => (this.muted = data.muted);
  }

  process(inputs) {
    const heard = this.muted ? undefined : inputs[0][0];
    for (const value of this.resampler.convert(heard ?? new Float32Array(128))) {
      this.piece[this.filled++] = value;
      if (this.filled === this.piece.length) this.#send();
    }
    return true;
  }

  #send() {
    const audio = new ArrayBuffer(2 * this.piece.length);
    const samples = new DataView(audio);
    let peak = 0;
    this.piece.forEach((value, index) => {
      peak = Math.max(peak, Math.abs(value));
      samples.setInt16(2 * index, Math.round(Math.max(-1, Math.min(32767 / 32768, value)) * 32768), true);
    });
    this.filled = 0;
    this.port.postMessage({ audio, level: peak }, [audio]);
  }
}

registerProcessor("microphone", Microphone);

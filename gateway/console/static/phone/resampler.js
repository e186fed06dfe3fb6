// Converts audio from one rate to another, piece by piece: a windowed sinc, exact for every pair of whole rates.

const ZERO_CROSSINGS = 16; // on each side; at the lower of both rates
const PASSED = 0.92; // of the lower rate's band; the rest is the filter's slope

function divisorOf(a, b) {
  return b === 0 ? a : divisorOf(b, a % b);
}

function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function blackman(x) {
  // from -1 to 1
  return Math.abs(x) >= 1 ? 0 : 0.42 + 0.5 * Math.cos(Math.PI * x) + 0.08 * Math.cos(2 * Math.PI * x);
}

export class Resampler {
  // `from` and `to` are in hertz. What comes out is `delay` seconds late.
  constructor(from, to) {
    const divisor = divisorOf(from, to);
    this.up = to / divisor;
    this.down = from / divisor;
    const lower = Math.min(1, to / from);
    this.half = from === to ? 0 : Math.ceil(ZERO_CROSSINGS / lower);
    this.delay = this.half / from;
    this.phases = from === to ? [] : this.#phases(lower * PASSED);
    this.reset();
  }

  // Forget what came before: the next piece begins anew.
  reset() {
    this.kept = new Float32Array(Math.max(0, 2 * this.half - 1));
    this.phase = 0;
    this.skip = 0;
  }

  #phases(cutoff) {
    const taps = 2 * this.half;
    return Array.from({ length: this.up }, (_, phase) => {
      const kernel = new Float32Array(taps);
      let sum = 0;
      for (let tap = 0; tap < taps; tap++) {
        const x = tap - this.half + 1 - phase / this.up;
        kernel[tap] = sinc(cutoff * x) * blackman(x / this.half);
        sum += kernel[tap];
      }
      return kernel.map((value) => value / sum);
    });
  }

  // Return the samples that can be made of all that has come.
  convert(samples) {
    if (this.half === 0) return samples;
    const input = new Float32Array(this.kept.length + samples.length);
    input.set(this.kept);
    input.set(samples, this.kept.length);
    const taps = 2 * this.half;
    const output = [];
    let at = this.skip;
    while (at + taps <= input.length) {
      const kernel = this.phases[this.phase];
      let sum = 0;
      for (let tap = 0; tap < taps; tap++) sum += kernel[tap] * input[at + tap];
      output.push(sum);
      this.phase += this.down;
      at += Math.floor(this.phase / this.up);
      this.phase %= this.up;
    }
    const from = Math.min(at, input.length);
    this.kept = input.slice(from);
    this.skip = at - from;
    return Float32Array.from(output);
  }
}

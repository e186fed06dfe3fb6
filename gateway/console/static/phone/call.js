// One call of the phone in a browser: microphone and loudspeaker on one side, the media stream of the gateway on the other.
// The messages are those of docs/providers/browser.md.

export const RATE_HZ = 24000; // of the audio on the stream; the worklets convert it to that of the device
const CLOSE_LIMIT_MS = 3000; // the gateway answers a hang-up within two seconds

export class CallError extends Error {}

// Raises CallError in words for the person at the page.
export async function openMicrophone() {
  if (!navigator.mediaDevices) {
    throw new CallError("This browser gives a page the microphone on localhost and behind https:// alone.");
  }
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 },
    });
  } catch (error) {
    if (error.name === "NotFoundError") throw new CallError("There is no microphone: connect one, and call again.");
    if (error.name === "NotAllowedError") {
      throw new CallError("The microphone is not allowed: allow it for this page in the browser, and call again.");
    }
    throw new CallError(`The microphone cannot be used: ${error.message}`);
  }
}

export class Call {
  // `on` has the functions note(message), levels(own, bot), dialled(digits), transferred(to) and ended(error).
  constructor(on) {
    this.on = on;
    this.levels = { own: 0, bot: 0 };
    this.isOver = false;
    this.isStarted = false;
  }

  // Open the audio devices, then the stream that `grant` allows: {path, call}.
  async start(microphone, grant) {
    this.tracks = microphone.getTracks();
    try {
      await this.#openAudio(microphone);
    } catch (error) {
      this.#end();
      throw new CallError(`Audio cannot be played here: ${error.message}`);
    }
    this.socket = new WebSocket(new URL(grant.path, location.href.replace(/^http/, "ws")));
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => {
      this.isStarted = true;
      this.#send({ type: "start", start: { call: grant.call, rate_hz: RATE_HZ } });
    };
    this.socket.onmessage = ({ data }) => this.#take(data);
    this.socket.onclose = ({ code, reason }) => this.#closed(code, reason);
  }

  async #openAudio(microphone) {
    this.context = new AudioContext({ latencyHint: "interactive" });
    await this.context.resume();
    await Promise.all(
      ["microphone", "loudspeaker"].map((name) =>
        this.context.audioWorklet.addModule(new URL(`./${name}.js`, import.meta.url)),
      ),
    );
    const options = { processorOptions: { rate: RATE_HZ }, channelCount: 1, channelCountMode: "explicit" };
    this.microphone = new AudioWorkletNode(this.context, "microphone", { ...options, numberOfOutputs: 0 });
    this.loudspeaker = new AudioWorkletNode(this.context, "loudspeaker", {
      ...options,
      numberOfInputs: 0,
      outputChannelCount: [1],
    });
    this.microphone.port.onmessage = ({ data }) => this.#speak(data);
    this.loudspeaker.port.onmessage = ({ data }) => this.#played(data);
    this.context.createMediaStreamSource(microphone).connect(this.microphone);
    this.loudspeaker.connect(this.context.destination);
  }

  #speak({ audio, level }) {
    this.levels.own = level;
    if (this.isStarted && this.socket.readyState === WebSocket.OPEN) this.socket.send(audio);
  }

  #played(report) {
    if (report.played !== undefined) this.#send({ type: "played", mark: report.played });
    if (report.level === undefined) return;
    this.levels.bot = report.level;
    this.on.levels(this.levels.own, this.levels.bot);
  }

  #take(message) {
    if (message instanceof ArrayBuffer) {
      this.loudspeaker.port.postMessage({ audio: message }, [message]);
      return;
    }
    const read = JSON.parse(message);
    if (read.type === "mark") this.loudspeaker.port.postMessage({ mark: read.mark });
    if (read.type === "clear") this.loudspeaker.port.postMessage({ clear: true });
    if (read.type === "digits") this.on.dialled(read.digits);
    if (read.type === "transfer") {
      this.on.transferred(read.to);
      this.hangUp();
    }
    if (read.type === "note") this.on.note(read);
  }

  #send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  press(key) {
    this.#send({ type: "key", key });
  }

  mute(muted) {
    this.microphone.port.postMessage({ muted });
  }

  // The stream stays open until the gateway closes it: the end of the call comes by it.
  hangUp() {
    this.#send({ type: "hang_up" });
    this.limit ??= setTimeout(() => this.socket.close(), CLOSE_LIMIT_MS);
  }

  #closed(code, reason) {
    clearTimeout(this.limit);
    const isRefused = !this.isStarted || code === 1008 || code === 1013;
    this.#end();
    if (isRefused) {
      const why = reason || "its calls are full, or it has restarted; its log says which";
      this.on.ended(`The gateway does not take the call: ${why}.`);
    } else {
      this.on.ended(code === 1000 || code === 1005 || this.limit ? "" : "The connection to the gateway was lost.");
    }
  }

  // What the device still has to play is played.
  #end() {
    if (this.isOver) return;
    this.isOver = true;
    this.tracks.forEach((track) => track.stop());
    const rest = 1000 * (this.context?.outputLatency || 0) + 100;
    setTimeout(() => this.context?.close(), rest);
  }
}

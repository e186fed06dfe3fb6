// A session of the official SDK for JavaScript, on Node.
import { readFileSync } from "node:fs";
import { AzureKeyCredential } from "@azure/core-auth";
import { VoiceLiveClient } from "@azure/ai-voicelive";

const RATE_HZ = 24_000;
const FRAME_MS = 20;
const client = new VoiceLiveClient(process.env.VOICE_LIVE_ENDPOINT, new AzureKeyCredential(process.env.VOICE_LIVE_KEY));
const session = await client.startSession("gpt-4.1");
const met = { calls: [], words: "", audio_ms: 0 };
let bytes = 0;

const answered = new Promise((resolve) => {
  session.subscribe({
    onResponseFunctionCallArgumentsDone: async (event) => {
      met.calls.push(event.name);
      await session.addConversationItem({
        type: "function_call_output",
        callId: event.callId,
        output: JSON.stringify({ weather: "sunny", degrees: 25 }),
      });
      await session.sendEvent({ type: "response.create" });
    },
    onResponseAudioTranscriptDelta: async (event) => {
      met.words += event.delta;
    },
    onResponseAudioDelta: async (event) => {
      bytes += event.delta.byteLength;
    },
    onResponseDone: async () => {
      if (bytes > 0) resolve();
    },
  });
});
await session.updateSession({
  modalities: ["text", "audio"],
  instructions: "Answer questions about the weather.",
  voice: { type: "azure-standard", name: "en-US-AvaNeural" },
  turnDetection: { type: "azure_semantic_vad", silenceDurationInMs: 500 },
  inputAudioTranscription: { model: "azure-speech" },
  inputAudioFormat: "pcm16",
  outputAudioFormat: "pcm16",
  tools: [
    {
      type: "function",
      name: "get_weather",
      description: "The weather at a location.",
      parameters: { type: "object", properties: { location: { type: "string" } }, required: ["location"] },
    },
  ],
});
const question = readFileSync(process.env.QUESTION);
const size = (2 * RATE_HZ * FRAME_MS) / 1000;
let at = 0;
const speaking = setInterval(() => {
  const frame = Buffer.alloc(size); // silence once the question is over, as a microphone has it
  if (at < question.length) question.copy(frame, 0, at, Math.min(at + size, question.length));
  at += size;
  session.sendAudio(frame).catch(() => {});
}, FRAME_MS);
await answered;
clearInterval(speaking);
await session.dispose();
met.audio_ms = Math.round((1000 * bytes) / 2 / RATE_HZ);
console.log(JSON.stringify(met));

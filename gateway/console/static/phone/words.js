// Shows the notes of a call as they come: words, those that were not heard struck out, tools, keys, latencies.

const NOTABLE_MS = 200; // less of a reply that was not heard is not worth a line
const GOOD_MS = 2000; // an answer that takes longer is shown as late

export const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

function element(name, className, text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.textContent = text; // never as HTML: these words are a caller's
  return made;
}

export class Words {
  // `list` shows what is said; `latency` shows how soon the bot answers; `secret(on)` is called as keys become secret.
  constructor(list, latency, secret) {
    Object.assign(this, { list, latency, secret });
    this.clear();
  }

  clear() {
    this.list.replaceChildren();
    this.latency.textContent = "";
    this.turns = new Map();
    this.answers = new Map();
    this.end = null;
  }

  #entry(className, who, words) {
    const entry = element("li", className);
    entry.append(element("span", "who", who), words);
    this.list.append(entry);
    entry.scrollIntoView({ block: "nearest" });
    return entry;
  }

  #turn(speaker, id) {
    if (!this.turns.has(id)) {
      const words = element("p", "words coming", "…");
      const facts = element("p", "facts");
      const entry = this.#entry(`turn ${speaker}`, speaker === "bot" ? "Bot" : "You", words);
      entry.append(facts);
      this.turns.set(id, { entry, words, facts });
    }
    return this.turns.get(id);
  }

  #act(text, className = "act", who = "") {
    return this.#entry(className, who, element("p", "words", text));
  }

  take({ note, fields }) {
    const act = this[`on_${note}`];
    if (act) act.call(this, fields);
    else if (fields.act) this.#act(fields.act, `act ${fields.who}`, { tool: "Tool", key: "Keys" }[fields.who] ?? "Call");
  }

  on_call_started({ line_error }) {
    if (line_error) this.#act(`This call uses the version before: the line's file has a mistake. ${line_error}`, "act bad");
  }

  on_caller_spoke({ item_id }) {
    this.#turn("caller", item_id);
  }

  on_caller_partly_said({ item_id, text }) {
    const { words } = this.#turn("caller", item_id);
    if (words.classList.contains("coming")) words.textContent = words.textContent.replace(/^…$/, "") + text;
  }

  on_caller_said({ item_id, text }) {
    const { words } = this.#turn("caller", item_id);
    words.textContent = text || "(no words)";
    words.classList.remove("coming");
  }

  on_transcription_failed({ item_id }) {
    this.on_caller_said({ item_id, text: "(the words are not known)" });
  }

  on_speech_ignored({ item_id, reason }) {
    this.#turn("caller", item_id).facts.textContent = `did not interrupt: ${reason}`;
  }

  on_reply_started({ item_id, latency_ms }) {
    this.#turn("bot", item_id);
    if (latency_ms !== null) this.#answered(item_id, latency_ms);
  }

  on_reply_played({ item_id, heard_after_ms }) {
    const begun = this.answers.get(item_id);
    if (begun && !begun.isHeard) this.#answered(item_id, begun.ms + heard_after_ms, true);
  }

  #answered(id, ms, isHeard = false) {
    this.answers.set(id, { ms, isHeard });
    const turn = this.#turn("bot", id);
    turn.answered ??= turn.entry.querySelector(".who").appendChild(element("span", "answered"));
    turn.answered.textContent = ` answered in ${seconds(ms)}`;
    turn.answered.classList.toggle("late", ms > GOOD_MS);
    const all = [...this.answers.values()].map((answer) => answer.ms).sort((a, b) => a - b);
    const rule = all.length > 1 ? `, ${seconds(all[all.length >> 1])} as a rule` : "";
    this.latency.textContent = `Answered in ${seconds(ms)}${rule}`;
  }

  on_reply_said({ item_id, text }) {
    const { words } = this.#turn("bot", item_id);
    if (words.classList.contains("coming")) words.textContent = text;
  }

  on_reply_heard({ item_id, heard_ms, received_ms, text, unheard }) {
    const { entry, words, facts } = this.#turn("bot", item_id);
    entry.dataset.heardMs = heard_ms;
    words.classList.remove("coming");
    if (text || unheard) words.replaceChildren(element("span", "", text));
    if (unheard) {
      words.append(" ", element("span", "aside", "Not heard: "), element("del", "", unheard));
    }
    if (unheard || received_ms - heard_ms >= NOTABLE_MS) facts.textContent = `heard for ${seconds(heard_ms)} of ${seconds(received_ms)}`;
  }

  on_tool_called({ call_id, tool }) {
    this.turns.set(call_id, this.#act(`${tool} …`, "act tool running", "Tool"));
  }

  on_tool_returned({ call_id, act, outcome }) {
    const entry = this.turns.get(call_id) ?? this.#act("", "act tool", "Tool");
    entry.classList.remove("running");
    entry.classList.toggle("bad", outcome !== "ok");
    entry.querySelector(".words").textContent = act;
  }

  on_mcp_called({ item_id, server, tool }) {
    this.on_tool_called({ call_id: item_id, tool: `${server}/${tool}` });
  }

  on_mcp_returned({ item_id, act, outcome }) {
    this.on_tool_returned({ call_id: item_id, act, outcome });
  }

  on_secure_entry_started({ act }) {
    this.secret(true);
    this.#act(act, "act key", "Keys");
  }

  on_secure_entry_ended({ act }) {
    this.secret(false);
    this.#act(act, "act key", "Keys");
  }

  on_session_lost() {
    this.#act("The Voice Live session was lost; another one is sought", "act bad", "Call");
  }

  on_session_recovered({ after_ms }) {
    this.#act(`Another session goes on after ${seconds(after_ms)}`, "act", "Call");
  }

  on_silence_prompt() {
    this.#act("You said nothing: the bot asks", "act", "Call");
  }

  on_call_ended(fields) {
    this.end = fields;
  }
}

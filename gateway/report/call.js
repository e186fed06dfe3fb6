// The page of a call: plays its sound from any moment, and follows it in the picture and among the words.
(() => {
  const player = document.querySelector(".player"), audio = player && player.querySelector("audio");
  const pictures = [...document.querySelectorAll(".picture svg")], turns = [...document.querySelectorAll(".turns li[data-at]")];
  const clock = seconds => { const tenths = Math.round(seconds * 10); return `${Math.floor(tenths / 600)}:${String(Math.floor(tenths / 10) % 60).padStart(2, "0")}.${tenths % 10}`; };

  const copy = document.querySelector(".copy button"), text = document.querySelector(".copy pre");
  const copied = () => { copy.textContent = "Copied"; setTimeout(() => { copy.textContent = "Copy transcript"; }, 2000); };
  const select = () => {  // a page that is opened from a file may not write to the clipboard
    text.closest("details").open = true;
    getSelection().selectAllChildren(text);
    if (document.execCommand("copy")) copied();
  };
  if (copy) copy.addEventListener("click", () =>
    navigator.clipboard ? navigator.clipboard.writeText(text.textContent).then(copied, select) : select());
  if (!audio) return;

  const find = name => player.querySelector(name), seek = find(".seek"), play = find(".play"), said = find(".said");
  const from = Number(player.dataset.from), marked = JSON.parse(player.dataset.marked);
  const at = () => audio.currentTime + from;
  const move = seconds => { audio.currentTime = Math.max(0, seconds - from); };
  const start = () => { audio.play().catch(() => { said && (said.textContent = "The recording cannot be played."); }); };
  const go = seconds => { move(seconds); start(); };
  audio.controls = false;
  audio.hidden = true;
  find(".controls").hidden = false;

  let current = null, seeking = false;
  const show = () => {
    const now = at();
    find(".clock b").textContent = clock(now);
    if (!seeking) seek.value = now;
    seek.setAttribute("aria-valuetext", clock(now));
    for (const svg of pictures) {
      const head = svg.querySelector(".playhead"), share = now / Number(svg.dataset.seconds), x = share * svg.viewBox.baseVal.width;
      head.setAttribute("x1", x); head.setAttribute("x2", x); head.style.visibility = "visible";
      const frame = svg.parentElement, place = share * svg.clientWidth;
      if (!audio.paused && svg.clientWidth > frame.clientWidth && (place < frame.scrollLeft || place > frame.scrollLeft + frame.clientWidth - 60))
        frame.scrollLeft = place - 60;
    }
    const spoken = turns.filter(turn => Number(turn.dataset.at) <= now + 0.05).pop() || null;
    if (spoken === current) return;
    if (current) { current.classList.remove("now"); current.removeAttribute("aria-current"); }
    current = spoken;
    if (!current) return;
    current.classList.add("now"); current.setAttribute("aria-current", "true");
    if (audio.paused || !find(".follow").checked) return;
    const box = current.getBoundingClientRect(), top = player.getBoundingClientRect().bottom;
    const isReading = turns[0].getBoundingClientRect().top < innerHeight - 80;  // the words are in sight at all
    if (isReading && (box.top < top || box.bottom > innerHeight))
      current.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  };
  const follow = () => { show(); if (!audio.paused) requestAnimationFrame(follow); };
  for (const happened of ["play", "pause", "ended"]) audio.addEventListener(happened, () => {
    player.classList.toggle("playing", !audio.paused);
    play.setAttribute("aria-label", audio.paused ? "Play" : "Pause");
  });
  audio.addEventListener("play", follow);
  audio.addEventListener("seeked", show);
  play.addEventListener("click", () => audio.paused ? start() : audio.pause());
  seek.addEventListener("input", () => { seeking = true; move(Number(seek.value)); });
  seek.addEventListener("change", () => { seeking = false; });
  find(".speed").addEventListener("change", event => { audio.playbackRate = Number(event.target.value); });
  for (const button of player.querySelectorAll("[data-step]")) button.addEventListener("click", () => {
    const now = at(), step = Number(button.dataset.step);
    const next = step > 0 ? marked.find(one => one.at > now + 1.5) : marked.filter(one => one.at < now - 0.5).pop();
    said.textContent = next ? `${clock(next.at)} ${next.what}` : step > 0 ? "No more" : "None before";
    if (next) go(next.at - 1);
  });
  for (const svg of pictures) {
    svg.addEventListener("click", event => {
      const block = event.target.closest("[data-at]"), box = svg.getBoundingClientRect();
      go(block ? Number(block.dataset.at) : (event.clientX - box.left) / box.width * Number(svg.dataset.seconds));
    });
    svg.addEventListener("keydown", event => {
      const block = event.target.closest("[data-at]");
      if (!block || (event.key !== "Enter" && event.key !== " ")) return;
      event.preventDefault();
      go(Number(block.dataset.at));
    });
  }
  for (const button of document.querySelectorAll("button[data-at]"))
    button.addEventListener("click", () => go(Number(button.dataset.at)));
  if (player.dataset.waveforms) fetch(player.dataset.waveforms).then(answer => answer.ok ? answer.json() : {}).then(shapes => {
    for (const svg of pictures) {
      const shape = shapes[svg.getAttribute("class")];
      if (shape) for (const side of ["caller", "bot"]) svg.querySelector(`path.${side}`).setAttribute("d", shape[side]);
    }
  });
})();

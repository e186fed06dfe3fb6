// The list of calls: plays one recording at a time.
(() => {
  const audio = new Audio(), status = document.querySelector("[data-status]");
  let current = null;
  const show = () => {
    if (!current) return;
    current.classList.toggle("playing", !audio.paused);
    current.setAttribute("aria-pressed", String(!audio.paused));
  };
  for (const happened of ["play", "pause", "ended"]) audio.addEventListener(happened, show);
  audio.addEventListener("error", () => {
    if (!current) return;
    current.classList.add("broken");
    current.title = status.textContent = "The recording cannot be played: open the call to see why.";
    show();
  });
  for (const button of document.querySelectorAll("button[data-sound]")) button.addEventListener("click", () => {
    if (current === button && !audio.paused) { audio.pause(); return; }
    if (current !== button) {
      audio.pause();
      show();
      current = button;
      audio.src = button.dataset.sound;
    }
    audio.play().catch(() => undefined);  // the error event has said it
  });
})();

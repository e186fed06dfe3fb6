(() => {
  const audio = document.querySelector("audio"), pictures = [...document.querySelectorAll("svg")];
  const go = at => { if (audio) { audio.currentTime = at; audio.play(); } };
  const follow = () => {
    for (const svg of pictures) {
      const head = svg.querySelector(".playhead"), x = audio.currentTime / Number(svg.dataset.seconds) * svg.viewBox.baseVal.width;
      head.setAttribute("x1", x); head.setAttribute("x2", x); head.style.visibility = "visible";
    }
    if (!audio.paused) requestAnimationFrame(follow);
  };
  if (audio) for (const happened of ["play", "seeked"]) audio.addEventListener(happened, follow);
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
  const copy = document.querySelector(".copy button"), text = document.querySelector(".copy pre");
  const copied = () => { copy.textContent = "Copied"; setTimeout(() => { copy.textContent = "Copy transcript"; }, 2000); };
  const select = () => {  // a page that is opened from a file may not write to the clipboard
    text.closest("details").open = true;
    getSelection().selectAllChildren(text);
    if (document.execCommand("copy")) copied();
  };
  if (copy) copy.addEventListener("click", () =>
    navigator.clipboard ? navigator.clipboard.writeText(text.textContent).then(copied, select) : select());
})();

// Plays the recordings of a page: <div class="recording" data-cast="images/x.cast"></div>
document.addEventListener("DOMContentLoaded", () => {
  for (const box of document.querySelectorAll(".recording")) {
    AsciinemaPlayer.create(new URL(box.dataset.cast, document.baseURI).href, box, { poster: "npt:0:20", idleTimeLimit: 1.5, fit: "width" });
  }
});

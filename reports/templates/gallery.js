// Clips and pictures of the gallery: a line runs along while a clip plays, a click into the picture starts there, and a
// second clip goes on where the first one was, so that two sounds can be compared.
for (const shown of document.querySelectorAll(".shown")) {
  const videos = Array.from(shown.querySelectorAll("video"));
  const time = shown.querySelector(".time");
  const cursor = shown.querySelector(".cursor");
  const left = Number(shown.dataset.left);
  const right = Number(shown.dataset.right);
  const seconds = Number(shown.dataset.seconds);
  let last = videos[0];

  const place = () => {
    const share = Math.min(last.currentTime / seconds, 1);
    cursor.style.left = `${100 * (left + (right - left) * share)}%`;
    cursor.hidden = false;
  };
  const follow = () => {
    place();
    if (!last.paused && !last.ended) requestAnimationFrame(follow);
  };

  for (const video of videos) {
    video.addEventListener("play", () => {
      for (const other of document.querySelectorAll("video")) {
        if (other === video || other.paused) continue;
        if (videos.includes(other)) video.currentTime = other.currentTime;
        other.pause();
      }
      last = video;
      follow();
    });
    video.addEventListener("seeked", () => {
      last = video;
      place();
    });
  }

  time.addEventListener("click", (event) => {
    const box = time.getBoundingClientRect();
    const share = ((event.clientX - box.left) / box.width - left) / (right - left);
    last.currentTime = Math.min(Math.max(share, 0), 1) * seconds;
    last.play();
  });
}

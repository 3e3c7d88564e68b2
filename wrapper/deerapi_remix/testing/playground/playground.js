"use strict";

const PERIOD = 500;
const SHOWN_REQUESTS = 20;
const KEY = "playground";

const $ = (selector, within = document) => within.querySelector(selector);

const dark = matchMedia("(prefers-color-scheme: dark)");
const followScheme = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", followScheme);
followScheme();

// Swagger UI would show the bytes of a video as text.
const videosPlay = () => ({
  wrapComponents: {
    responseBody: (Original, { React }) => function ResponseBody(props) {
      const film = props.contentType?.startsWith("video/") && props.content instanceof Blob ? props.content : null;
      const src = React.useMemo(() => film && URL.createObjectURL(film), [film]);
      return React.createElement(film ? "video" : Original, film ? { src, controls: true } : props);
    },
  },
});

SwaggerUIBundle({
  url: "/_mock/openapi.json",
  dom_id: "#api",
  tryItOutEnabled: true,
  validatorUrl: null,
  plugins: [videosPlay],
  defaultModelsExpandDepth: -1,
  syntaxHighlight: { theme: "tomorrow-night" },
});

// By id, as shown.
const cards = new Map();

function addCard(job) {
  const card = $("#job").content.cloneNode(true).firstElementChild;
  $(".id", card).textContent = job.id;
  $(".model", card).textContent = job.model;
  $(".prompt", card).textContent = job.prompt ?? "A finished video, to be remixed";
  $("progress", card).setAttribute("aria-label", `Progress of ${job.id}`);
  $(".play", card).setAttribute("aria-label", `Play ${job.id}`);
  $(".play", card).addEventListener("click", () => play(job.id, card));
  cards.set(job.id, card);
  $("#list").prepend(card);
  return card;
}

function update(card, job) {
  card.dataset.status = job.status;
  setText($(".status", card), job.status.replace("_", " "));
  setText($(".error", card), job.error?.message ?? "");
  $("progress", card).value = job.progress;
}

// Only what changes is read out, and keeps its selection.
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

async function play(id, card) {
  const button = $(".play", card);
  button.disabled = true;
  try {
    const answer = await fetch(`/v1/videos/${encodeURIComponent(id)}/content`, {
      headers: { Authorization: `Bearer ${KEY}` },
    });
    if (!answer.ok) throw new Error(`The mock answered ${answer.status}.`);
    const video = document.createElement("video");
    video.src = URL.createObjectURL(await answer.blob());
    Object.assign(video, { controls: true, muted: true, loop: true, playsInline: true, tabIndex: 0 });
    button.replaceWith(video);
    video.focus();
    await video.play();
  } catch (error) {
    $(".error", card).textContent = `It cannot be played: ${error.message}`;
    button.disabled = false;
  }
}

function removeCard(id, card) {
  const video = $("video", card);
  if (video) URL.revokeObjectURL(video.src);
  card.remove();
  cards.delete(id);
}

function showRequests(requests) {
  setText($("#count"), String(requests.length));
  const lines = requests.slice(-SHOWN_REQUESTS).reverse().map((request) => {
    const line = document.createElement("li");
    line.textContent = `${request.status ?? "lost"} ${request.method} ${request.path}`;
    return line;
  });
  $("#requests").replaceChildren(...lines);
}

async function refresh() {
  const answer = await fetch("/_mock/state");
  if (!answer.ok) throw new Error(`The mock answered ${answer.status}.`);
  const { jobs, requests } = await answer.json();
  const known = new Set(jobs.map((job) => job.id));
  for (const [id, card] of cards) if (!known.has(id)) removeCard(id, card);
  for (const job of jobs) update(cards.get(job.id) ?? addCard(job), job);
  $("#none").hidden = jobs.some((job) => job.remixed_from_video_id !== null);
  const open = jobs.filter((job) => job.status !== "completed" && job.status !== "failed").length;
  setText($("#summary"), open ? `${open} rendering` : "Jobs");
  showRequests(requests);
}

async function follow() {
  if (!document.hidden) {
    try {
      await refresh();
      $("#trouble").hidden = true;
    } catch {
      setText($("#trouble"), "The mock does not answer. Is it still running?");
      $("#trouble").hidden = false;
    }
  }
  setTimeout(follow, PERIOD);
}

async function reset() {
  await fetch("/_mock/reset", { method: "POST" }).then(refresh).catch(() => {}); // `follow` says what is wrong.
}

$("#reset").addEventListener("click", reset);
follow();

"use strict";

const PERIOD = 500;
const SHOWN_JOBS = 100;
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

// An operation documents a dozen answers, which would push the one that came far down.
const answersFold = () => ({
  wrapComponents: {
    responses: (Original, { React }) => function Responses(props) {
      const [open, setOpen] = React.useState(false);
      const toggle = { type: "button", className: "fold", "aria-expanded": open, onClick: () => setOpen(!open) };
      return React.createElement(
        "div",
        { className: open ? "answers" : "answers folded" },
        React.createElement(Original, props),
        React.createElement("button", toggle, open ? "Hide the documented answers" : "Show the documented answers"),
      );
    },
  },
});

const swagger = SwaggerUIBundle({
  url: "/_mock/openapi.json",
  dom_id: "#api",
  tryItOutEnabled: true,
  validatorUrl: null,
  plugins: [videosPlay, answersFold],
  defaultModelsExpandDepth: -1,
  syntaxHighlight: { theme: "tomorrow-night" },
  onComplete: authorise,
});

async function authorise() {
  const { any_key: anyKey } = await askForState();
  if (anyKey) swagger.preauthorizeApiKey("bearerAuth", KEY);
  else setText($("#key"), "Authorize with a key that it was started with.");
}

// The key that a person has entered, or the one that stands there from the beginning.
function authorization() {
  const key = swagger.authSelectors.authorized().getIn(["bearerAuth", "value"]) ?? KEY;
  return { Authorization: `Bearer ${key}` };
}

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
      headers: authorization(),
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

function showRequests(requests, count) {
  setText($("#count"), String(count));
  const lines = requests.slice(-SHOWN_REQUESTS).reverse().map((request) => {
    const line = document.createElement("li");
    line.textContent = `${request.status ?? "lost"} ${request.method} ${request.path}`;
    return line;
  });
  $("#requests").replaceChildren(...lines);
}

async function askForState() {
  const answer = await fetch(`/_mock/state?latest=${SHOWN_JOBS}`);
  if (!answer.ok) throw new Error(`The mock answered ${answer.status}.`);
  return answer.json();
}

async function refresh() {
  const { jobs, requests, count } = await askForState();
  const known = new Set(jobs.map((job) => job.id));
  for (const [id, card] of cards) if (!known.has(id)) removeCard(id, card);
  for (const job of jobs) update(cards.get(job.id) ?? addCard(job), job);
  $("#none").hidden = jobs.some((job) => job.remixed_from_video_id !== null);
  setText($("#summary"), count.rendering ? `${count.rendering} rendering` : "Jobs");
  showRequests(requests, count.requests);
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

async function sendFirstRemix() {
  const answer = await fetch("/v1/videos/video_123/remix", {
    method: "POST",
    headers: { ...authorization(), "Content-Type": "application/json" },
    body: JSON.stringify({ prompt: "The cat takes a bow" }),
  });
  if (!answer.ok) setText($("#refused"), `The mock answered ${answer.status}.`);
  await refresh();
}

$("#first").addEventListener("click", sendFirstRemix);
$("#reset").addEventListener("click", reset);
follow();

// A whole job and three refusals with the SDK for Node, told as JSON: node job.mjs BASE_URL KEY
import OpenAI from "openai";

const [baseURL, apiKey] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });

async function refusal(call) {
  try {
    await call();
  } catch (error) {
    return [error.constructor.name, error.status, error.code];
  }
  return "not refused";
}

const models = (await client.models.list()).data.map((model) => model.id);
const submitted = await client.videos.remix("video_123", { prompt: "The cat takes a bow" });
let video = submitted;
while (video.status === "queued" || video.status === "in_progress") {
  await new Promise((resolve) => setTimeout(resolve, 50));
  video = await client.videos.retrieve(submitted.id);
}
const file = Buffer.from(await (await client.videos.downloadContent(video.id)).arrayBuffer());
const stranger = new OpenAI({ baseURL, apiKey: "sk-of-a-stranger", maxRetries: 0 });
console.log(
  JSON.stringify({
    models,
    submitted: [submitted.status, submitted.remixed_from_video_id],
    finished: [video.id === submitted.id, video.status, video.progress],
    file: file.subarray(4, 8).toString(),
    refusals: [
      await refusal(() => stranger.models.list()),
      await refusal(() => client.videos.remix("video_999", { prompt: "x" })),
      await refusal(() => client.videos.retrieve("video_999")),
    ],
  }),
);

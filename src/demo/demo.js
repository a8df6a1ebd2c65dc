// The page: drawing, and what the model makes of it.

import { drawn, fitted, pictured, scaled } from "ink";
import * as ort from "onnxruntime-web";

const PEN = 0.085; // the width of a line, as a share of the canvas
const LARGEST = 560; // pixels of the longer side of a picture; more bring nothing
const LIVE = 25; // milliseconds; a model that takes longer is asked when a line is finished, not while it is drawn

const find = (id) => document.getElementById(id);
const { classes, side, noun, labels } = JSON.parse(find("facts").textContent);
const canvas = find("canvas");
const bars = find("bars").children;
const places = [...find("nearest").children];

let session;
let trainingImages; // the pixels of all examples, one image after the other, in [0, 255]
let history = [{ strokes: [], picture: null }]; // what was on the canvas, step by step
let stroke = null; // the line that is being drawn
let milliseconds = Infinity; // that the model took the last time

// ---- from the canvas to the model

const current = () => history.at(-1);
const strokes = () => (stroke ? [...(current().picture ? [] : current().strokes), stroke] : current().strokes);
const ink = () => (current().picture && !stroke ? current().picture : drawn(strokes(), PEN));

async function predict(image) {
  const start = performance.now();
  const input = new ort.Tensor("float32", image, [1, side, side]);
  const { probabilities } = await session.run({ images: input });
  milliseconds = performance.now() - start;
  return probabilities.data;
}

let [running, waiting] = [false, false];

/** Show what the model makes of the canvas; of several calls while it computes, only the last counts. */
async function update() {
  waiting = true;
  if (running || !session) return;
  running = true;
  while (waiting) {
    waiting = false;
    const image = (find("fit").checked ? fitted : scaled)(ink(), side);
    paint(find("image"), image);
    if (image.some((value) => value > 0)) {
      show(image, await predict(image));
    } else {
      showNothing();
    }
  }
  running = false;
}

// ---- what is shown

const percent = (share) => `${(100 * share).toFixed(share < 0.0995 || share > 0.9995 ? 1 : 0)}\u00a0%`;

function show(image, probabilities) {
  const order = [...classes.keys()].sort((one, other) => probabilities[other] - probabilities[one]);
  classes.forEach((_, index) => setBar(index, probabilities[index], index === order[0]));
  answer(classes[order[0]]);
  const nearest = nearestTo(image);
  places.forEach((place, rank) => showExample(place, nearest[rank], order[0]));
  if (stroke) return; // a screen reader need not hear every stage of a line
  const same = nearest.filter((index) => labels[index] === order[0]).length;
  say(
    `The model reads ${classes[order[0]]} with a probability of ${percent(probabilities[order[0]])}, ` +
      `then ${classes[order[1]]} with ${percent(probabilities[order[1]])}. ` +
      `Of the ${nearest.length} training images nearest to it, ${same} ${same === 1 ? "is" : "are"} ${classes[order[0]]}.`,
  );
}

function showNothing() {
  classes.forEach((_, index) => setBar(index, null, false));
  answer("?");
  places.forEach((place) => showExample(place));
  say(current().picture && !stroke ? "There is no ink in this picture." : `Draw a ${noun}, or open a picture of one.`);
}

function answer(label) {
  find("answer").textContent = label;
  find("answer").classList.toggle("none", label === "?");
}

function setBar(index, probability, best) {
  const bar = bars[index];
  bar.classList.toggle("best", best);
  bar.style.setProperty("--share", probability ?? 0);
  const value = bar.querySelector("data");
  value.value = probability ?? "";
  value.textContent = probability === null ? "" : percent(probability);
}

function say(sentence, wrong = false) {
  find("result").textContent = sentence;
  find("result").classList.toggle("wrong", wrong);
}

/** Return the indices of the training images with the least Euclidean distance to an image, nearest first. */
function nearestTo(image) {
  const pixels = image.length;
  const distances = labels.map((_, example) => {
    let sum = 0;
    for (let pixel = 0; pixel < pixels; pixel++) {
      sum += (trainingImages[example * pixels + pixel] / 255 - image[pixel]) ** 2;
    }
    return sum;
  });
  return [...distances.keys()].sort((one, other) => distances[one] - distances[other]).slice(0, places.length);
}

function showExample(place, example, best) {
  const pixels = example === undefined ? [0] : trainingImages.subarray(example * side * side, (example + 1) * side * side);
  paint(place.querySelector("canvas"), Float32Array.from(pixels, (value) => value / 255), Math.sqrt(pixels.length));
  place.querySelector("span").textContent = example === undefined ? "" : classes[labels[example]];
  place.classList.toggle("same", labels[example] === best);
}

/** Paint a field of ink as black of that opacity; the style sheet turns it over in the dark. */
function paint(element, values, width = side) {
  const height = values.length / width;
  [element.width, element.height] = [width, height];
  const pixels = new ImageData(width, height);
  values.forEach((value, index) => (pixels.data[4 * index + 3] = Math.round(255 * value)));
  element.getContext("2d").putImageData(pixels, 0, 0);
}

function paintCanvas() {
  const { picture } = current();
  if (picture && !stroke) {
    paint(canvas, scaled(picture, LARGEST), LARGEST);
    return;
  }
  canvas.width = canvas.height = Math.round(canvas.clientWidth * devicePixelRatio);
  const context = canvas.getContext("2d");
  context.scale(canvas.width, canvas.height);
  Object.assign(context, { lineWidth: PEN, lineCap: "round", lineJoin: "round" });
  for (const points of strokes()) {
    context.beginPath();
    points.forEach(([x, y]) => context.lineTo(x, y));
    context.lineTo(...points.at(-1)); // a point is a line that ends where it starts
    context.stroke();
  }
}

function changed() {
  find("undo").disabled = history.length === 1;
  find("clear").disabled = current().strokes.length === 0 && !current().picture;
  find("hint").hidden = stroke !== null || !find("clear").disabled;
  paintCanvas();
  return update();
}

// ---- what a person does

function position(event) {
  const { left, top, width, height } = canvas.getBoundingClientRect();
  return [(event.clientX - left) / width, (event.clientY - top) / height];
}

canvas.addEventListener("pointerdown", (event) => {
  if (!event.isPrimary || event.button !== 0) return;
  canvas.setPointerCapture(event.pointerId);
  stroke = [position(event)];
  changed();
});

canvas.addEventListener("pointermove", (event) => {
  if (!stroke || !event.isPrimary) return;
  const events = event.getCoalescedEvents?.() ?? [];
  stroke.push(...(events.length ? events : [event]).map(position));
  paintCanvas();
  if (milliseconds < LIVE) update();
});

for (const type of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(type, async (event) => {
    if (!stroke || !event.isPrimary) return;
    const start = performance.now();
    history.push({ strokes: strokes(), picture: null });
    stroke = null;
    await changed();
    performance.measure("from a stroke to the bars", { start });
  });
}

function undo() {
  if (history.length > 1) history.pop();
  changed();
}

find("undo").addEventListener("click", undo);
find("clear").addEventListener("click", () => {
  history.push({ strokes: [], picture: null });
  changed();
  canvas.focus();
});
find("fit").addEventListener("change", update);
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "z") undo();
});
window.addEventListener("resize", paintCanvas);

async function openFile(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    say(`${file.name} is not a picture that this browser can read; choose a PNG or JPEG file.`, true);
    return;
  }
  const scale = Math.min(1, LARGEST / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((length) => Math.max(1, Math.round(scale * length)));
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.fillStyle = "white"; // behind what is transparent
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  history.push({ strokes: [], picture: pictured(context.getImageData(0, 0, width, height)) });
  changed();
}

find("file").addEventListener("change", ({ target }) => {
  if (target.files.length) openFile(target.files[0]);
  target.value = ""; // so that the same file can be chosen again
});
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files.length) openFile(event.dataTransfer.files[0]);
});
document.addEventListener("paste", (event) => {
  if (event.clipboardData.files.length) openFile(event.clipboardData.files[0]);
});

// ---- loading

/** Return the bytes of one of the compressed blocks at the end of the page. */
async function unpacked(id) {
  const characters = atob(find(id).textContent);
  find(id).remove(); // it is not needed any more, and it is large
  const bytes = new Uint8Array(characters.length);
  for (let index = 0; index < bytes.length; index++) bytes[index] = characters.charCodeAt(index);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function load() {
  trainingImages = await unpacked("images-of-training");
  ort.env.wasm.wasmBinary = await unpacked("runtime");
  ort.env.wasm.numThreads = 1; // threads need a server that isolates the page
  session = await ort.InferenceSession.create(await unpacked("model"), { executionProviders: ["wasm"] });
  await predict(new Float32Array(side * side)); // the first time takes longer
  document.documentElement.dataset.ready = "";
  performance.measure("until the model is ready");
}

changed(); // a person can draw while the model loads
try {
  await load();
  await update();
} catch (error) {
  say(`This browser cannot run the model: ${error.message}`, true);
  throw error;
}

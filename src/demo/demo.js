// The page: drawing, and the prediction of the model.

import { fit, inkOfPicture, inkOfStrokes, scale } from "ink";
import * as ort from "onnxruntime-web";

const PEN = 0.085; // the width of a line, as a share of the canvas
const DRAWING = 280; // pixels of a side of a drawing, from which the image for the model is made
const PICTURE = 560; // the most pixels of the longer side of a picture; more bring nothing
const LIVE = 25; // milliseconds; a model that takes longer is run when a line is finished, not while it is drawn

const find = (id) => document.getElementById(id);
const { classes, names, side, brightBackground, labels } = JSON.parse(find("facts").textContent);
const canvas = find("canvas");
const bars = [...find("bars").children];
const places = [...find("nearest").children];

let session; // the model, once it is loaded
let labelledImages; // the ink of all examples, one image after the other, in [0, 255]
let milliseconds = Infinity; // that the model took the last time
let steps = [{ strokes: [], picture: null }]; // what has been on the canvas; the last step is there now
let stroke = null; // the line that is being drawn

/** Return what is on the canvas: strokes, which are lists of points in [0, 1], or the ink of a picture. */
function content() {
  const last = steps.at(-1);
  return stroke ? { strokes: [...last.strokes, stroke], picture: null } : last;
}

// ---- from the canvas to the model

function ink() {
  const { strokes, picture } = content();
  if (picture) return picture;
  const context = new OffscreenCanvas(DRAWING, DRAWING).getContext("2d", { willReadFrequently: true });
  drawStrokes(context, strokes);
  return inkOfStrokes(context.getImageData(0, 0, DRAWING, DRAWING));
}

async function predict(model, image) {
  const start = performance.now();
  const pixels = brightBackground ? image.map((value) => 1 - value) : image;
  const input = new ort.Tensor("float32", pixels, [1, side, side]);
  const { probabilities } = await model.run({ images: input });
  milliseconds = performance.now() - start;
  return probabilities.data;
}

let calls = 0;
let shown = Promise.resolve();

/** Show the prediction for the canvas, after earlier calls; of the calls that wait, only the last has an effect. */
function update() {
  const call = ++calls;
  shown = shown.then(() => call === calls && showPrediction());
  return shown;
}

// ---- what is shown

async function showPrediction() {
  const image = (find("fit").checked ? fit : scale)(ink(), side);
  paint(find("image"), image);
  if (session && image.some((value) => value > 0)) {
    show(image, await predict(session, image));
  } else {
    showNothing();
  }
}

const percent = (share) => `${(100 * share).toFixed(1)}\u00a0%`;

function show(image, probabilities) {
  const [best, second] = [...classes.keys()].sort((one, other) => probabilities[other] - probabilities[one]);
  bars.forEach((bar, index) => setBar(bar, probabilities[index], index === best));
  setAnswer(classes[best]);
  const nearest = nearestTo(image);
  places.forEach((place, rank) => showExample(place, nearest[rank], best));
  if (stroke) return; // a screen reader need not hear every stage of a line
  const next = `; next is ${classes[second]}, with ${percent(probabilities[second])}`;
  const same = nearest.filter((example) => labels[example] === best).length;
  say(
    `The model reads ${classes[best]}, with a probability of ${percent(probabilities[best])}` +
      `${probabilities[second] < 0.0005 ? "" : next}. ` +
      `Of the ${nearest.length} nearest labelled images, ${same} ${same === 1 ? "is" : "are"} labelled ${classes[best]}.`,
  );
}

function showNothing() {
  bars.forEach((bar) => setBar(bar, null, false));
  setAnswer("?");
  places.forEach((place) => showExample(place));
  if (!session) say("The model is loading.");
  else if (content().picture) say("There is no ink in this picture.");
  else say(`${document.querySelector("h1").textContent}, or open a picture of one.`);
}

function setAnswer(label) {
  find("answer").textContent = label;
  find("answer").style.setProperty("--letters", label.length);
  find("answer").classList.toggle("none", label === "?");
}

function setBar(bar, probability, best) {
  bar.classList.toggle("best", best);
  bar.style.setProperty("--share", probability ?? 0);
  const value = bar.querySelector("data");
  value.value = probability ?? "";
  value.textContent = probability === null ? "" : percent(probability);
}

/** Show a sentence, which a screen reader reads out. */
function say(sentence, wrong = false) {
  find("result").textContent = sentence;
  find("result").classList.toggle("wrong", wrong);
}

/** Return the indices of the labelled images with the least Euclidean distance to an image, nearest first. */
function nearestTo(image) {
  const pixels = image.length;
  const distances = labels.map((_, example) => {
    let sum = 0;
    for (let pixel = 0; pixel < pixels; pixel++) {
      sum += (labelledImages[example * pixels + pixel] / 255 - image[pixel]) ** 2;
    }
    return sum;
  });
  return [...distances.keys()].sort((one, other) => distances[one] - distances[other]).slice(0, places.length);
}

function showExample(place, example, best) {
  const empty = example === undefined;
  const pixels = empty ? [] : labelledImages.subarray(example * side * side, (example + 1) * side * side);
  const image = new Float32Array(side * side);
  pixels.forEach((pixel, index) => (image[index] = pixel / 255));
  paint(place.querySelector("canvas"), image);
  place.querySelector("span").textContent = empty ? "" : names[labels[example]];
  place.classList.toggle("same", !empty && labels[example] === best);
}

/** Paint square ink as black of that opacity; in the dark, the style sheet makes it white. */
function paint(element, values) {
  element.width = element.height = Math.sqrt(values.length);
  const pixels = new ImageData(element.width, element.height);
  values.forEach((value, index) => (pixels.data[4 * index + 3] = Math.round(255 * value)));
  element.getContext("2d").putImageData(pixels, 0, 0);
}

function drawStrokes(context, strokes) {
  context.scale(context.canvas.width, context.canvas.height);
  Object.assign(context, { lineWidth: PEN, lineCap: "round", lineJoin: "round" });
  for (const points of strokes) {
    const [x, y] = points[0];
    context.beginPath();
    context.moveTo(x, y + 1e-3); // a canvas leaves out lines without a length, and a point is to be seen
    points.forEach((point) => context.lineTo(...point));
    context.stroke();
  }
}

function paintCanvas() {
  const { strokes, picture } = content();
  if (picture) {
    paint(canvas, scale(picture, PICTURE));
  } else {
    canvas.width = canvas.height = Math.round(canvas.clientWidth * devicePixelRatio);
    drawStrokes(canvas.getContext("2d"), strokes);
  }
}

/** Show everything anew, and return a promise of that. */
function changed() {
  const { strokes, picture } = content();
  const empty = strokes.length === 0 && !picture;
  find("undo").disabled = steps.length === 1;
  find("clear").disabled = empty;
  find("hint").hidden = !empty;
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
    steps.push(content());
    stroke = null;
    await changed();
    await painted();
    if (session) performance.measure("from a stroke to the bars", { start: event.timeStamp });
  });
}

/** Wait until the browser has painted what has changed. */
const painted = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));

function onPress(button, change) {
  button.addEventListener("click", () => {
    change();
    changed();
    if (button.disabled) canvas.focus(); // which the button would lose to nothing
  });
}

onPress(find("undo"), () => steps.pop());
onPress(find("clear"), () => steps.push({ strokes: [], picture: null }));
find("fit").addEventListener("change", update);
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "z") find("undo").click();
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
  const factor = Math.min(1, PICTURE / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((length) => Math.max(1, Math.round(factor * length)));
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.fillStyle = "white"; // behind what is transparent
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  steps.push({ strokes: [], picture: inkOfPicture(context.getImageData(0, 0, width, height), side, brightBackground) });
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
async function unpack(id) {
  const characters = atob(find(id).textContent);
  find(id).remove(); // it is not needed any more, and it is large
  const bytes = new Uint8Array(characters.length);
  for (let index = 0; index < bytes.length; index++) bytes[index] = characters.charCodeAt(index);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

find("notices").addEventListener("toggle", async ({ target }) => {
  const text = target.querySelector("pre");
  if (target.open && !text.textContent) text.textContent = new TextDecoder().decode(await unpack("notices-block"));
});

async function load() {
  labelledImages = await unpack("labelled-block");
  if (brightBackground) labelledImages = labelledImages.map((value) => 255 - value);
  ort.env.wasm.wasmBinary = await unpack("runtime-block");
  ort.env.wasm.numThreads = 1; // threads need a server that isolates the page
  const model = await ort.InferenceSession.create(await unpack("model-block"), { executionProviders: ["wasm"] });
  await predict(model, new Float32Array(side * side)); // the first time takes longer
  session = model;
}

changed(); // a person can draw while the model loads
try {
  await load();
  await update();
  document.documentElement.dataset.ready = "";
  performance.measure("until the model is ready");
} catch (error) {
  say(`This browser cannot run the model: ${error.message}`, true);
  throw error;
}

// From a picture or strokes to the image that the model gets; ink.py has the same rules, function by function. Ink is a
// field {values, width, height} of numbers from 0, the paper, to 1, row by row; an image for the model is a Float32Array
// of side * side of them.

/** Return the ink of strokes, from the RGBA pixels of a canvas that is transparent elsewhere. */
export function inkOfStrokes({ data, width, height }) {
  const values = new Float32Array(width * height);
  for (let index = 0; index < values.length; index++) values[index] = data[4 * index + 3] / 255;
  return { values, width, height };
}

/**
 * Return the ink of a picture, from its opaque RGBA pixels: what is unlike its border. A picture of the model's own side
 * is taken as it is: its ink is what is unlike the background of the training images.
 */
export function inkOfPicture({ data, width, height }, side, brightBackground) {
  const values = new Float32Array(width * height);
  for (let index = 0; index < values.length; index++) {
    const [red, green, blue] = data.subarray(4 * index, 4 * index + 3);
    values[index] = (0.299 * red + 0.587 * green + 0.114 * blue) / 255;
  }
  const field = { values, width, height };
  const inverted = width === side && height === side ? brightBackground : background(field) > 0.5;
  if (inverted) values.forEach((value, index) => (values[index] = 1 - value));
  return field;
}

/** Return the median of the outermost pixels. */
function background({ values, width, height }) {
  const outermost = (_, index) =>
    index < width || index >= width * (height - 1) || index % width === 0 || index % width === width - 1;
  const border = values.filter(outermost).sort();
  return (border[(border.length - 1) >> 1] + border[border.length >> 1]) / 2;
}

/**
 * Return the image of some ink, made as MNIST's were (LeCun et al., 1998): the ink is scaled, its aspect kept, to fit a
 * box of 20x20 pixels, anti-aliased, and this is moved by whole pixels until its centre of mass is in the centre of an
 * image of 28x28 pixels, or as near to that as it fits. Images of another side are made in proportion. Ink of that side
 * is taken as it is.
 */
export function fit(ink, side) {
  if (ink.width === side && ink.height === side) return ink.values;
  const { width, height } = ink;
  const [paper, darkest] = [background(ink), ink.values.reduce((most, value) => Math.max(most, value), 0)];
  if (darkest - paper < 0.1) return new Float32Array(side * side);
  const [low, high] = [paper + 0.15 * (darkest - paper), paper + 0.85 * (darkest - paper)];
  const values = ink.values.map((value) => Math.min(Math.max((value - low) / (high - low), 0), 1));
  const [rows, columns] = [new Float64Array(height), new Float64Array(width)];
  values.forEach((value, index) => {
    rows[Math.floor(index / width)] += value;
    columns[index % width] += value;
  });
  const lengths = [rows, columns].map((profile) => profile.findLastIndex(inked) + 1 - profile.findIndex(inked));
  const scale = Math.round((20 / 28) * side) / Math.max(...lengths);
  return resample({ values, width, height }, side, scale, place(columns, side, scale), place(rows, side, scale));
}

const inked = (mass) => mass > 0;

/** Return the shift, in pixels of the image, that puts scaled ink, summed along the other axis, in its place. */
function place(profile, side, scale) {
  const [start, end] = [profile.findIndex(inked), profile.findLastIndex(inked) + 1];
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const centre = sum(profile.map((mass, index) => mass * (index + 0.5))) / sum(profile);
  const middle = Math.floor(side / 2) + 0.5; // of MNIST's digits: that of pixel 14, counted from 0
  const nearly = 1e-6; // rounding errors decide neither between two pixels nor about the length of the ink
  const first = Math.floor(middle - scale * (centre - start) + 0.5 - nearly);
  return Math.min(Math.max(first, 0), side - Math.ceil(scale * (end - start) - nearly)) - scale * start;
}

/** Return the image of some ink as it lies on its paper: only scaled. */
export function scale(ink, side) {
  const scale = side / Math.max(ink.width, ink.height);
  return resample(ink, side, scale, (side - scale * ink.width) / 2, (side - scale * ink.height) / 2);
}

/** Return an image: each of its pixels is the mean of what it covers of a field that is scaled and then shifted. */
function resample({ values, width, height }, side, scale, shiftX, shiftY) {
  const [columns, rows] = [covering(width, side, scale, shiftX), covering(height, side, scale, shiftY)];
  const image = new Float32Array(side * side);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      let sum = 0;
      for (const [row, heightShare] of rows[y]) {
        for (const [column, widthShare] of columns[x]) sum += heightShare * widthShare * values[row * width + column];
      }
      image[y * side + x] = sum;
    }
  }
  return image;
}

/** Return, for each of `side` pixels, which of `length` source pixels it covers, and the share of it that each fills. */
function covering(length, side, scale, shift) {
  return Array.from({ length: side }, (_, pixel) => {
    const [start, end] = [(pixel - shift) / scale, (pixel + 1 - shift) / scale];
    const covered = [];
    for (let source = Math.max(Math.floor(start), 0); source < Math.min(end, length); source++) {
      covered.push([source, (Math.min(end, source + 1) - Math.max(start, source)) * scale]);
    }
    return covered;
  });
}

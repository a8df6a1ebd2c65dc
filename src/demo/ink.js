// From ink to the image that the model gets. Ink is a field {values, width, height} of numbers from 0, the paper, to 1, row
// by row; an image for the model is a Float32Array of side * side of them.

/** Return the ink of strokes, from the RGBA pixels of a canvas that is transparent elsewhere. */
export function inkOfStrokes({ data, width, height }) {
  const values = new Float32Array(width * height);
  for (let index = 0; index < values.length; index++) values[index] = data[4 * index + 3] / 255;
  return { values, width, height };
}

/** Return the ink of a picture, from its opaque RGBA pixels: what is unlike its border. */
export function inkOfPicture({ data, width, height }) {
  const values = new Float32Array(width * height);
  for (let index = 0; index < values.length; index++) {
    const [red, green, blue] = data.subarray(4 * index, 4 * index + 3);
    // gray stays exactly what it is in the file
    values[index] = (red === green && green === blue ? red : 0.299 * red + 0.587 * green + 0.114 * blue) / 255;
  }
  const field = { values, width, height };
  if (borderOf(field) > 0.5) values.forEach((value, index) => (values[index] = 1 - value));
  return field;
}

/** Return ink of full contrast on clean paper. */
function clean({ values, width, height }) {
  const paper = borderOf({ values, width, height });
  const darkest = values.reduce((most, value) => Math.max(most, value), 0);
  if (darkest - paper < 0.1) return { values: new Float32Array(values.length), width, height };
  const [low, high] = [paper + 0.15 * (darkest - paper), paper + 0.85 * (darkest - paper)];
  return { values: values.map((value) => Math.min(Math.max((value - low) / (high - low), 0), 1)), width, height };
}

/** Return the median of the outermost pixels. */
function borderOf({ values, width, height }) {
  const onBorder = (_, index) =>
    index < width || index >= width * (height - 1) || index % width === 0 || index % width === width - 1;
  const border = values.filter(onBorder).sort();
  return border[Math.floor(border.length / 2)];
}

/**
 * Return the image of some ink, made as MNIST's were (LeCun et al., 1998): the ink is scaled, its aspect kept, to fit a
 * box of 20x20 pixels, anti-aliased, and this is moved by whole pixels until its centre of mass is in the centre of an
 * image of 28x28 pixels. Images of another side are made in proportion.
 */
export function fit(ink, side) {
  const field = clean(ink);
  const { values, width } = field;
  let [mass, massX, massY] = [0, 0, 0];
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  values.forEach((value, index) => {
    if (value === 0) return;
    const [x, y] = [index % width, Math.floor(index / width)];
    [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y + 1)];
    mass += value;
    massX += value * (x + 0.5);
    massY += value * (y + 0.5);
  });
  if (mass === 0) return new Float32Array(side * side);
  const scale = Math.round((20 / 28) * side) / Math.max(right - left, bottom - top);
  const centre = Math.floor(side / 2) + 0.5; // of MNIST's digits: the middle of pixel 14, counted from 0
  const place = (start, centreOfMass) => Math.round(centre - scale * (centreOfMass - start)) - scale * start;
  return resample(field, side, scale, place(left, massX / mass), place(top, massY / mass));
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

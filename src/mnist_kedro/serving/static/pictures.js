// Prepares pictures that the user opens, pastes or selects, for display and for requests.

const LARGEST = 1_000_000; // bytes; larger pictures are reduced before they are sent
const SIDE = 1024; // pixels; the longer side of a reduced picture
const READ = new Set(["image/png", "image/jpeg", "image/webp", "image/bmp", "image/tiff"]);

// Sends a small file unchanged if the server can read its format.
export async function filePicture(file) {
  const image = await createImageBitmap(file);
  if (file.size <= LARGEST && READ.has(file.type)) return { image, type: file.type, body: file };
  const scale = Math.min(1, SIDE / Math.max(image.width, image.height));
  const canvas = new OffscreenCanvas(
    Math.max(1, Math.round(image.width * scale)),
    Math.max(1, Math.round(image.height * scale)),
  );
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return { image: canvas, type: "image/png", body: await canvas.convertToBlob() };
}

// pixels: 28 × 28 bytes in base64.
export async function examplePicture(pixels) {
  const bytes = Uint8Array.from(atob(pixels), (letter) => letter.charCodeAt(0));
  const rows = Array.from({ length: 28 }, (_, row) => [...bytes.slice(28 * row, 28 * row + 28)]);
  const image = new OffscreenCanvas(28, 28);
  paint(image, rows);
  return { image, type: "application/json", body: JSON.stringify({ pixels: rows }) };
}

// rows: 28 of 28 bytes, 0 paper and 255 ink.
export function paint(canvas, rows) {
  canvas.width = canvas.height = rows.length;
  const context = canvas.getContext("2d");
  const image = context.createImageData(rows.length, rows.length);
  rows.flat().forEach((value, i) => image.data.set([value, value, value, 255], 4 * i));
  context.putImageData(image, 0, 0);
}

"""The trained ensemble outside of this project: as an ONNX model, and as a page to draw on."""

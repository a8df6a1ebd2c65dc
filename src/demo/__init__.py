"""The trained ensemble outside of this project: as an ONNX model, and as a page on which to draw."""

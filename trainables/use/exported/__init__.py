"""What the export formats share: records, comparison with the module, ONNX graphs, the TensorFlow Lite environment."""

/**
 * Files of trained models: safetensors, NPZ and ONNX, TensorBoard event files, and atomic writing. Part of Plumb's API, of which
 * users need {@link dev.plumb.store.TrainedModel}, {@link dev.plumb.store.ModelFile} and {@link dev.plumb.store.OnnxExport}.
 */
package dev.plumb.store;

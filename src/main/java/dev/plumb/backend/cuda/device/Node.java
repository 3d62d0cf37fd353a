package dev.plumb.backend.cuda.device;

/** A launch of a plan: a kernel or a product with constant arguments. */
public interface Node {
  /** Returns what it computes, for messages: "activation_backward_f32 (layer 2, tanh)". */
  String name();

  /** Enqueues it on the stream. */
  void enqueue();
}

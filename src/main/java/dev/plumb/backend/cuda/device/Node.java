package dev.plumb.backend.cuda.device;

/** One launch of a plan: a kernel or a product, with arguments that never change. */
public interface Node {
  /** What it computes, in messages: "activation_backward of layer 2". */
  String name();

  /** Puts it into the stream. */
  void enqueue();
}

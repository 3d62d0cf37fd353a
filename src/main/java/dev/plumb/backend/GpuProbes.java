package dev.plumb.backend;

import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;
import java.util.Set;

/** A backend on a GPU whose limits can be measured: copies, matrix products and launches by themselves. For benchmarks only. */
public interface GpuProbes {
  /** The three kinds of matrix products in a training step. */
  enum Products {
    /** Z = A·Wᵀ of every layer. */
    FORWARD,
    /** dA = dZ·W of every layer but the first. */
    INPUT_GRADIENTS,
    /** dW = dZᵀ·A of every layer. */
    WEIGHT_GRADIENTS
  }

  /** Returns the name and version of the library that multiplies matrices. */
  String library();

  /** Returns whether a CPU computes in the GPU's place, for tests: then times say nothing about a GPU. */
  boolean isStandIn();

  /**
   * Returns this backend with another planner. It shares the device with this one; closing it closes nothing, and it must not be
   * used after this one was closed.
   */
  Backend withPlanner(Planner planner);

  /**
   * Copies from one place in device memory to another. The amount is in bytes, read and written.
   *
   * @param bytes copied at once; less where the device has no room for two such buffers
   */
  Probe copies(long bytes);

  /** Kernels that do nothing, one after the other in one recorded graph. The amount is in kernels. */
  Probe emptyKernels(int kernels);

  /**
   * Matrix products of training steps, in the order of a step and with its shapes, operands and calls, as a recorded graph of one or
   * several steps. The matrices hold random numbers. The amount is in floating-point operations; a multiplication and an addition count as two.
   *
   * @param of the kinds of products, at least one
   */
  Probe products(NetworkSpec network, Precision precision, int batch, Set<Products> of);

  /** Work on the device that can be repeated. */
  interface Probe extends AutoCloseable {
    /** Returns what one repetition does, in the unit of the probe. */
    double amount();

    /** Enqueues the work so many times, back to back, and waits for all of it. */
    void run(int times);

    @Override
    void close();
  }
}

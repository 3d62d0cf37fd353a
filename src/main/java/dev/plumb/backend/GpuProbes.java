package dev.plumb.backend;

import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;
import java.util.Set;

/** A backend on a GPU that can measure the limits of its device: copies, matrix products and launches. For benchmarks only. */
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

  /** Returns whether the device is the tests' simulated GPU, whose times say nothing about a real one. */
  boolean isStandIn();

  /**
   * Returns a backend with another planner that shares this one's device. Closing it has no effect; it must not be used after
   * this one was closed.
   */
  Backend withPlanner(Planner planner);

  /**
   * Returns a probe that copies within device memory. Its amount is in bytes, read plus written.
   *
   * @param bytes size of a copy; smaller where device memory does not fit two such buffers
   */
  Probe copies(long bytes);

  /** Returns a probe that runs empty kernels one after the other in one recorded graph. Its amount is in kernels. */
  Probe emptyKernels(int kernels);

  /**
   * Returns a probe that runs only the matrix products of training steps, with the order, shapes, operands and calls of a step,
   * in a recorded graph of one or several steps. The matrices hold random numbers. Its amount is in floating-point operations; a
   * multiplication and an addition count as two.
   *
   * @param kinds of products, at least one
   */
  Probe products(NetworkSpec network, Precision precision, int batch, Set<Products> kinds);

  /** A repeatable piece of work on the device. */
  interface Probe extends AutoCloseable {
    /** Returns the amount of work in one repetition, in the unit of the probe. */
    double amount();

    /** Enqueues the work the given number of times without waiting in between, then waits until all of it is done. */
    void run(int times);

    @Override
    void close();
  }
}

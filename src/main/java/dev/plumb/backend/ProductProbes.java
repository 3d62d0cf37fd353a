package dev.plumb.backend;

import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;
import java.util.List;

/**
 * A backend that leaves the matrix products of wide networks to a library, and can run only the products of a training step.
 * Their time is a lower bound for the time of the step. For benchmarks only.
 */
public interface ProductProbes {
  /** Returns a description of the library that multiplies matrices: name, version, and its kernels for this processor. */
  String library();

  /**
   * Returns the matrix products of one training step: Z and dW of each layer, and dA of each layer but the first. Calls and
   * memory layout are those of a step; the matrices hold random numbers.
   *
   * @return one schedule for each way in which the backend's threads can share the work, beginning with that of its steps; the
   *     fastest is the bound
   * @throws dev.plumb.model.InvalidInputException when the backend does not support that precision
   */
  List<Schedule> stepProducts(NetworkSpec network, Precision precision, int batch);

  /** The products of a step, distributed over threads by one method. */
  interface Schedule extends AutoCloseable {
    /** Returns the method by which threads share the work, for reports: "tiles", "OpenBLAS's own threads". */
    String name();

    /** Returns the products in the order of a step: forward beginning with the inputs, then backward. */
    List<Product> products();

    /** Runs all products of a step the given number of times. */
    void runStep(int times);

    /** Runs one product the given number of times. */
    void run(Product product, int times);

    @Override
    void close();
  }

  /**
   * One product, C [m x n] = A [m x k] · B [k x n].
   *
   * @param index its position among the products of its step
   * @param name for reports: "forward 0", "weights 0", "inputs 1"
   */
  record Product(int index, String name, int m, int n, int k) {
    /** Returns the number of floating-point operations; a multiplication and an addition count as two. */
    public double operations() {
      return 2.0 * m * n * k;
    }
  }
}

package dev.plumb.backend;

import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Precision;
import java.util.List;

/**
 * A backend that leaves the matrix products of wide networks to a library, and can take the products of a step by themselves: the
 * time that they take is what a step would take if all else cost nothing. For measuring alone.
 */
public interface BareProducts {
  /** What multiplies, for people: a library, its version, and the kernels that it chose for this processor. */
  String library();

  /**
   * The products of one training step: of each layer, Z from A, dW, and dA but for the first layer. The calls and the layout are
   * those of a step, the matrices hold random numbers.
   *
   * @return one for each way in which the backend's threads can share the work, that of its steps first; the quickest is the bound
   * @throws dev.plumb.model.InvalidInputException when the backend does not compute in that precision
   */
  List<Way> productsOfStep(NetworkSpec network, Precision precision, int batch);

  /** The products of a step, shared by threads in one way. */
  interface Way extends AutoCloseable {
    /** How, for people: tiles, OpenBLAS's own threads. */
    String name();

    /** In the order of a step: forward from the inputs on, then backward. */
    List<Product> products();

    /** Does all products of a step, so many times. */
    void runStep(int times);

    /** Does one product, so many times. */
    void run(Product product, int times);

    @Override
    void close();
  }

  /**
   * One product, C [m x n] = A [m x k] · B [k x n].
   *
   * @param index its place among those of its step
   * @param name for people: forward 0, weights 0, inputs 1
   */
  record Product(int index, String name, int m, int n, int k) {
    /** A multiplication and an addition count as two. */
    public double operations() {
      return 2.0 * m * n * k;
    }
  }
}

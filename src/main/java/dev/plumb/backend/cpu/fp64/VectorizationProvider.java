package dev.plumb.backend.cpu.fp64;

import dev.plumb.backend.cpu.engine.Gemm;
import dev.plumb.model.Activation;
import java.util.Optional;

/**
 * The kernels that are faster with Java's Vector API. That is an incubating module, which a process has only when Java was
 * started with {@code --add-modules jdk.incubator.vector}; otherwise the kernels are plain Java.
 *
 * <p>This is the only class that looks for the module. Classes that use it are compiled separately and loaded by name, so that no
 * other class needs the module.
 */
public abstract class VectorizationProvider {
  private static final String MODULE = "jdk.incubator.vector";

  VectorizationProvider() {}

  /** Returns the provider of this process: it depends only on how Java was started. */
  public static VectorizationProvider get() {
    return Holder.PROVIDER;
  }

  private static final class Holder {
    static final VectorizationProvider PROVIDER = load();
  }

  private static VectorizationProvider load() {
    if (ModuleLayer.boot().findModule(MODULE).isEmpty()) {
      return new PlainJava();
    }
    try {
      String name = VectorizationProvider.class.getPackageName() + ".VectorApiProvider";
      return (VectorizationProvider) Class.forName(name).getDeclaredConstructor().newInstance();
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("this build lacks the classes that use the Vector API", e);
    }
  }

  /** Returns a description of the instructions in use, with the length of vectors: sums round differently with each length. */
  public abstract String name();

  /** Returns a matrix product; empty where plain Java or a BLAS is as fast. */
  public abstract Optional<Gemm<double[]>> gemm();

  /** Returns the multiple to which the rows of a small network are padded; 1 for no padding. */
  abstract int sampleMultiple();

  /** Returns the passes of narrow layers with an activation. */
  abstract LayerKernel layer(Activation activation);

  /** Returns a new kernel for the weight and bias gradients of narrow layers, to be used by one thread at a time. */
  abstract WeightGradientKernel weightGradients();

  /** Returns a new kernel for the sums of normalizations, likewise. */
  abstract MomentKernel moments();

  /** Returns the kernel for updates by plain gradient descent; empty where {@link Optimizer} is as fast. */
  abstract Optional<GradientDescentKernel> gradientDescent();

  private static final class PlainJava extends VectorizationProvider {
    @Override
    public String name() {
      return "plain Java";
    }

    @Override
    public Optional<Gemm<double[]>> gemm() {
      return Optional.empty();
    }

    @Override
    int sampleMultiple() {
      return 1;
    }

    @Override
    LayerKernel layer(Activation activation) {
      return new PlainLayer(activation);
    }

    @Override
    WeightGradientKernel weightGradients() {
      return new PlainWeightGradients();
    }

    @Override
    MomentKernel moments() {
      return new PlainMoments();
    }

    @Override
    Optional<GradientDescentKernel> gradientDescent() {
      return Optional.empty();
    }
  }
}

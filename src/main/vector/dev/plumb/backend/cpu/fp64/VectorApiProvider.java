package dev.plumb.backend.cpu.fp64;

import dev.plumb.backend.cpu.engine.Gemm;
import dev.plumb.model.Activation;
import java.util.Optional;

/** The kernels with the Vector API. */
final class VectorApiProvider extends VectorizationProvider {
  /** Vectors, in bits, that are long enough for {@link VectorGemm} to be faster than a BLAS. */
  private static final int MIN_GEMM_BITS = 512;

  /** Vectors, in bits, of instruction sets with enough registers for {@link VectorBlockWeightGradients}. */
  private static final int MIN_BLOCK_BITS = 512;

  @Override
  public String name() {
    return "Vector API, " + VectorTile.SPECIES.vectorBitSize() + " bits";
  }

  @Override
  public Optional<Gemm<double[]>> gemm() {
    return VectorTile.SPECIES.vectorBitSize() >= MIN_GEMM_BITS ? Optional.of(new VectorGemm()) : Optional.empty();
  }

  @Override
  int sampleMultiple() {
    return 2 * VectorTile.LANES;
  }

  @Override
  LayerKernel layer(Activation activation) {
    return new VectorLayer(activation);
  }

  @Override
  WeightGradientKernel weightGradients() {
    return VectorTile.SPECIES.vectorBitSize() >= MIN_BLOCK_BITS
        ? new VectorBlockWeightGradients()
        : new VectorWeightGradients();
  }

  @Override
  MomentKernel moments() {
    return new VectorMoments();
  }

  @Override
  Optional<GradientDescentKernel> gradientDescent() {
    return Optional.of(new VectorGradientDescent());
  }
}

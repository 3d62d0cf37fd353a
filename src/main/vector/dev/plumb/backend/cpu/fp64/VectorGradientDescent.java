package dev.plumb.backend.cpu.fp64;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Gradient descent with the Vector API. C2 does not vectorize such a loop in plain Java: the two arrays have different offsets.
 */
final class VectorGradientDescent implements GradientDescentKernel {
  private static final VectorSpecies<Double> SPECIES = DoubleVector.SPECIES_PREFERRED;

  VectorGradientDescent() {}

  @Override
  public boolean descend(
      double[] parameters, int at, double[] gradients, int from, int count, double rate, double weightDecay) {
    DoubleVector zero = DoubleVector.zero(SPECIES);
    DoubleVector products = zero;
    int i = 0;
    for (; i < SPECIES.loopBound(count); i += SPECIES.length()) {
      DoubleVector p = DoubleVector.fromArray(SPECIES, parameters, at + i);
      DoubleVector g = DoubleVector.fromArray(SPECIES, gradients, from + i);
      products = g.fma(zero, products);
      p.sub(g.add(p.mul(weightDecay)).mul(rate)).intoArray(parameters, at + i);
    }
    // A product with 0 is 0, or NaN for infinity and NaN; a sum with NaN is NaN, in any order.
    double sum = products.reduceLanes(VectorOperators.ADD);
    for (; i < count; i++) {
      double p = parameters[at + i];
      double g = gradients[from + i];
      sum += g * 0;
      parameters[at + i] = p - rate * (g + weightDecay * p);
    }
    return sum == 0;
  }
}

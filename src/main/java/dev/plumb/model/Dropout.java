package dev.plumb.model;

/**
 * Inverted dropout of hidden activations: in a training step, each activation is set to 0 with the given probability and
 * otherwise multiplied by 1 / (1 - probability), which keeps its expectation. Evaluation and prediction use no dropout.
 *
 * <p>The masks come from Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3; 2011), which
 * every backend implements independently and a few lines of Python can reproduce:
 *
 * <pre>
 *   key      seed low, seed high
 *   counter  element / 4, layer, step low, step high
 *   word     element % 4
 * </pre>
 *
 * <p>All are 32-bit words. element = row of the batch · units of the layer + unit, layer counts from 0, and step is the number of
 * steps taken before this one. A unit is dropped when its word, as an unsigned number, is below probability · 2^32, rounded. The
 * masks depend neither on the number of threads nor on replicas or chunks, and a training that is resumed from a checkpoint
 * continues with the same masks.
 *
 * @param probability of dropping an activation, at least 0 and below 1
 * @param seed of replica 0; replica r uses seed + r
 */
public record Dropout(double probability, long seed) {
  /**
   * Validates the probability.
   *
   * @param probability of dropping an activation, at least 0 and below 1
   * @param seed of replica 0; replica r uses seed + r
   * @throws InvalidInputException when the probability is not at least 0 and below 1
   */
  public Dropout {
    if (!(probability >= 0 && probability < 1)) {
      throw new InvalidInputException("dropout " + probability + " must be at least 0 and below 1");
    }
  }
}

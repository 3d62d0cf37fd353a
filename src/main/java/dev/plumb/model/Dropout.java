package dev.plumb.model;

/**
 * Inverted dropout: in a training step, and in nothing else, each activation of a hidden layer is dropped with a probability, that
 * is multiplied by 0, and else multiplied by 1 / (1 - probability), so that its expectation stays.
 *
 * <p>Which ones are dropped is fixed by numbers that every backend makes for itself, and that a few lines of Python can make too:
 * those of Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3; 2011), with
 *
 * <pre>
 *   key      seed low, seed high
 *   counter  element / 4, layer, step low, step high
 *   word     element % 4
 * </pre>
 *
 * <p>of 32 bits each, where element = row of the batch · units of the layer + unit, layer is counted from 0, and step is the
 * number of steps taken before this one. A unit is dropped when its word, without sign, is below probability · 2^32, rounded. So
 * the masks depend on neither threads nor replicas nor chunks, and a training that goes on from a checkpoint goes on with them.
 *
 * @param probability of being dropped, at least 0 and below 1
 * @param seed of replica 0; replica r has seed + r
 */
public record Dropout(double probability, long seed) {
  public Dropout {
    if (!(probability >= 0 && probability < 1)) {
      throw new InvalidInputException("dropout " + probability + " must be at least 0 and below 1");
    }
  }
}

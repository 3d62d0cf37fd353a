package dev.plumb.model;

import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * How a network is trained.
 *
 * @param clipNorm where present, gradients are scaled down so that their norm over all parameters is at most this
 * @param learningRate at least 0; a schedule or a grid may give other rates step by step
 * @param epochs passes over the data, at least 1
 * @param batchSize rows of a step; empty for all rows at once
 * @param dropout of the hidden layers' activations; empty for none
 */
public record TrainingSpec(
    Loss loss,
    OptimizerSpec optimizer,
    OptionalDouble clipNorm,
    double learningRate,
    int epochs,
    OptionalInt batchSize,
    Precision precision,
    Optional<Dropout> dropout) {

  public TrainingSpec {
    requireLearningRate(learningRate);
    if (epochs < 1) {
      throw new InvalidInputException("epochs " + epochs + " must be at least 1");
    }
    if (batchSize.isPresent() && batchSize.getAsInt() < 1) {
      throw new InvalidInputException("batchSize " + batchSize.getAsInt() + " must be at least 1");
    }
    if (clipNorm.isPresent() && !(clipNorm.getAsDouble() > 0 && clipNorm.getAsDouble() < Double.POSITIVE_INFINITY)) {
      throw new InvalidInputException("clipNorm " + clipNorm.getAsDouble() + " must be a finite number above 0");
    }
    if (loss == null || optimizer == null || precision == null || dropout == null) {
      throw new InvalidInputException("a training needs a loss, an optimizer, a precision and a dropout, which may be empty");
    }
    precision.requireInRange("learningRate", learningRate);
    clipNorm.ifPresent(norm -> precision.requireInRange("clipNorm", norm));
    optimizer.requireInRange(precision);
  }

  /** Full-batch training in double precision without clipping and dropout; the {@code with} methods change the rest. */
  public static TrainingSpec of(Loss loss, OptimizerSpec optimizer, double learningRate, int epochs) {
    return new TrainingSpec(loss, optimizer, OptionalDouble.empty(), learningRate, epochs, OptionalInt.empty(),
        Precision.FP64, Optional.empty());
  }

  public TrainingSpec withPrecision(Precision other) {
    return new TrainingSpec(loss, optimizer, clipNorm, learningRate, epochs, batchSize, other, dropout);
  }

  public TrainingSpec withClipNorm(double norm) {
    return new TrainingSpec(
        loss, optimizer, OptionalDouble.of(norm), learningRate, epochs, batchSize, precision, dropout);
  }

  public TrainingSpec withBatchSize(int rows) {
    return new TrainingSpec(
        loss, optimizer, clipNorm, learningRate, epochs, OptionalInt.of(rows), precision, dropout);
  }

  public TrainingSpec withDropout(Dropout other) {
    return new TrainingSpec(
        loss, optimizer, clipNorm, learningRate, epochs, batchSize, precision, Optional.of(other));
  }

  /** @throws InvalidInputException when the batch size is larger than the data */
  public void requireFits(int rows) {
    if (batchSize.isPresent() && batchSize.getAsInt() > rows) {
      throw new InvalidInputException("batchSize " + batchSize.getAsInt() + " is larger than the data, which has "
          + rows + " rows");
    }
  }

  /** @throws InvalidInputException unless the rate is a finite number of at least 0 */
  public static void requireLearningRate(double learningRate) {
    if (!(learningRate >= 0 && learningRate < Double.POSITIVE_INFINITY)) {
      throw new InvalidInputException("learningRate " + learningRate + " must be a finite number of at least 0");
    }
  }
}

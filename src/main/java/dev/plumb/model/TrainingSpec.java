package dev.plumb.model;

import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * Hyperparameters of a training.
 *
 * @param loss to minimize
 * @param optimizer with its hyperparameters
 * @param clipNorm upper bound of the gradients' norm over all parameters, above which gradients are scaled down; empty for none
 * @param learningRate at least 0; a schedule or a grid may use other rates in each step
 * @param epochs passes over the data, at least 1
 * @param batchSize rows per step, at least 1; empty for all rows at once (full batch)
 * @param precision of the computation
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

  /**
   * Validates the hyperparameters.
   *
   * @param loss to minimize
   * @param optimizer with its hyperparameters
   * @param clipNorm upper bound of the gradients' norm over all parameters, above which gradients are scaled down; empty for none
   * @param learningRate at least 0; a schedule or a grid may use other rates in each step
   * @param epochs passes over the data, at least 1
   * @param batchSize rows per step, at least 1; empty for all rows at once (full batch)
   * @param precision of the computation
   * @param dropout of the hidden layers' activations; empty for none
   * @throws InvalidInputException when one is missing, out of its range, or not representable in the precision
   */
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
      throw new InvalidInputException("a training specification needs a loss, an optimizer, a precision and a dropout (which"
          + " may be empty)");
    }
    precision.requireInRange("learningRate", learningRate);
    clipNorm.ifPresent(norm -> precision.requireInRange("clipNorm", norm));
    optimizer.requireInRange(precision);
  }

  /**
   * Returns a full-batch training in double precision, without clipping and dropout; the {@code with} methods change these.
   *
   * @param loss to minimize
   * @param optimizer with its hyperparameters
   * @param learningRate at least 0
   * @param epochs passes over the data, at least 1
   * @return the specification
   */
  public static TrainingSpec of(Loss loss, OptimizerSpec optimizer, double learningRate, int epochs) {
    return new TrainingSpec(loss, optimizer, OptionalDouble.empty(), learningRate, epochs, OptionalInt.empty(),
        Precision.FP64, Optional.empty());
  }

  /**
   * Returns this specification with another precision.
   *
   * @param other precision of the computation
   * @return the changed specification
   */
  public TrainingSpec withPrecision(Precision other) {
    return new TrainingSpec(loss, optimizer, clipNorm, learningRate, epochs, batchSize, other, dropout);
  }

  /**
   * Returns this specification with gradient clipping.
   *
   * @param norm upper bound of the gradients' norm, above 0
   * @return the changed specification
   */
  public TrainingSpec withClipNorm(double norm) {
    return new TrainingSpec(
        loss, optimizer, OptionalDouble.of(norm), learningRate, epochs, batchSize, precision, dropout);
  }

  /**
   * Returns this specification with mini-batches.
   *
   * @param rows per step, at least 1
   * @return the changed specification
   */
  public TrainingSpec withBatchSize(int rows) {
    return new TrainingSpec(
        loss, optimizer, clipNorm, learningRate, epochs, OptionalInt.of(rows), precision, dropout);
  }

  /**
   * Returns this specification with dropout.
   *
   * @param other dropout of the hidden layers' activations
   * @return the changed specification
   */
  public TrainingSpec withDropout(Dropout other) {
    return new TrainingSpec(
        loss, optimizer, clipNorm, learningRate, epochs, batchSize, precision, Optional.of(other));
  }

  /**
   * Checks that the data has at least as many rows as a batch.
   *
   * @param rows of the data
   * @throws InvalidInputException when the batch size is larger than the data
   */
  public void requireFits(int rows) {
    if (batchSize.isPresent() && batchSize.getAsInt() > rows) {
      throw new InvalidInputException("batchSize " + batchSize.getAsInt() + " is larger than the data, which has "
          + rows + " rows");
    }
  }

  /**
   * Checks that the data has at least as many rows as a batch, and that every batch of an epoch has enough rows for the network.
   *
   * @param network to train
   * @param rows of the data
   * @throws InvalidInputException when the batch size is larger than the data, or the network has a batch normalization and a
   *     batch has one row
   */
  public void requireFits(NetworkSpec network, int rows) {
    requireFits(rows);
    int batch = batchSize.orElse(rows);
    if (network.usesBatchStatistics() && batch > 1 && rows % batch == 1) {
      throw new InvalidInputException("batchSize " + batch + " leaves one of " + rows + " rows for the last batch, but batch"
          + " normalization needs at least 2 rows per batch; use another batchSize");
    }
    requireStatistics(network, batch);
  }

  /**
   * Checks that a batch has enough rows for batch statistics.
   *
   * @param network to train
   * @param batchRows number of rows of the batch
   * @throws InvalidInputException when the network has a batch normalization and the batch has one row
   */
  public static void requireStatistics(NetworkSpec network, int batchRows) {
    if (network.usesBatchStatistics() && batchRows < 2) {
      throw new InvalidInputException("a batch has " + batchRows + " row, but batch normalization needs at least 2 rows per batch;"
          + " use more rows per batch, or layer normalization");
    }
  }

  /**
   * Checks a learning rate.
   *
   * @param learningRate to check
   * @throws InvalidInputException unless the rate is a finite number of at least 0
   */
  public static void requireLearningRate(double learningRate) {
    if (!(learningRate >= 0 && learningRate < Double.POSITIVE_INFINITY)) {
      throw new InvalidInputException("learningRate " + learningRate + " must be a finite number of at least 0");
    }
  }
}

package dev.plumb.train;

import java.util.Set;

/** A value of a configuration that is chosen from the data, unless the user sets it. */
public enum Automatic {
  /** A share of the rows is held out or, on a small table, nothing: folds choose the other values. */
  VALIDATION,
  /** The number of epochs, from the number of rows or by folds. */
  EPOCHS,
  /** The weight decay of the default optimizer, from the number of steps or by folds. */
  WEIGHT_DECAY,
  /** The dropout probability: 0, unless folds choose another. */
  DROPOUT,
  /** Early stopping: only with validation rows, because a training loss may rise before the schedule lowers the learning rate. */
  EARLY_STOPPING;

  /** The word for an automatic value in JSON. */
  static final String WORD = "auto";
  /** All values: the default. */
  static final Set<Automatic> ALL = Set.of(values());

  private static final int MAX_EPOCHS = 200;
  private static final int MIN_EPOCHS = 20;
  /** Number of rows seen in a training, over all epochs, where the limits of the epochs allow it. */
  private static final double ROWS_SEEN = 1.2e6;
  private static final double MAX_WEIGHT_DECAY = 1;
  /** Learning rate x weight decay x number of steps. */
  private static final double TOTAL_DECAY = 10;

  /** Returns the number of epochs for a number of training rows. */
  static int epochs(int rows) {
    return (int) Math.max(MIN_EPOCHS, Math.min(MAX_EPOCHS, Math.round(ROWS_SEEN / rows)));
  }

  /**
   * Returns the smallest batch size with which no batch of an epoch has a single row, for batch normalization.
   *
   * @param size smallest batch size to return, if there are as many rows
   * @param rows number of training rows
   */
  static int batchSize(int size, int rows) {
    int batch = size;
    while (batch < rows && rows % batch == 1) {
      batch++;
    }
    return batch;
  }

  /**
   * Returns the weight decay of AdamW. Its steps average the weights over the last 1 / (learning rate x weight decay) steps; a
   * constant share of the training is a good length for that (Wang and Aitchison 2024).
   *
   * @param steps number of steps of the training
   */
  static double weightDecay(double learningRate, double steps) {
    return Math.min(MAX_WEIGHT_DECAY, TOTAL_DECAY / (learningRate * steps));
  }
}

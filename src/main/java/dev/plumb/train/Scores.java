package dev.plumb.train;

import dev.plumb.data.Task;
import java.io.IOException;
import java.io.ObjectInput;
import java.io.ObjectOutput;
import java.util.Arrays;
import java.util.List;

/**
 * Loss and quality of a model on labeled rows: {@link ClassificationScores} for classes, {@link RegressionScores} for numbers.
 * Figures of the other task throw an IllegalStateException, so that {@code model.score(table).accuracy()} needs no cast.
 */
public sealed interface Scores permits ClassificationScores, RegressionScores {
  /** Returns the mean of the loss that the model was trained with; for numbers in units of the standardized targets. */
  double loss();

  /** Returns the number of rows. */
  long rows();

  /**
   * Returns the value of a metric; NaN where it is undefined.
   *
   * @throws IllegalStateException when the metric is one of the other task
   */
  double value(Metric metric);

  /**
   * Returns the value of a metric for a baseline that uses no feature: for classes the majority class of the training rows, with
   * their proportions as probabilities; for numbers the mean of the training rows.
   *
   * @return NaN for the loss, where the metric is undefined, and when the model's file has no baseline
   */
  double baseline(Metric metric);

  /**
   * Returns the proportion of rows whose class was predicted correctly.
   *
   * @throws IllegalStateException when the model predicts numbers
   */
  default double accuracy() {
    throw new IllegalStateException("the model predicts numbers, which have no accuracy; use r2(), mae() or rmse()");
  }

  /**
   * Returns the coefficient of determination, R²: 1 at best. Of several targets it is the mean of theirs.
   *
   * @throws IllegalStateException when the model predicts classes
   */
  default double r2() {
    throw notNumbers("R²");
  }

  /**
   * Returns the mean absolute error, in the target's unit. Of several targets it is the mean of theirs.
   *
   * @throws IllegalStateException when the model predicts classes
   */
  default double mae() {
    throw notNumbers("mean absolute error");
  }

  /**
   * Returns the root mean squared error, in the target's unit. Of several targets it is the mean of theirs.
   *
   * @throws IllegalStateException when the model predicts classes
   */
  default double rmse() {
    throw notNumbers("root mean squared error");
  }

  /** Returns all metrics of the task and, for classes, the {@linkplain ClassJudgment#figures figures} of the probabilities. */
  default List<Figure> figures() {
    Task task = this instanceof ClassificationScores ? Task.CLASSIFICATION : Task.REGRESSION;
    return Arrays.stream(Metric.values()).filter(metric -> metric.appliesTo(task))
        .map(metric -> new Figure(metric.label(), value(metric), baseline(metric))).toList();
  }

  /** Returns the same scores without what takes memory for every row and is needed only to judge probabilities. */
  default Scores compact() {
    return this;
  }

  /**
   * Writes these scores, which are {@linkplain #compact compact}, for {@link #read}.
   *
   * @throws IOException when writing fails
   */
  default void write(ObjectOutput out) throws IOException {
    out.writeBoolean(this instanceof ClassificationScores);
    if (this instanceof ClassificationScores classes) {
      classes.writeFields(out);
    } else {
      ((RegressionScores) this).writeFields(out);
    }
  }

  /**
   * Reads what {@link #write} has written, to the same bits.
   *
   * @throws IOException when reading fails
   */
  static Scores read(ObjectInput in) throws IOException {
    return in.readBoolean() ? ClassificationScores.readFields(in) : RegressionScores.readFields(in);
  }

  private static IllegalStateException notNumbers(String figure) {
    return new IllegalStateException("the model predicts classes, which have no " + figure + "; use accuracy()");
  }
}

package dev.plumb.train;

import dev.plumb.data.Dataset;
import dev.plumb.data.Task;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Loss;
import dev.plumb.model.NamedEnum;
import dev.plumb.store.ClassProbabilities;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** Metric of a model on labeled rows, defined as in scikit-learn. */
public enum Metric implements NamedEnum {
  /** Mean of the loss that the model was trained with. */
  LOSS("loss", false, null),
  /** Proportion of rows whose class was predicted correctly. */
  ACCURACY("accuracy", true, Task.CLASSIFICATION),
  /** Mean recall of the classes that occur in the truth. */
  BALANCED_ACCURACY("balanced accuracy", true, Task.CLASSIFICATION),
  /** Mean F1 score of the classes that occur in the truth or are predicted. */
  MACRO_F1("macro F1", true, Task.CLASSIFICATION),
  /** Mean of -ln p, where p is the probability of the true class, at least ε = 2^-52 and at most 1 - ε. */
  LOG_LOSS("log loss", false, Task.CLASSIFICATION),
  /**
   * Area under the receiver operating characteristic curve: of the second of two classes, otherwise the mean over all classes,
   * each against the rest. NaN when a class does not occur in the truth.
   */
  ROC_AUC("ROC AUC", true, Task.CLASSIFICATION),
  /**
   * Area under the precision-recall curve as average precision, the sum of precisions weighted by the increase of recall: of the
   * second of two classes, otherwise the mean over all classes, each against the rest. A class that does not occur in the truth
   * has an area of 0.
   */
  PR_AUC("PR AUC", true, Task.CLASSIFICATION),
  /** Matthews correlation coefficient, from -1 to 1, in its form for several classes. 0 when it is undefined. */
  MATTHEWS("Matthews correlation", true, Task.CLASSIFICATION),
  /** Coefficient of determination: 1 at best. The mean over all targets. */
  R2("R²", true, Task.REGRESSION),
  /** Mean absolute error. The mean over all targets. */
  MAE("mean absolute error", false, Task.REGRESSION),
  /** Root mean squared error. The mean over all targets. */
  RMSE("root mean squared error", false, Task.REGRESSION);

  private final String label;
  private final boolean higherBetter;
  private final Optional<Task> task;

  /** @param task to which the metric applies; null for all */
  Metric(String label, boolean higherBetter, Task task) {
    this.label = label;
    this.higherBetter = higherBetter;
    this.task = Optional.ofNullable(task);
  }

  /** Returns the name for tables and charts: "balanced accuracy". */
  public String label() {
    return label;
  }

  /** Returns the name for the heading of a column: "RMSE". */
  public String heading() {
    return this == MAE || this == RMSE ? name() : label;
  }

  /** Returns the key in JSON: "rocAuc". */
  public String jsonKey() {
    return camelCase().substring(0, 1).toLowerCase(Locale.ROOT) + camelCase().substring(1);
  }

  /** Returns the key in camel case, as part of a key in JSON: "RocAuc". */
  String camelCase() {
    return Arrays.stream(key().split("_")).map(word -> word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1))
        .collect(Collectors.joining());
  }

  /** Returns whether a higher value is better, as for an accuracy, or a lower one, as for an error. */
  public boolean isHigherBetter() {
    return higherBetter;
  }

  /** Returns the lowest possible value. */
  public double min() {
    return switch (this) {
      case R2 -> Double.NEGATIVE_INFINITY;
      case MATTHEWS -> -1;
      default -> 0;
    };
  }

  /** Returns the highest possible value. */
  public double max() {
    return higherBetter ? 1 : Double.POSITIVE_INFINITY;
  }

  /** Returns whether the metric exists for a task. */
  public boolean appliesTo(Task candidate) {
    return task.isEmpty() || task.get() == candidate;
  }

  /** Returns the main metric of a task: accuracy or R². */
  public static Metric main(Task task) {
    return task == Task.CLASSIFICATION ? ACCURACY : R2;
  }

  /**
   * Checks that the metric exists for a task.
   *
   * @param use of the metric, for the message: "watch"
   * @throws InvalidInputException when it does not; the message lists those that do
   */
  void requireAppliesTo(Task candidate, String use) {
    if (!appliesTo(candidate)) {
      throw new InvalidInputException(use + " " + key() + " is for " + (candidate == Task.CLASSIFICATION
          ? "numbers, but the target has classes; use " : "classes, but the target has numbers; use ") + keys(candidate));
    }
  }

  private static String keys(Task task) {
    return Arrays.stream(values()).filter(metric -> metric.appliesTo(task)).map(Metric::key).collect(Collectors.joining(", "));
  }

  /**
   * Returns the metric of a key, such as "balanced_accuracy"; "auc" is short for "roc_auc".
   *
   * @throws InvalidInputException when there is no such metric; the message lists all
   */
  public static Metric of(String key) {
    return key.equals("auc") ? ROC_AUC : NamedEnum.parse(Metric.class, "metric", key);
  }

  /**
   * Computes this metric from a network's outputs for encoded rows. Errors are in the unit of the encoded targets. Of equally
   * probable classes, the first is the predicted one.
   *
   * @param rows encoded for the loss: the true classes or numbers
   * @param loss of the training
   * @param outputs of the network, before softmax or sigmoid, [rows x outputs] row-major
   * @param weights [rows] of the rows, or null if all are equal
   * @return NaN where the metric is undefined, and when an output is not finite
   * @throws IllegalArgumentException for LOSS, which only a training session computes, and for a metric of the other task
   */
  double ofOutputs(Dataset rows, Loss loss, double[] outputs, double[] weights) {
    if (this == LOSS || !appliesTo(loss.isClassification() ? Task.CLASSIFICATION : Task.REGRESSION)) {
      throw new IllegalArgumentException("metric " + key() + " of outputs trained with loss " + loss.key());
    }
    for (double output : outputs) {
      if (!Double.isFinite(output)) {
        return Double.NaN;
      }
    }
    if (loss.isClassification()) {
      return classes(rows, loss, outputs, weights).value(this);
    }
    return RegressionScores.mean(rows, outputs, weights, errors -> errors.value(this));
  }

  /** Compares a network's outputs with the true classes of encoded rows. */
  static ClassMetrics classes(Dataset rows, Loss loss, double[] outputs, double[] weights) {
    double[] probabilities = ClassProbabilities.of(loss, rows.outputs(), outputs);
    int classes = probabilities.length / rows.rows();
    return ClassMetrics.of(classes, truth(rows, classes), probabilities, ClassProbabilities.labels(probabilities, classes), weights);
  }

  /** Returns the true class of each row; for binary_cross_entropy, classes are encoded as targets of 0 and 1. */
  static int[] truth(Dataset rows, int classes) {
    int[] truth = new int[rows.rows()];
    for (int row = 0; row < truth.length; row++) {
      if (rows.hasClasses()) {
        truth[row] = rows.label(row);
      } else if (rows.outputs() == 1) {
        truth[row] = rows.target(row, 0) > 0.5 ? 1 : 0;
      } else {
        for (int c = 1; c < classes; c++) {
          truth[row] = rows.target(row, c) > rows.target(row, truth[row]) ? c : truth[row];
        }
      }
    }
    return truth;
  }
}

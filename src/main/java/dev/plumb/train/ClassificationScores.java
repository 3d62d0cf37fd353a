package dev.plumb.train;

import dev.plumb.data.Task;
import java.io.IOException;
import java.io.ObjectInput;
import java.io.ObjectOutput;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Stream;

/**
 * Loss, accuracy and other metrics, and precision, recall and F1 score per class. They are defined as in scikit-learn: the
 * figures per class as in its classification report, where a quotient whose divisor is 0 is 0, the others as in {@link Metric}.
 */
public final class ClassificationScores implements Scores {
  /** The metrics that depend on the predicted classes. */
  private static final List<Metric> OF_DECISIONS =
      List.of(Metric.ACCURACY, Metric.BALANCED_ACCURACY, Metric.MACRO_F1, Metric.MATTHEWS);

  private final Map<Metric, Double> values;
  private final List<String> classNames;
  /** Null, like the judgment, in scores without it. */
  private final ClassMetrics metrics;
  private final ClassJudgment judgment;
  private final OptionalDouble threshold;
  private final ConfusionMatrix confusion;
  private final long[] correct;
  private final long[] actual;
  private final long[] predicted;
  private final Map<Metric, Double> baseline;
  private final Optional<String> majorityClass;
  private long rows;

  private ClassificationScores(Map<Metric, Double> values, List<String> classNames, ConfusionMatrix confusion,
      Map<Metric, Double> baseline, Optional<String> majorityClass, ClassMetrics metrics, ClassJudgment judgment,
      OptionalDouble threshold) {
    this.values = values;
    this.metrics = metrics;
    this.judgment = judgment;
    this.threshold = threshold;
    this.baseline = baseline;
    this.majorityClass = majorityClass;
    this.classNames = List.copyOf(classNames);
    this.confusion = confusion;
    correct = new long[classNames.size()];
    actual = new long[classNames.size()];
    predicted = new long[classNames.size()];
    for (ConfusionMatrix.Cell cell : confusion.cells()) {
      rows += cell.count();
      actual[cell.actual()] += cell.count();
      predicted[cell.predicted()] += cell.count();
      if (cell.actual() == cell.predicted()) {
        correct[cell.actual()] += cell.count();
      }
    }
  }

  /**
   * Collects all metrics.
   *
   * @param loss the mean loss of the rows
   * @param baseline of the model, if it is known
   */
  static ClassificationScores of(double loss, List<String> classNames, ClassMetrics metrics, Optional<Baseline> baseline) {
    Map<Metric, Double> values = new EnumMap<>(Metric.class);
    Map<Metric, Double> baselineValues = new EnumMap<>(Metric.class);
    for (Metric metric : Metric.values()) {
      if (metric.appliesTo(Task.CLASSIFICATION)) {
        values.put(metric, metric == Metric.LOSS ? loss : metrics.value(metric));
        baseline.ifPresent(constant -> baselineValues.put(metric, constant.value(metric, metrics)));
      }
    }
    return new ClassificationScores(values, classNames,
        ConfusionMatrix.of(classNames.size(), metrics.truth(), metrics.predicted()), baselineValues,
        baseline.map(constant -> classNames.get(constant.majorityClass())), null, null, OptionalDouble.empty());
  }

  /** Returns the same scores with a judgment of the probabilities. Both are of the rows of these scores. */
  ClassificationScores withJudgment(ClassMetrics ofRows, ClassJudgment ofProbabilities) {
    return new ClassificationScores(values, classNames, confusion, baseline, majorityClass, ofRows, ofProbabilities, threshold);
  }

  /**
   * Returns the scores for decisions between two classes by a threshold: a row is predicted as the second class if the probability
   * of that class is at least the threshold. Figures that do not depend on the predicted classes stay the same, and so does the
   * baseline.
   *
   * @param threshold usually between 0 and 1
   * @throws IllegalStateException when there are not two classes, and as for {@link #judgment}
   */
  public ClassificationScores withThreshold(double threshold) {
    Thresholds thresholds = judgment().thresholds().orElseThrow(() ->
        new IllegalStateException("the model predicts " + classNames.size() + " classes; a threshold needs two"));
    ClassMetrics decided = metrics.withPredicted(thresholds.predicted(threshold));
    Map<Metric, Double> decidedValues = new EnumMap<>(values);
    OF_DECISIONS.forEach(metric -> decidedValues.put(metric, decided.value(metric)));
    return new ClassificationScores(decidedValues, classNames, ConfusionMatrix.of(classNames.size(), decided.truth(),
        decided.predicted()), baseline, majorityClass, decided, judgment, OptionalDouble.of(threshold));
  }

  /** Returns the same scores without the judgment, which takes about 60 bytes per row. */
  @Override
  public ClassificationScores compact() {
    return new ClassificationScores(values, classNames, confusion, baseline, majorityClass, null, null, threshold);
  }

  /**
   * Returns the curves, the reliability diagram and the other figures of the predicted probabilities.
   *
   * @throws IllegalStateException when these scores are {@linkplain #compact compact}, like those of the folds of a cross-validation
   */
  public ClassJudgment judgment() {
    if (judgment == null) {
      throw new IllegalStateException("these scores have no judgment of probabilities; use Model.score");
    }
    return judgment;
  }

  /** Returns the threshold of {@link #withThreshold}; empty if the most probable class is predicted. */
  public OptionalDouble threshold() {
    return threshold;
  }

  void writeFields(ObjectOutput out) throws IOException {
    if (metrics != null || threshold.isPresent()) {
      throw new IllegalStateException("only compact scores without a threshold are written");
    }
    write(values, out);
    write(baseline, out);
    out.writeBoolean(majorityClass.isPresent());
    if (majorityClass.isPresent()) {
      out.writeObject(majorityClass.get());
    }
    out.writeInt(classNames.size());
    for (String name : classNames) {
      // Unlike writeUTF, for names of any length.
      out.writeObject(name);
    }
    out.writeInt(confusion.cells().size());
    for (ConfusionMatrix.Cell cell : confusion.cells()) {
      out.writeInt(cell.actual());
      out.writeInt(cell.predicted());
      out.writeLong(cell.count());
    }
  }

  private static void write(Map<Metric, Double> values, ObjectOutput out) throws IOException {
    out.writeInt(values.size());
    for (Map.Entry<Metric, Double> value : values.entrySet()) {
      out.writeInt(value.getKey().ordinal());
      out.writeDouble(value.getValue());
    }
  }

  static ClassificationScores readFields(ObjectInput in) throws IOException {
    Map<Metric, Double> values = readValues(in);
    Map<Metric, Double> baseline = readValues(in);
    Optional<String> majorityClass = in.readBoolean() ? Optional.of(Predictions.readText(in)) : Optional.empty();
    List<String> classNames = new ArrayList<>();
    for (int left = in.readInt(); left > 0; left--) {
      classNames.add(Predictions.readText(in));
    }
    List<ConfusionMatrix.Cell> cells = new ArrayList<>();
    for (int left = in.readInt(); left > 0; left--) {
      cells.add(new ConfusionMatrix.Cell(in.readInt(), in.readInt(), in.readLong()));
    }
    return new ClassificationScores(values, classNames, new ConfusionMatrix(classNames.size(), cells), baseline, majorityClass, null,
        null, OptionalDouble.empty());
  }

  private static Map<Metric, Double> readValues(ObjectInput in) throws IOException {
    Map<Metric, Double> values = new EnumMap<>(Metric.class);
    for (int left = in.readInt(); left > 0; left--) {
      values.put(Metric.values()[in.readInt()], in.readDouble());
    }
    return values;
  }

  @Override
  public double value(Metric metric) {
    if (!values.containsKey(metric)) {
      throw new IllegalStateException("the model predicts classes, which have no " + metric.label() + "; use accuracy");
    }
    return values.get(metric);
  }

  @Override
  public double baseline(Metric metric) {
    return baseline.getOrDefault(metric, Double.NaN);
  }

  /** Returns the majority class of the training rows; empty if the model's file does not contain it. */
  public Optional<String> majorityClass() {
    return majorityClass;
  }

  @Override
  public List<Figure> figures() {
    return Stream.concat(Scores.super.figures().stream(), judgment == null ? Stream.of() : judgment.figures().stream()).toList();
  }

  @Override
  public double loss() {
    return value(Metric.LOSS);
  }

  @Override
  public long rows() {
    return rows;
  }

  @Override
  public double accuracy() {
    return value(Metric.ACCURACY);
  }

  /** Returns the mean recall of the classes that occur in the truth. */
  public double balancedAccuracy() {
    return value(Metric.BALANCED_ACCURACY);
  }

  /** Returns the mean F1 score of the classes that occur in the truth or are predicted. */
  public double macroF1() {
    return value(Metric.MACRO_F1);
  }

  /** Returns the mean of -ln p, where p is the probability of the true class, limited to [ε, 1 - ε] with ε = 2^-52. */
  public double logLoss() {
    return value(Metric.LOG_LOSS);
  }

  /**
   * Returns the area under the receiver operating characteristic curve: of the second of two classes, otherwise the mean over all
   * classes, each against the rest.
   *
   * @return NaN when a class does not occur in the truth
   */
  public double rocAuc() {
    return value(Metric.ROC_AUC);
  }

  /**
   * Returns the area under the precision-recall curve, as average precision: of the second of two classes, otherwise the mean
   * over all classes, each against the rest. A class that does not occur in the truth has an area of 0.
   */
  public double prAuc() {
    return value(Metric.PR_AUC);
  }

  /** Returns the Matthews correlation coefficient, from -1 to 1; 0 when all rows have one class or are predicted as one. */
  public double matthews() {
    return value(Metric.MATTHEWS);
  }

  /** Returns the names of the classes, in the order of their indices. */
  public List<String> classNames() {
    return classNames;
  }

  /** Returns how often each class was predicted for each true class. */
  public ConfusionMatrix confusion() {
    return confusion;
  }

  /**
   * Returns, of the rows predicted as a class, the proportion that belongs to it.
   *
   * @param classIndex from 0
   */
  public double precision(int classIndex) {
    return ratio(correct[classIndex], predicted[classIndex]);
  }

  /**
   * Returns, of the rows of a class, the proportion that was predicted as it.
   *
   * @param classIndex from 0
   */
  public double recall(int classIndex) {
    return ratio(correct[classIndex], actual[classIndex]);
  }

  /**
   * Returns the harmonic mean of precision and recall.
   *
   * @param classIndex from 0
   */
  public double f1(int classIndex) {
    double sum = precision(classIndex) + recall(classIndex);
    return sum == 0 ? 0 : 2 * precision(classIndex) * recall(classIndex) / sum;
  }

  /**
   * Returns the number of rows of a class.
   *
   * @param classIndex from 0
   */
  public long support(int classIndex) {
    return actual[classIndex];
  }

  private static double ratio(long part, long whole) {
    return whole == 0 ? 0 : (double) part / whole;
  }
}

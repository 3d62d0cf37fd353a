package dev.plumb.study;

import dev.plumb.data.EncodingOptions;
import dev.plumb.data.FoldOptions;
import dev.plumb.data.Missing;
import dev.plumb.data.Table;
import dev.plumb.data.Task;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Normalization;
import dev.plumb.train.Automatic;
import dev.plumb.train.Calibration;
import dev.plumb.train.ConfigSelector;
import dev.plumb.train.FoldEstimate;
import dev.plumb.train.Metric;
import dev.plumb.train.PreparedData;
import dev.plumb.train.TrainConfig;
import dev.plumb.train.TrainingInterruptedException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;

/**
 * Chooses number of epochs, weight decay and dropout of a training on a small table by cross-validation. Rows that are held out
 * to choose the best epoch are missed most on a small table, so the final network trains on all rows; the scores of the folds are
 * the estimate of its scores.
 */
public final class FoldSelection implements ConfigSelector {
  /** Maximum number of rows. Larger tables can spare some rows, and trainings take longer there. */
  public static final int MAX_ROWS = 2000;
  private static final int FOLDS = 5;

  /** A listener of the progress. */
  public interface Listener extends CrossValidation.Listener {
    /**
     * Called before the first training.
     *
     * @param epochs number of epochs over all networks
     */
    void started(long epochs);
  }

  /** Values to choose from: more regularization from the first to the last. Chosen on the tables of scripts/peers/tables.py. */
  private record Candidate(int epochs, double weightDecay, double dropout) {
    TrainConfig of(TrainConfig config) {
      return withRegularization(config).with(changes -> {
        if (config.automatic().contains(Automatic.EPOCHS)) {
          changes.epochs(Math.max(epochs, config.trainer().warmUpEpochs()));
        }
        changes.validation(0).calibrate(false);
      });
    }

    TrainConfig withRegularization(TrainConfig config) {
      return config.with(changes -> {
        if (config.automatic().contains(Automatic.WEIGHT_DECAY)) {
          changes.optimizer(config.trainer().training().optimizer().withWeightDecay(weightDecay));
        }
        if (config.automatic().contains(Automatic.DROPOUT)) {
          changes.dropout(dropout);
        }
      });
    }
  }

  private static final List<Candidate> CANDIDATES = List.of(new Candidate(200, 0.3, 0), new Candidate(200, 0.3, 0.2),
      new Candidate(200, 3, 0), new Candidate(50, 3, 0), new Candidate(20, 1, 0));

  /** Returns the configurations to choose from, with the number of epochs of the configuration. */
  static List<TrainConfig> regularizations(TrainConfig config) {
    return CANDIDATES.stream().map(candidate -> candidate.withRegularization(config)).distinct().toList();
  }

  private final TrialExecutor executor;
  private final Listener listener;
  private final Consumer<String> onNote;

  /**
   * Creates a selector.
   *
   * @param onNote receives a line when a small table cannot be divided into folds
   */
  public FoldSelection(TrialExecutor executor, Listener listener, Consumer<String> onNote) {
    this.executor = executor;
    this.listener = listener;
    this.onNote = onNote;
  }

  /**
   * Chooses a configuration if validation rows are automatic and the table is small.
   *
   * @throws CancellationException when the listener has stopped it
   * @throws TrainingInterruptedException when the thread is interrupted
   */
  @Override
  public Selection select(Table table, TrainConfig config) {
    if (!trains(table, config)) {
      return new Selection(config, Optional.empty());
    }
    int rows = usableRows(table, config);
    if (rows < FOLDS) {
      onNote.accept("no estimate by folds: too few rows (" + rows + ") for " + FOLDS + " folds");
      return new Selection(config, Optional.empty());
    }
    List<TrainConfig> candidates = CANDIDATES.stream().map(candidate -> candidate.of(config)).distinct().toList();
    if (config.normalization() == Normalization.BATCH || config.calibrate()) {
      // The final training is refused before the folds are trained.
      PreparedData.of(table, calibrated(candidates.get(0), config)).requireFits();
    }
    List<CrossValidation> validations;
    try {
      FoldOptions folds = new FoldOptions(folds(table, config), 1, Optional.empty(), Optional.empty());
      validations = candidates.stream()
          .map(candidate -> new CrossValidation(executor, table, new CrossValidationSpec(candidate, folds, 1))).toList();
    } catch (InvalidInputException e) {
      // Throws if the reason is the table itself, and not only its folds.
      PreparedData.of(table, config);
      onNote.accept("no estimate by folds: " + e.getMessage());
      return new Selection(config, Optional.empty());
    }
    listener.started(validations.stream().mapToLong(CrossValidation::epochs).sum());
    List<CrossValidationResult> results;
    try {
      results = validations.stream().map(validation -> validation.run(listener).orElseThrow(CancellationException::new)).toList();
    } catch (TrainingInterruptedException e) {
      throw new TrainingInterruptedException("while folds were in training to choose its configuration");
    }
    int best = 0;
    for (int i = 1; i < results.size(); i++) {
      best = score(results.get(i)) > score(results.get(best)) ? i : best;
    }
    if (results.get(best).diverged() > 0) {
      onNote.accept("no estimate by folds: the trainings of all candidates diverged");
      return new Selection(calibrated(candidates.get(0), config), Optional.empty());
    }
    return new Selection(calibrated(candidates.get(best), config),
        Optional.of(estimate(results.get(best), results.size(), config)));
  }

  /** Returns a candidate as the configuration of the final training, which is calibrated if the user's is. */
  private static TrainConfig calibrated(TrainConfig candidate, TrainConfig config) {
    return candidate.with(changes -> changes.calibrate(config.calibrate()));
  }

  /** Returns the watched metric, negative if lower values are better; negative infinity if a fold has none. */
  private static double score(CrossValidationResult result) {
    Metric watch = result.spec().config().trainer().watch();
    Summary summary = result.summary(watch);
    return summary.count() < result.folds() ? Double.NEGATIVE_INFINITY : watch.isHigherBetter() ? summary.mean() : -summary.mean();
  }

  /** Returns whether validation rows are automatic and the table is small. */
  @Override
  public boolean trains(Table table, TrainConfig config) {
    return selects(table, config);
  }

  /** Returns what {@link #trains} returns. */
  static boolean selects(Table table, TrainConfig config) {
    return config.automatic().contains(Automatic.VALIDATION) && isSmall(table, config);
  }

  /** Returns whether a table has few rows, without those that are dropped because of missing values. */
  static boolean isSmall(Table table, TrainConfig config) {
    boolean dropsRows = config.columns().missing() != Missing.REFUSE;
    return table.rows() <= MAX_ROWS || (dropsRows && usableRows(table, config) <= MAX_ROWS);
  }

  /** Returns the number of rows that are not dropped because of missing values. */
  private static int usableRows(Table table, TrainConfig config) {
    return config.weights().resolve(table, config.columns()).handleMissing(table, config.weights()).rows();
  }

  /** Returns the number of folds: every class must be in each. */
  private static int folds(Table table, TrainConfig config) {
    EncodingOptions columns = config.weights().resolve(table, config.columns());
    return folds(columns.task().orElseThrow() != Task.CLASSIFICATION ? null
        : columns.labels(columns.handleMissing(table, config.weights())));
  }

  /**
   * Returns the number of folds: every class must be in each.
   *
   * @param labels class of each row; null for numbers
   */
  static int folds(int[] labels) {
    return labels == null ? FOLDS : Math.max(2, Math.min(FOLDS, rarest(labels)));
  }

  /** Returns the number of rows of the rarest class. */
  static int rarest(int[] labels) {
    int[] counts = new int[Arrays.stream(labels).max().orElse(0) + 1];
    Arrays.stream(labels).forEach(label -> counts[label]++);
    return Arrays.stream(counts).min().orElse(0);
  }

  private static FoldEstimate estimate(CrossValidationResult result, int candidates, TrainConfig config) {
    Map<Metric, FoldEstimate.Score> scores = new LinkedHashMap<>();
    for (Metric metric : result.metrics()) {
      Summary summary = result.summary(metric);
      if (summary.count() > 0) {
        scores.put(metric, new FoldEstimate.Score(summary.mean(), summary.deviation()));
      }
    }
    return new FoldEstimate(result.folds(), candidates, scores, config.calibrate() ? temperature(result) : OptionalDouble.empty());
  }

  private static OptionalDouble temperature(CrossValidationResult result) {
    List<FoldResult> folds = result.results();
    return Calibration.ofFolds(result.spec().config(), folds.stream().map(fold -> fold.predictions().orElseThrow()).toList(),
        folds.stream().map(fold -> result.table().rows(fold.fold().test())).toList());
  }
}

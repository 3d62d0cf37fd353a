package dev.plumb.cli;

import dev.plumb.model.InvalidInputException;
import dev.plumb.model.NamedEnum;
import dev.plumb.store.TrainedModel;
import dev.plumb.train.ClassificationScores;
import dev.plumb.train.Scores;
import dev.plumb.train.Thresholds;
import java.io.PrintStream;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.apache.commons.cli.Option;

/**
 * The options {@code --threshold} and {@code --choose-threshold} of {@code plumb evaluate}: the probability from which the second of
 * two classes is predicted. At most one of the components is present.
 *
 * @param threshold the given threshold
 * @param criterion by which the threshold is chosen on the evaluated rows
 */
record ThresholdChoice(OptionalDouble threshold, Optional<Thresholds.Criterion> criterion) {
  /**
   * Reads the options.
   *
   * @throws InvalidInputException when a value is not valid, or both options are given
   */
  static ThresholdChoice of(Arguments arguments) {
    if (arguments.has(Flags.THRESHOLD) && arguments.has(Flags.CHOOSE_THRESHOLD)) {
      throw new InvalidInputException("--threshold: cannot be combined with --choose-threshold; choose one of them");
    }
    if (arguments.has(Flags.THRESHOLD)) {
      double threshold = arguments.number(Flags.THRESHOLD, 0);
      if (!(threshold >= 0 && threshold <= 1)) {
        throw new InvalidInputException("--threshold " + arguments.text(Flags.THRESHOLD).orElseThrow()
            + ": must be a number from 0 to 1");
      }
      return new ThresholdChoice(OptionalDouble.of(threshold), Optional.empty());
    }
    return new ThresholdChoice(OptionalDouble.empty(), arguments.has(Flags.CHOOSE_THRESHOLD)
        ? Optional.of(arguments.parsed(Flags.CHOOSE_THRESHOLD, "",
            word -> NamedEnum.parse(Thresholds.Criterion.class, "criterion", word)))
        : Optional.empty());
  }

  private boolean isGiven() {
    return threshold.isPresent() || criterion.isPresent();
  }

  /** @throws InvalidInputException when one of the options is given but the model does not predict two classes */
  void requireTwoClasses(TrainedModel model) {
    if (isGiven() && model.classNames().size() != 2) {
      Option option = threshold.isPresent() ? Flags.THRESHOLD : Flags.CHOOSE_THRESHOLD;
      throw new InvalidInputException("--" + option.getLongOpt() + ": the model predicts "
          + (model.classNames().isEmpty() ? "numbers" : model.classNames().size() + " classes") + "; a threshold needs two classes");
    }
  }

  /**
   * Returns the scores at the threshold; the same scores if none is given.
   *
   * @param scores of a model that predicts two classes, if one of the options is given
   * @throws InvalidInputException when a threshold cannot be chosen because all rows belong to one class
   */
  Scores applied(Scores scores) {
    if (!(isGiven() && scores instanceof ClassificationScores classes)) {
      return scores;
    }
    OptionalDouble used = criterion.isEmpty() ? threshold : classes.judgment().thresholds().orElseThrow().best(criterion.get());
    return classes.withThreshold(used.orElseThrow(() -> new InvalidInputException("all rows belong to class \""
        + classes.classNames().get(classes.support(0) > 0 ? 0 : 1)
        + "\"; --choose-threshold needs rows of both classes; use --threshold")));
  }

  /**
   * Returns what the threshold means and where it is from.
   *
   * @param scores of {@link #applied}
   * @return sentences without full stop; empty if there is no threshold
   */
  List<String> sentences(Scores scores) {
    if (!(scores instanceof ClassificationScores classes) || classes.threshold().isEmpty()) {
      return List.of();
    }
    String name = "\"" + classes.classNames().get(1) + "\"";
    String meaning = "threshold: " + classes.threshold().getAsDouble() + "; a row is predicted as " + name + " if the probability of "
        + name + " is at least this";
    return criterion.isEmpty() ? List.of(meaning)
        : List.of(meaning, "chosen on these rows for the highest " + criterion.get().label()
            + ": scores of predicted classes are optimistic; check them with --threshold on other rows");
  }

  /** Prints the figures of several thresholds, unless there is no chosen one. */
  static void print(ClassificationScores scores, PrintStream out) {
    if (scores.threshold().isEmpty()) {
      return;
    }
    TextTable table = new TextTable().right("threshold").right("precision").right("recall").right("f1").right("specificity")
        .right("youden").right("predicted rows").left("");
    for (Thresholds.Row row : scores.judgment().thresholds().orElseThrow().table(scores.threshold())) {
      table.row(List.of(Decimal.fixed(row.threshold(), 4), Decimal.orDash(row.precision(), 4),
          Decimal.orDash(row.recall(), 4), Decimal.orDash(row.f1(), 4), Decimal.orDash(row.specificity(), 4),
          Decimal.orDash(row.youden(), 4), Long.toString(row.predictedRows()),
          row.threshold() == scores.threshold().getAsDouble() ? "used" : ""));
    }
    out.println();
    out.println(TerminalText.sanitize("thresholds of class \"" + scores.classNames().get(1) + "\":"));
    table.print(out);
  }
}

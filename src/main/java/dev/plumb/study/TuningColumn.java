package dev.plumb.study;

import dev.plumb.train.TrainConfig;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * A column of hyperparameters in a table of configurations. The width and the number of the hidden layers share one.
 *
 * @param isNumber whether the values are numbers
 * @param text the value of a configuration
 */
public record TuningColumn(String name, boolean isNumber, Function<TrainConfig, String> text) {
  /** All columns, in the order of the table. */
  public static final List<TuningColumn> ALL = List.of(of(Hyperparameter.LEARNING_RATE),
      new TuningColumn("layers", false, TuningColumn::layers), of(Hyperparameter.ACTIVATION), of(Hyperparameter.WEIGHT_DECAY),
      of(Hyperparameter.DROPOUT), of(Hyperparameter.BATCH_SIZE), of(Hyperparameter.NORMALIZATION), of(Hyperparameter.RESIDUAL));

  private static TuningColumn of(Hyperparameter parameter) {
    return new TuningColumn(parameter.label(), parameter.kind().isNumeric(), parameter::text);
  }

  private static String layers(TrainConfig config) {
    return config.hidden().isEmpty() ? "none" : config.hidden().stream().map(String::valueOf).collect(Collectors.joining(","));
  }
}

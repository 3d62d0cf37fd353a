package dev.plumb.study;

import dev.plumb.json.JsonObject;
import dev.plumb.model.Activation;
import dev.plumb.model.Dropout;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Normalization;
import dev.plumb.model.TrainingSpec;
import dev.plumb.train.Automatic;
import dev.plumb.train.TrainConfig;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** A hyperparameter that {@link Tuning} can search. */
public enum Hyperparameter {
  LEARNING_RATE("learningRate", Kind.NUMBER),
  /** Number of units of each hidden layer. */
  WIDTH("width", Kind.WHOLE),
  /** Number of hidden layers. */
  DEPTH("depth", Kind.WHOLE),
  ACTIVATION("activation", Kind.WORD),
  /** Weight decay of the configured optimizer. */
  WEIGHT_DECAY("weightDecay", Kind.NUMBER),
  DROPOUT("dropout", Kind.NUMBER),
  /** Rows per step. It is raised where batch normalization would have a last batch of one row. */
  BATCH_SIZE("batchSize", Kind.WHOLE),
  NORMALIZATION("normalization", Kind.WORD),
  RESIDUAL("residual", Kind.FLAG);

  /** The type of the values: Double, Integer, String or Boolean. */
  enum Kind {
    NUMBER, WHOLE, WORD, FLAG;

    /** Returns whether values have an order, so that they can be drawn from a range. */
    boolean isNumeric() {
      return this == NUMBER || this == WHOLE;
    }
  }

  /** Numbers with a magnitude outside of these limits use scientific notation. */
  private static final double MIN_PLAIN = 1e-5;
  private static final double MAX_PLAIN = 1e7;
  private static final int MAX_WIDTH = 65_536;
  private static final int MAX_DEPTH = 256;

  private final String key;
  private final Kind kind;

  Hyperparameter(String key, Kind kind) {
    this.key = key;
    this.kind = kind;
  }

  /** Returns the key in JSON. */
  public String key() {
    return key;
  }

  /** Returns the name for tables and charts: "learning rate". */
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  /**
   * Returns the value of a configuration: Double, Integer, String or Boolean; empty if it has none: the width of layers that
   * differ, an automatic weight decay, the size of a batch of all rows.
   */
  public Optional<Object> value(TrainConfig config) {
    TrainingSpec training = config.trainer().training();
    return switch (this) {
      case LEARNING_RATE -> Optional.of(training.learningRate());
      case WIDTH -> config.hidden().stream().distinct().count() == 1 ? Optional.of(config.hidden().get(0)) : Optional.empty();
      case DEPTH -> Optional.of(config.hidden().size());
      case ACTIVATION -> Optional.of(config.activation().key());
      case WEIGHT_DECAY -> config.automatic().contains(Automatic.WEIGHT_DECAY) ? Optional.empty()
          : Optional.of(training.optimizer().weightDecay());
      case DROPOUT -> Optional.of(training.dropout().map(Dropout::probability).orElse(0.0));
      case BATCH_SIZE -> training.batchSize().isPresent() ? Optional.of(training.batchSize().getAsInt()) : Optional.empty();
      case NORMALIZATION -> Optional.of(config.normalization().key());
      case RESIDUAL -> Optional.of(config.residual());
    };
  }

  /** Returns the value of a configuration as text: "0.003", "yes"; "auto", "all" or "other" if it has none. */
  public String text(TrainConfig config) {
    return value(config).map(Hyperparameter::plain)
        .orElse(this == WEIGHT_DECAY ? "auto" : this == BATCH_SIZE ? "all" : "other");
  }

  private static String plain(Object value) {
    if (value instanceof Boolean flag) {
      return flag ? "yes" : "no";
    }
    if (value instanceof Double number && (number == 0 || Math.abs(number) >= MIN_PLAIN && Math.abs(number) < MAX_PLAIN)) {
      return BigDecimal.valueOf(number).stripTrailingZeros().toPlainString();
    }
    return value.toString();
  }

  Kind kind() {
    return kind;
  }

  /** Returns the hyperparameters by their key. */
  static Map<String, Hyperparameter> byKey() {
    return Arrays.stream(values()).collect(Collectors.toMap(Hyperparameter::key, value -> value));
  }

  /** Reads one value of a key. */
  Object read(JsonObject json, String name) {
    return switch (kind) {
      case NUMBER -> json.number(name);
      case WHOLE -> json.integer(name);
      case WORD -> json.text(name);
      case FLAG -> json.flag(name);
    };
  }

  /** Reads a list of values of a key. */
  List<Object> readAll(JsonObject json, String name) {
    return switch (kind) {
      case NUMBER -> Arrays.stream(json.numbers(name)).<Object>mapToObj(Double::valueOf).toList();
      case WHOLE -> List.copyOf(json.integers(name));
      case WORD -> List.copyOf(json.texts(name));
      case FLAG -> List.copyOf(json.flags(name));
    };
  }

  /**
   * Checks that a configuration can have a value.
   *
   * @throws InvalidInputException when it cannot
   */
  void require(Object value) {
    if (this == WIDTH && (int) value > MAX_WIDTH || this == DEPTH && (int) value > MAX_DEPTH) {
      throw new InvalidInputException(key + " " + value + " must be at most " + (this == WIDTH ? MAX_WIDTH : MAX_DEPTH));
    }
    if (this == DEPTH && (int) value < 0 || this == WIDTH && (int) value < 1) {
      throw new InvalidInputException(key + " " + value + " must be at least " + (this == WIDTH ? 1 : 0));
    }
    TrainConfig.DEFAULT.with(changes -> apply(changes, TrainConfig.DEFAULT, Map.of(this, value)));
  }

  /** Sets this hyperparameter to its value, if there is one. */
  void apply(TrainConfig.Changes changes, TrainConfig base, Map<Hyperparameter, Object> values) {
    Object value = values.get(this);
    if (value == null) {
      return;
    }
    switch (this) {
      case LEARNING_RATE -> changes.learningRate((double) value);
      case WIDTH, DEPTH -> changes.hidden(hidden(base.hidden(), values));
      case ACTIVATION -> changes.activation(Activation.of((String) value));
      case WEIGHT_DECAY -> changes.optimizer(base.trainer().training().optimizer().withWeightDecay((double) value));
      case DROPOUT -> changes.dropout((double) value);
      case BATCH_SIZE -> changes.batchSize((int) value);
      case NORMALIZATION -> changes.normalization(Normalization.of((String) value));
      case RESIDUAL -> changes.residual((boolean) value);
    }
  }

  /** Returns hidden layers of one width. Without a value, the width is that of the first layer, and the depth stays the same. */
  private static List<Integer> hidden(List<Integer> base, Map<Hyperparameter, Object> values) {
    List<Integer> from = base.isEmpty() ? TrainConfig.DEFAULT.hidden() : base;
    int width = (int) values.getOrDefault(WIDTH, from.get(0));
    int depth = (int) values.getOrDefault(DEPTH, base.size());
    return Collections.nCopies(depth, width);
  }
}

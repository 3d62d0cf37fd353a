package dev.plumb.study;

import dev.plumb.json.JsonObject;
import dev.plumb.model.Activation;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.Normalization;
import dev.plumb.train.TrainConfig;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
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

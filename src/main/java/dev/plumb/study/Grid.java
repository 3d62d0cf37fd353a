package dev.plumb.study;

import dev.plumb.model.Activation;
import dev.plumb.model.Excerpt;
import dev.plumb.model.Initializer;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.TrainingSpec;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;

/**
 * All combinations of depths, widths, activations, initializers and learning rates.
 *
 * @param depths numbers of hidden layers, each at least 1
 * @param widths numbers of units of every hidden layer, each at least 1
 * @param seeds networks per combination, at least 1
 */
public record Grid(List<Integer> depths, List<Integer> widths, List<Activation> activations, List<Initializer> initializers,
    List<Double> learningRates, int seeds) {

  private static final int MAX_LAYERS = 10_000_000;

  public Grid {
    depths = values("depth", depths);
    widths = values("width", widths);
    activations = values("activation", activations);
    initializers = values("initializer", initializers);
    learningRates = values("learningRate", learningRates);
    requirePositive("depth", depths);
    requirePositive("width", widths);
    learningRates.forEach(TrainingSpec::requireLearningRate);
    requireLayers(depths, (double) widths.size() * activations.size());
    if (seeds < 1) {
      throw new InvalidInputException("seeds " + seeds + " must be at least 1");
    }
  }

  private static <T> List<T> values(String key, List<T> values) {
    if (values.isEmpty()) {
      throw new InvalidInputException(key + " is empty; at least one value is needed");
    }
    if (new HashSet<>(values).size() < values.size()) {
      throw new InvalidInputException(key + " " + Excerpt.of(values.toString()) + " holds a value twice");
    }
    return List.copyOf(values);
  }

  private static void requirePositive(String key, List<Integer> values) {
    for (int value : values) {
      if (value < 1) {
        throw new InvalidInputException(key + " " + value + " must be at least 1");
      }
    }
  }

  /** Limits the hidden layers, since every layer of every network is listed before memory is estimated. */
  private static void requireLayers(List<Integer> depths, double networksPerDepth) {
    double layers = networksPerDepth * depths.stream().mapToDouble(Integer::doubleValue).sum();
    if (layers > MAX_LAYERS) {
      throw new InvalidInputException(String.format(Locale.ROOT, "depth %s: the networks of the grid have %,.0f hidden layers in"
          + " all, but at most %,d are trained in one study; use fewer or smaller depths", Excerpt.of(depths.toString()), layers,
          MAX_LAYERS));
    }
  }

  /** Returns the number of combinations, even if they are too many to list. */
  double cellCount() {
    return (double) depths.size() * widths.size() * activations.size() * initializers.size() * learningRates.size();
  }

  /** Returns the network with the given indices of depth, width and activation in their lists. */
  NetworkSpec network(int depth, int width, int activation, int inputs, int outputs) {
    List<Integer> layers = new ArrayList<>();
    layers.add(inputs);
    for (int layer = 0; layer < depths.get(depth); layer++) {
      layers.add(widths.get(width));
    }
    layers.add(outputs);
    return new NetworkSpec(layers, activations.get(activation));
  }

  /** Returns all combinations; cells of one shape are next to each other. */
  List<Study.Cell> cells(int firstIndex, int inputs, int outputs) {
    List<Study.Cell> cells = new ArrayList<>();
    for (int activation = 0; activation < activations.size(); activation++) {
      for (int width = 0; width < widths.size(); width++) {
        for (int depth = 0; depth < depths.size(); depth++) {
          NetworkSpec network = network(depth, width, activation, inputs, outputs);
          for (Initializer initializer : initializers) {
            for (double rate : learningRates) {
              cells.add(new Study.Cell(firstIndex + cells.size(), name(network, initializer, rate), network, initializer, rate));
            }
          }
        }
      }
    }
    return cells;
  }

  /** Returns the shortest name that distinguishes the cell. */
  private String name(NetworkSpec network, Initializer initializer, double rate) {
    return network.shape() + " " + network.activation().key()
        + (initializers.size() > 1 ? " " + initializer.key() : "")
        + (learningRates.size() > 1 ? " " + rate : "");
  }
}

package dev.plumb.study;

import dev.plumb.model.Activation;
import dev.plumb.model.Excerpt;
import dev.plumb.model.Initializer;
import dev.plumb.model.InvalidInputException;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.Normalization;
import dev.plumb.model.TrainingSpec;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;

/**
 * All combinations of depths, widths, activations, normalizations, residual connections, initializers and learning rates.
 *
 * @param depths numbers of hidden layers, each at least 1
 * @param widths numbers of units of every hidden layer, each at least 1
 * @param residuals whether hidden layers with as many units as inputs add their input to their output
 * @param seeds networks per combination, at least 1
 */
public record Grid(List<Integer> depths, List<Integer> widths, List<Activation> activations,
    List<Normalization> normalizations, List<Boolean> residuals, List<Initializer> initializers, List<Double> learningRates,
    int seeds) {

  private static final int MAX_LAYERS = 10_000_000;

  public Grid {
    depths = values("depth", depths);
    widths = values("width", widths);
    activations = values("activation", activations);
    normalizations = values("normalization", normalizations);
    residuals = values("residual", residuals);
    initializers = values("initializer", initializers);
    learningRates = values("learningRate", learningRates);
    requirePositive("depth", depths);
    requirePositive("width", widths);
    learningRates.forEach(TrainingSpec::requireLearningRate);
    requireLayers(depths, (double) widths.size() * activations.size() * normalizations.size() * residuals.size());
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
    return (double) depths.size() * widths.size() * activations.size() * normalizations.size() * residuals.size()
        * initializers.size() * learningRates.size();
  }

  /** Returns the first network. */
  NetworkSpec first(int inputs, int outputs) {
    return new NetworkSpec(layers(inputs, depths.get(0), widths.get(0), outputs), activations.get(0), normalizations.get(0),
        residuals.get(0));
  }

  /** Returns the networks, those that differ only in their depth next to each other. */
  private List<NetworkSpec> networks(int inputs, int outputs) {
    List<NetworkSpec> networks = new ArrayList<>();
    for (Activation activation : activations) {
      for (Normalization normalization : normalizations) {
        for (boolean residual : residuals) {
          for (int width : widths) {
            for (int depth : depths) {
              networks.add(new NetworkSpec(layers(inputs, depth, width, outputs), activation, normalization, residual));
            }
          }
        }
      }
    }
    return networks;
  }

  private static List<Integer> layers(int inputs, int depth, int width, int outputs) {
    List<Integer> layers = new ArrayList<>(Collections.nCopies(depth + 2, width));
    layers.set(0, inputs);
    layers.set(depth + 1, outputs);
    return layers;
  }

  /** Returns all combinations; cells of one shape are next to each other. */
  List<Study.Cell> cells(int firstIndex, int inputs, int outputs) {
    List<Study.Cell> cells = new ArrayList<>();
    for (NetworkSpec network : networks(inputs, outputs)) {
      for (Initializer initializer : initializers) {
        for (double rate : learningRates) {
          cells.add(new Study.Cell(firstIndex + cells.size(), name(network, initializer, rate), network, initializer, rate));
        }
      }
    }
    return cells;
  }

  /** Returns the shortest name that distinguishes the cell. */
  private String name(NetworkSpec network, Initializer initializer, double rate) {
    return network.shape() + " " + network.activation().key()
        + (normalizations.size() > 1 && network.normalization() != Normalization.NONE ? " " + network.normalization().key() : "")
        + (residuals.size() > 1 && network.residual() ? " residual" : "")
        + (initializers.size() > 1 ? " " + initializer.key() : "")
        + (learningRates.size() > 1 ? " " + rate : "");
  }
}
